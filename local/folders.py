"""Where the one-machine runtime finds the project and keeps its own state."""

from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
DAGS = PROJECT / "dags"
DBT_PROJECT = PROJECT / "dbt_project"

IMPORTABLE = (
    PROJECT,
    PROJECT / "images" / "ingest",
    PROJECT / "images" / "dbt",
    PROJECT / "images" / "replay",
)
"""Folders whose packages every step can import, as the images' own layouts let them."""

STATE = PROJECT / ".weather"
"""Everything that the runtime makes: credentials, the store's data, the lake's catalog, logs."""

LOGS = STATE / "logs"
STORE = STATE / "s3"
AIRFLOW_HOME = STATE / "airflow"
DUCKDB_EXTENSIONS = STATE / "duckdb"
CREDENTIALS = STATE / "credentials.json"
