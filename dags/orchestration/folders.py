"""Where the project is, on one machine and in Airflow's image."""

from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
DBT_PROJECT = PROJECT / "dbt_project"
