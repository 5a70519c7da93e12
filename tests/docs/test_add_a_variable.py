"""The diff of docs/add-a-variable.md adds a variable from the source to the page."""

import os
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import pytest

from tests.api.server import running_api
from tests.docs.changed_project import ChangedProject, require_small_diff
from tests.pipeline import Pipeline
from tests.replay_server import replay_server
from tests.timeouts import TIMEOUT_SECONDS
from weather.window import HOUR, Window

GUIDE = "docs/add-a-variable.md"
NAME = "relative_humidity_2m"
COLUMN = "relative_humidity_percent"

START = datetime(2026, 3, 1, tzinfo=UTC)
OLD = Window(START, START + 6 * HOUR)
NEW = Window(START + 3 * HOUR, START + 30 * HOUR)
"""Window of the run with the variable. The older run's first three hours are outside."""

Values = list[tuple[object, float | None]]


def test_the_diff_is_small() -> None:
    require_small_diff(GUIDE)


@pytest.fixture
def changed_project(tmp_path: Path) -> ChangedProject:
    """A copy of the project with the diff."""
    return ChangedProject(tmp_path / "project", GUIDE)


@pytest.fixture
def changed_replay(changed_project: ChangedProject) -> Iterator[str]:
    """The replay server of the copy."""
    with replay_server(folder=changed_project.folder) as url:
        yield url


def observed(replay: str) -> list[float | None]:
    """Lyon's values for the newer window, from the source."""
    form = {
        "latitude": "45.75",
        "longitude": "4.85",
        "hourly": NAME,
        "timezone": "GMT",
        "start_hour": f"{NEW.start:%Y-%m-%dT%H:%M}",
        "end_hour": f"{NEW.last_hour:%Y-%m-%dT%H:%M}",
    }
    response = httpx.post(
        f"{replay}/v1/forecast", data=form, timeout=TIMEOUT_SECONDS, trust_env=False
    )
    values = response.json()["hourly"][NAME]
    assert len(values) == NEW.hours
    return list(values)


def means_by_day(values: list[float | None]) -> dict[date, float]:
    by_day: dict[date, list[float]] = defaultdict(list)
    for number, value in enumerate(values):
        if value is not None:
            there = (NEW.start + number * HOUR).astimezone(ZoneInfo("Europe/Paris"))
            by_day[there.date()].append(value)
    return {day: sum(each) / len(each) for day, each in by_day.items()}


def hours_in_lake(pipeline: Pipeline) -> Values:
    return pipeline.rows(
        f"select hour_timestamp, {COLUMN} from stg_weather where location_id = 'lyon' order by 1"
    )


def days_in_lake(pipeline: Pipeline) -> dict[object, float | None]:
    return dict(
        pipeline.rows(
            f"select date, avg_{COLUMN} from daily_weather_stats where location_id = 'lyon'"
        )
    )


def test_the_diff_adds_a_variable_end_to_end(
    pipeline: Pipeline,
    changed_project: ChangedProject,
    changed_replay: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    pipeline.run(OLD)

    changed_project.run("-m", "scripts.dbt_variables", "--check")
    monkeypatch.setenv("OPEN_METEO_URL", changed_replay)
    monkeypatch.setenv("OPEN_METEO_ARCHIVE_URL", changed_replay)
    pipeline.take(NEW)
    assert changed_project.ingest().returncode == 0
    changed_project.transform_and_publish()

    values = observed(changed_replay)
    assert all(value is None or 0 < value <= 100 for value in values)
    assert len(set(values)) > 5
    times = [(START + number * HOUR).replace(tzinfo=None) for number in range(30)]
    hours = list(zip(times, [None, None, None, *values], strict=True))
    assert hours_in_lake(pipeline) == hours
    means = means_by_day(values)
    days = days_in_lake(pipeline)
    assert {day for day, value in days.items() if value is not None} == set(means)
    for day, mean in means.items():
        assert days[day] == pytest.approx(mean, abs=0.051)

    environment = {**os.environ, "PYTHONPATH": str(changed_project.folder)}
    with running_api(environment, tmp_path / "api.log", folder=changed_project.folder) as api:
        query = {"location": "lyon", "fields": f"hour_timestamp,{COLUMN}"}
        rows = api.get("/weather/hourly", params=query).raise_for_status().json()
        assert [row[COLUMN] for row in reversed(rows)] == [value for _, value in hours]
        query = {"location": "lyon", "fields": f"date,avg_{COLUMN}"}
        rows = api.get("/weather/summary", params=query).raise_for_status().json()
        assert {date.fromisoformat(row["date"]): row[f"avg_{COLUMN}"] for row in rows} == days
        assert "Humidity" in api.get("/", headers={"Accept": "text/html"}).text

    changed_project.rebuild()
    assert hours_in_lake(pipeline) == hours
    assert days_in_lake(pipeline) == days
