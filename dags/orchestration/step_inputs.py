"""Inputs of the steps in both runtimes: the window as environment, the shard as arguments."""

WINDOW_ENVIRONMENT = {
    "WEATHER_WINDOW_START": "{{ run_window(dag_run, params).start.isoformat() }}",
    "WEATHER_WINDOW_END": "{{ run_window(dag_run, params).end.isoformat() }}",
}
"""Environment variables of every step: Airflow templates of the run's window."""


def shard_arguments(shards: int) -> list[list[str]]:
    """Return ingest's command-line arguments for each shard."""
    return [["--shard", str(shard), "--shards", str(shards)] for shard in range(shards)]
