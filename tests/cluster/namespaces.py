"""The namespaces of an installed system."""

WEATHER = "weather"
"""Namespace of the API, the store, Postgres and the steps' pods."""

AIRFLOW = "airflow"
"""Namespace of Airflow and its workers."""
