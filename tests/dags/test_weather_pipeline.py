"""The DAG: tasks, schedule, params, and the cost of importing the DAG."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

InAirflow = Callable[..., str]

EDGES = {
    "ingest": [],
    "arrived": ["ingest"],
    "models.raw_hours": ["arrived"],
    "models.stg_weather": ["models.raw_hours"],
    "models.rejected_weather": ["models.raw_hours", "models.stg_weather"],
    "models.daily_weather_stats": ["models.raw_hours", "models.stg_weather"],
    "publish": ["models.daily_weather_stats", "models.rejected_weather"],
    "upkeep": ["publish"],
    "complete": ["ingest", "publish"],
}

ALL_MODELS = "models.dbt_producer_watcher"

EDGES_WITH_SHARED_POD = {
    **EDGES,
    ALL_MODELS: ["arrived"],
    f"{ALL_MODELS}_done": [ALL_MODELS],
    "publish": ["models.daily_weather_stats", f"{ALL_MODELS}_done", "models.rejected_weather"],
}

TASKS = "print(json.dumps({t.task_id: sorted(t.upstream_task_ids) for t in dag.tasks}))"


@pytest.mark.parametrize("runtime", ["local", "kubernetes"])
def test_both_runtimes_have_the_same_tasks(in_airflow: InAirflow, runtime: str) -> None:
    printed = in_airflow(TASKS, WEATHER_RUNTIME=runtime, WEATHER_IMAGE_TAG="abc123")
    assert json.loads(printed) == EDGES


@pytest.mark.parametrize(("runtime", "tasks"), [("local", 1), ("kubernetes", 16)])
def test_models_run_in_parallel_only_with_postgres(
    in_airflow: InAirflow, runtime: str, tasks: int
) -> None:
    printed = in_airflow(
        "print(dag.max_active_tasks)", WEATHER_RUNTIME=runtime, WEATHER_IMAGE_TAG="abc123"
    )
    assert int(printed) == tasks


def test_the_shared_pod_adds_its_tasks(in_airflow: InAirflow) -> None:
    printed = in_airflow(
        TASKS,
        WEATHER_RUNTIME="kubernetes",
        WEATHER_IMAGE_TAG="abc123",
        WEATHER_DBT_PODS="watcher",
    )
    assert json.loads(printed) == EDGES_WITH_SHARED_POD


def test_runs_are_hourly_and_one_at_a_time(in_airflow: InAirflow) -> None:
    printed = in_airflow(
        "from pendulum import datetime\n"
        "from airflow.serialization.encoders import coerce_to_core_timetable\n"
        "table = coerce_to_core_timetable(dag.timetable)\n"
        "interval = table.infer_manual_data_interval(run_after=datetime(2026, 11, 20, 5, 30))\n"
        "edges = [str(interval.start), str(interval.end)]\n"
        "print(json.dumps([*edges, dag.max_active_runs, dag.catchup]))"
    )
    assert json.loads(printed) == [
        "2026-11-20 04:07:00+00:00",
        "2026-11-20 05:07:00+00:00",
        1,
        False,
    ]


def test_the_first_run_has_the_newest_interval(in_airflow: InAirflow) -> None:
    """The DAG has no start_date, because runs before a start_date get no tasks."""
    printed = in_airflow(
        "import pendulum\n"
        "from airflow.serialization.serialized_objects import DagSerialization\n"
        "kept = DagSerialization.from_dict(DagSerialization.to_dict(dag))\n"
        "first = kept.next_dagrun_info(last_automated_run_info=None)\n"
        "second = kept.next_dagrun_info(last_automated_run_info=first)\n"
        "late = (pendulum.now('UTC') - first.run_after).in_minutes()\n"
        "hour = (second.run_after - first.run_after).in_minutes()\n"
        "print(json.dumps([0 <= late < 60, hour, {t.start_date for t in kept.tasks} == {None}]))"
    )
    assert json.loads(printed) == [True, 60, True]


DAY_OF_RUNS = """
from types import SimpleNamespace
import pendulum
from airflow.sdk.exceptions import AirflowSkipException
from airflow.serialization.serialized_objects import DagSerialization
from airflow.timetables.base import TimeRestriction
from orchestration.run_window import run_window, skip_unless_upkeep_run

timetable = DagSerialization.from_dict(DagSerialization.to_dict(dag)).timetable
# With catchup, because without it a timetable skips to the newest interval of today.
always = TimeRestriction(earliest=None, latest=None, catchup=True)
params = {"window_start": None, "window_end": None}
day = pendulum.datetime(2026, 11, 20)
interval = timetable.infer_manual_data_interval(run_after=day)
runs = []
while True:
    due = timetable.next_dagrun_info(last_automated_data_interval=interval, restriction=always)
    if due.run_after >= day.add(days=1):
        break
    interval = due.data_interval
    run = SimpleNamespace(data_interval_end=interval.end, run_after=due.run_after)
    window = run_window(run, params)
    try:
        skip_unless_upkeep_run({"dag_run": run, "params": params})
        upkeep = "upkeep"
    except AirflowSkipException:
        upkeep = ""
    edges = (interval.start, interval.end, window.start, window.end)
    runs.append([*(f"{edge:%d %H:%M}" for edge in edges), upkeep])
