"""What tests and measurements need of an installed system: its pods, its services, its Airflow."""

WEATHER = "weather"
"""Namespace of the API, the store, Postgres and the steps' pods."""

AIRFLOW = "airflow"
"""Namespace of Airflow and its workers."""
