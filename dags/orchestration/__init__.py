"""What the DAG file needs of Airflow: windows, retries, and the two runtimes of its steps."""
