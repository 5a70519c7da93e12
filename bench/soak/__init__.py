"""Soak test: weeks of hourly runs in a row, without Airflow, while the source has faults."""
