"""What a step is told, in both runtimes: environment variables and arguments."""

WINDOW_ENVIRONMENT = {
    "WEATHER_WINDOW_START": "{{ run_window(dag_run, params).start.isoformat() }}",
    "WEATHER_WINDOW_END": "{{ run_window(dag_run, params).end.isoformat() }}",
}
"""Airflow's templates of the run's window."""


def shard_arguments(shards: int) -> list[list[str]]:
    """The arguments of each shard's process of ingest."""
    return [["--shard", str(shard), "--shards", str(shards)] for shard in range(shards)]
