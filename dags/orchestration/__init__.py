"""Airflow parts of the DAG: data windows, retries, waiting for other runs, and the two runtimes."""