print(json.dumps(runs))
"""


def test_runs_every_3_hours_cover_the_day_with_one_upkeep(in_airflow: InAirflow) -> None:
    """Data intervals and windows of a day from the serialized DAG. Windows do not overlap."""
    printed = in_airflow(DAY_OF_RUNS, WEATHER_SCHEDULE_HOURS="3", WEATHER_LOOKBACK_HOURS="3")
    assert json.loads(printed) == [
        ["19 23:07", "20 02:07", "20 00:00", "20 03:00", "upkeep"],
        ["20 02:07", "20 05:07", "20 03:00", "20 06:00", ""],
        ["20 05:07", "20 08:07", "20 06:00", "20 09:00", ""],
        ["20 08:07", "20 11:07", "20 09:00", "20 12:00", ""],
        ["20 11:07", "20 14:07", "20 12:00", "20 15:00", ""],
        ["20 14:07", "20 17:07", "20 15:00", "20 18:00", ""],
        ["20 17:07", "20 20:07", "20 18:00", "20 21:00", ""],
        ["20 20:07", "20 23:07", "20 21:00", "21 00:00", ""],
    ]


def test_the_schedule_is_hourly_in_cron(in_airflow: InAirflow) -> None:
    printed = in_airflow(
        "from airflow.serialization.serialized_objects import DagSerialization\n"
        "print(json.dumps(DagSerialization.to_dict(dag)['dag']['timetable']))"
    )
    assert json.loads(printed)["__var"]["expression"] == "7 * * * *"


def test_the_window_has_params(in_airflow: InAirflow) -> None:
    form = json.loads(
        in_airflow(
            "print(json.dumps({name: dag.params.get_param(name).schema for name in dag.params}))"
        )
    )
    assert set(form) == {"window_start", "window_end"}
    for field in form.values():
        assert field["type"] == ["null", "string"]
        assert field["format"] == "date-time"
        assert field["title"]
        assert field["description_md"]


def test_a_late_run_raises_a_deadline_alert(in_airflow: InAirflow) -> None:
    printed = in_airflow("print(dag.deadline[0].interval, dag.deadline[0].callback.path)")
    assert printed == "0:45:00 weather.notices.announce_late_run"


def test_publish_emits_the_asset(in_airflow: InAirflow) -> None:
    printed = in_airflow(
        "outlets = {t.task_id: [(a.name, a.uri) for a in t.outlets] for t in dag.tasks}\n"
        "print(json.dumps({task: assets for task, assets in outlets.items() if assets}))",
        WEATHER_BUCKET="elsewhere",
    )
    assert json.loads(printed) == {"publish": [["daily_weather_stats", "daily_weather_stats"]]}


def test_10000_locations_are_4_shards_one_at_a_time(in_airflow: InAirflow, tmp_path: Path) -> None:
    locations = tmp_path / "locations.yaml"
    locations.write_text(
        "".join(
            f"- {{id: city-{i}, name: City {i}, latitude: 1, longitude: 2, timezone: UTC}}\n"
            for i in range(10_000)
        )
    )
    printed = in_airflow(
        "ingest = dag.get_task('ingest')\n"
        "arguments = ingest.expand_input.value['arguments']\n"
        "print(json.dumps([arguments, ingest.max_active_tis_per_dag]))",
        WEATHER_LOCATIONS=str(locations),
    )
    assert json.loads(printed) == [
        [["--shard", str(shard), "--shards", "4"] for shard in range(4)],
        1,
    ]


@pytest.mark.parametrize(
    ("setting", "value", "message"),
    [
        ("WEATHER_RUNTIME", "docker", "WEATHER_RUNTIME: input should be 'local' or 'kubernetes'"),
        ("WEATHER_LOOKBACK_HOURS", "0", "WEATHER_LOOKBACK_HOURS: input should be greater"),
        ("WEATHER_SCHEDULE_HOURS", "5", "WEATHER_SCHEDULE_HOURS: must be 1, 2, 3, 4, 6, 8, 12 or"),
        ("WEATHER_LOCATIONS", "/nowhere.yaml", "WEATHER_LOCATIONS: /nowhere.yaml: No such file"),
    ],
)
def test_an_invalid_setting_is_in_the_import_error(
    airflow_environment: dict[str, str], manifest: Path, setting: str, value: str, message: str
) -> None:
    result = subprocess.run(
        [
            sys.executable,
            "-c",
            "import airflow.models, weather_pipeline",
        ],
        env={**airflow_environment, setting: value},
        capture_output=True,
        text=True,
        check=False,
    )
    assert message in result.stderr.splitlines()[-1]


def test_loading_needs_no_network_and_no_heavy_imports(
    airflow_environment: dict[str, str], manifest: Path
) -> None:
    program = """
import airflow.models, airflow.sdk, sys
def refuse(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo"):
        raise RuntimeError(f"{event}: {arguments}")
sys.addaudithook(refuse)
import weather_pipeline
heavy = ("duckdb", "pandas", "pyarrow", "kubernetes", "dbt.cli")
print([name for name in heavy if name in sys.modules])
"""
    result = subprocess.run(
        [sys.executable, "-c", program],
        env=airflow_environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines()[-1] == "[]"
