"""Weeks of hourly runs in a row on one machine, without Airflow, while the source has faults."""
