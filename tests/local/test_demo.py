"""Parse the log of `airflow dags test` into one line for each task."""

from local.demo import LogParser

INFO = "2026-11-23T21:10:24.862298Z [info     ] "
SDK = " [airflow.sdk.definitions.dag] loc=dag.py:1501\n"
STATE = f"{INFO}Task instance state updated [airflow.api_fastapi] rows_affected=1 new_state="


def read(parser: LogParser, *lines: str) -> list[str]:
    """Parse lines that come a second apart."""
    ended = [parser.read(line, float(second)) for second, line in enumerate(lines)]
    return [each for each in ended if each]


def test_each_task_is_reported_with_its_state_and_seconds() -> None:
    parser = LogParser()
    assert read(
        parser,
        f"{INFO}[DAG TEST] starting task_id=ingest map_index=0{SDK}",
        f"{INFO}Call 1 of 1: 3 locations [ingest]\n",
        f"{STATE}success ti_id=1\n",
        f"{INFO}[DAG TEST] end task task_id=ingest map_index=0{SDK}",
        f"{INFO}[DAG TEST] starting task_id=models.stg_weather map_index=-1{SDK}",
        f"{STATE}skipped ti_id=2\n",
    ) == ["ingest[0]: success, 2.0 s", "models.stg_weather: skipped, 1.0 s"]
    assert not parser.failure


def test_a_failed_task_is_reported_with_its_error() -> None:
    parser = LogParser()
    assert read(
        parser,
        f"{INFO}[DAG TEST] starting task_id=publish map_index=-1{SDK}",
        "2026-11-23T21:11:43.9Z [error    ] Task failed with exception     [task]\n",
        "Traceback (most recent call last):\n",
        '  File "local_runtime.py", line 49, in execute\n',
        "    raise StepFailed(result.output, result.exit_code)\n",
        "orchestration.retry_policy.StepFailed: publish: The lake cannot be opened: no file.\n",
        f"{INFO}::group::Post Execute          [task]\n",
        f"{STATE}up_for_retry ti_id=1\n",
    ) == ["publish: up_for_retry, 7.0 s"]
    assert parser.failure == "task publish failed: publish: The lake cannot be opened: no file."


def test_an_error_belongs_to_one_task() -> None:
    parser = LogParser()
    read(
        parser,
        f"{INFO}[DAG TEST] starting task_id=ingest map_index=0{SDK}",
        "a line of the task\n",
        f"{STATE}success ti_id=1\n",
        f"{INFO}[DAG TEST] starting task_id=publish map_index=-1{SDK}",
        f"{STATE}failed ti_id=2\n",
    )
    assert parser.failure == "task publish failed: see the log"
