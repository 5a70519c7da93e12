"""Whole runs by Airflow itself: `airflow dags test weather_pipeline`."""

import os
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.expected_mart import expected_mart
from tests.pipeline import Pipeline
from tests.replay_server import set_faults
from tests.webhook_server import WebhookServer, webhook_server
from weather.locations import read_locations
from weather.settings import DEFAULT_LOCATIONS

MART = "select * from daily_weather_stats order by location_id, date"
HOUR = timedelta(hours=1)

# The last tick of the schedule before this moment is 4:07, so 4:00 is the last hour.
MOMENT = datetime(2026, 11, 20, 5, tzinfo=UTC)
END = datetime(2026, 11, 20, 5, tzinfo=UTC)

DagsTest = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def migrated(airflow_environment: dict[str, str]) -> None:
    """Migrate Airflow's database."""
    subprocess.run(
        ["airflow", "db", "migrate"], env=airflow_environment, check=True, capture_output=True
    )


@pytest.fixture
def notices(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> Iterator[WebhookServer]:
    """Webhook that receives failure notices."""
    with webhook_server() as webhook:
        monkeypatch.setenv("WEATHER_NOTICE_URL", webhook.url)
        yield webhook


@pytest.fixture
def dags_test(
    pipeline: Pipeline, airflow_environment: dict[str, str], manifest: Path, migrated: None
) -> DagsTest:
    """Run `airflow dags test` with the pipeline's settings."""
    settings = {
        name: value
        for name, value in os.environ.items()
        if name.startswith(("WEATHER_", "OPEN_METEO_", "LAKE_", "AWS_", "DUCKDB_"))
    }

    def run(moment: datetime = MOMENT) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["airflow", "dags", "test", "weather_pipeline", moment.isoformat()],
            env={**airflow_environment, **settings, "AIRFLOW__LOGGING__LOGGING_LEVEL": "INFO"},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_airflow_runs_an_hour_from_ingest_to_publish(
    dags_test: DagsTest, pipeline: Pipeline
) -> None:
    result = dags_test()
    assert result.returncode == 0, result.stdout + result.stderr

    published = pipeline.published()
    assert published is not None
    assert published.window_end == END
    rows = pipeline.rows(MART, snapshot_id=published.snapshot_id)
    locations = read_locations(DEFAULT_LOCATIONS)
    assert rows == expected_mart(locations, END - 168 * HOUR, END)


def test_a_rejected_location_fails_the_run_but_no_other_location(
    notices: WebhookServer, dags_test: DagsTest, pipeline: Pipeline, replay: str
) -> None:
    set_faults(replay, "wrong_units@1*1")
    result = dags_test()
    output = result.stdout + result.stderr
    assert result.returncode != 0, output
    assert "new-york" in output
    [notice] = notices.texts
    assert notice.startswith("weather_pipeline: ingest failed after 1 try, in run manual__")
    assert "new-york" in notice
    assert "/tasks/ingest/mapped/0?try_number=1\n" in notice

    published = pipeline.published()
    assert published is not None
    others = [each for each in read_locations(DEFAULT_LOCATIONS) if each.id != "new-york"]
    assert pipeline.rows(MART, snapshot_id=published.snapshot_id) == expected_mart(
        others, END - 168 * HOUR, END
    )
    assert [key for key in pipeline.store.list("rejected/") if key.endswith("new-york.json")]


@pytest.mark.parametrize(
    ("year", "words"),
    [(2019, "before the earliest hour, 2020-01-01"), (2099, "ends in the future, at 2099-06-01")],
)
def test_a_run_of_a_date_without_hours_fails_with_the_reason(
    dags_test: DagsTest, pipeline: Pipeline, year: int, words: str
) -> None:
    result = dags_test(datetime(year, 6, 1, 3, tzinfo=UTC))
    output = result.stdout + result.stderr
    assert result.returncode != 0, output
    assert words in output
    assert list(pipeline.store.list("raw/")) == []
    assert pipeline.published() is None
