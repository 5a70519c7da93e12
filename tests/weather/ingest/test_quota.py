"""Weight of a run, and the free service's hourly quota."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.weather.ingest.examples import WINDOW, location, responses_to, source_at
from tests.weather.ingest.scripted_server import Reply, ScriptedServer, scripted_server
from weather.errors import ExitCode
from weather.ingest.__main__ import main
from weather.ingest.fetch import RetryPolicy
from weather.ingest.job import HOURS_PER_CALL, Job
from weather.ingest.quota import (
    HOURLY_QUOTA,
    hours_within_quota,
    quota_problem,
    run_weight,
    seconds_between_calls,
    weight,
)
from weather.settings import SourceSettings, StoreSettings
from weather.window import HOUR, Window

NOW = datetime(2026, 11, 23, 5, 7, tzinfo=UTC)
API, ARCHIVE = "https://api.open-meteo.com", "https://historical-forecast-api.open-meteo.com"
FREE = source_at(API, ARCHIVE)
YEAR = 365 * 24
RUNBOOK = Path(__file__).resolve().parents[3] / "docs" / "runbooks" / "backfill.md"


def window_of(hours: int) -> Window:
    """Return a window of that many hours in the past."""
    return Window(WINDOW.start, WINDOW.start + hours * HOUR)


def run_of(locations: int, hours: int) -> Job:
    """Return a whole run as one job."""
    return Job(window_of(hours), 0, 1, [location(number) for number in range(locations)])


@pytest.mark.parametrize(
    ("locations", "hours", "expected"),
    [(3, 168, 3), (3, YEAR, 81), (100, YEAR, 2_700), (100, 337, 200), (10_000, 168, 10_000)],
)
def test_the_weight_of_a_run_is_the_sum_of_its_calls(
    locations: int, hours: int, expected: float
) -> None:
    assert run_weight(run_of(locations, hours), FREE, NOW) == expected


@given(st.integers(1, 400), st.integers(1, 2000), st.integers(1, 5), st.data())
def test_every_shard_has_the_weight_of_the_whole_run(
    locations: int, hours: int, shards: int, data: st.DataObject
) -> None:
    whole = run_of(locations, hours)
    shard = data.draw(st.integers(0, shards - 1))
    job = Job(whole.window, shard, shards, whole.run_locations)
    assert run_weight(job, FREE, NOW) == run_weight(whole, FREE, NOW)


@pytest.mark.parametrize("locations", [40, 100, 1_000, 2_500, 2_501, 5_000])
def test_one_hour_more_than_fits_exceeds_the_quota(locations: int) -> None:
    hours = hours_within_quota(locations)
    assert quota_problem(run_of(locations, hours), FREE, NOW) is None
    assert quota_problem(run_of(locations, hours + 1), FREE, NOW) is not None


def test_the_rate_limit_allows_the_hourly_quota_within_minutes() -> None:
    seconds = seconds_between_calls(HOURLY_QUOTA, HOURS_PER_CALL, 3, API, has_key=False)
    assert seconds < timedelta(minutes=10).total_seconds()


@pytest.mark.parametrize(
    "source",
    [
        source_at(API, ARCHIVE, key="k"),
        source_at("https://customer-api.open-meteo.com", key="k"),
        source_at("http://127.0.0.1:9"),
        source_at("https://open-meteo.example.org"),
    ],
)
def test_paid_plans_and_other_servers_have_no_quota(source: SourceSettings) -> None:
    assert quota_problem(run_of(6_000, YEAR), source, NOW) is None


def test_only_calls_to_the_free_service_count() -> None:
    start = NOW.replace(minute=0) - timedelta(days=100)
    job = Job(Window(start, start + 2 * HOURS_PER_CALL * HOUR), 0, 1, [location(1), location(2)])
    assert run_weight(job, source_at("http://127.0.0.1:9", ARCHIVE), NOW) == 2
    assert run_weight(job, FREE, NOW) == 4


def test_too_many_locations_exceed_the_quota_with_any_window() -> None:
    problem = quota_problem(run_of(5_001, 1), FREE, NOW)
    assert problem is not None
    assert "counts as 5,001 API calls" in problem
    assert "list at most 5,000 locations" in problem
    assert "OPEN_METEO_API_KEY" in problem


@pytest.fixture
def fetch_from_free_service(
    settings: StoreSettings,
    retry_policy: RetryPolicy,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[[ScriptedServer, int, Window], int]:
    """Run the first of two shards, with the server as a proxy to the free service."""

    def run(server: ScriptedServer, locations: int, window: Window) -> int:
        file = tmp_path / "locations.yaml"
        file.write_text(json.dumps([location(each).model_dump() for each in range(locations)]))
        for name, value in {
            "WEATHER_LOCATIONS": str(file),
            "OPEN_METEO_URL": "http://api.open-meteo.com",
            "OPEN_METEO_ARCHIVE_URL": "http://historical-forecast-api.open-meteo.com",
            "http_proxy": server.url,
            "no_proxy": "127.0.0.1",
        }.items():
            monkeypatch.setenv(name, value)
        ends = ["--start", window.start.isoformat(), "--end", window.end.isoformat()]
        return main([*ends, "--shard", "0", "--shards", "2"], retry_policy=retry_policy)

    return run


FetchFromFreeService = Callable[[ScriptedServer, int, Window], int]


def test_a_run_over_the_quota_fails_before_its_first_call(
    fetch_from_free_service: FetchFromFreeService, capsys: pytest.CaptureFixture[str]
) -> None:
    with scripted_server([Reply(status=503)]) as server:
        code = fetch_from_free_service(server, 2_501, window_of(HOURS_PER_CALL + 1))
    assert code == ExitCode.SETTING
    assert server.forms == []
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(
        "ingest: The window of 337 h at 2,501 locations counts as 5,002 API calls"
    )
    assert "about 336 h fit for these locations" in line


def test_a_run_within_the_quota_is_fetched(
    fetch_from_free_service: FetchFromFreeService, capsys: pytest.CaptureFixture[str]
) -> None:
    with scripted_server([Reply(json.dumps(responses_to(WINDOW, [0, 1, 2])).encode())]) as server:
        code = fetch_from_free_service(server, 6, WINDOW)
    assert code == ExitCode.OK
    assert len(server.forms) == 1
    assert json.loads(capsys.readouterr().out)["accepted"] == 3


def test_the_runbook_has_the_numbers_of_the_code() -> None:
    page = " ".join(RUNBOOK.read_text(encoding="utf-8").split())
    few, many = (run_weight(run_of(count, YEAR), FREE, NOW) for count in (3, 100))
    assert f"{HOURLY_QUOTA:,} an hour" in page
    assert f"a year weighs {few:,.0f} for 3 locations and {many:,.0f} for 100." in page


@pytest.mark.parametrize(
    ("locations", "hours", "variables", "expected"),
    [
        (1, 168, 3, 1),
        (100, 336, 3, 100),
        (100, 336, 10, 100),
        (100, 336, 15, 150),
        (1, 28 * 24, 10, 2),
        (1, 28 * 24, 3, 1),
    ],
)
def test_the_weight_of_a_call(locations: int, hours: int, variables: int, expected: float) -> None:
    assert weight(locations, hours, variables) == expected


@given(locations=st.integers(1, 1000), hours=st.integers(1, 5000), variables=st.integers(1, 30))
def test_the_pace_stays_below_the_minutely_limit(
    locations: int, hours: int, variables: int
) -> None:
    seconds = seconds_between_calls(locations, hours, variables, API, has_key=False)
    calls_a_minute = 60 / seconds
    assert calls_a_minute * weight(locations, hours, variables) <= 600 * 1.000001


@pytest.mark.parametrize(
    ("address", "has_key", "expected"),
    [
        (API, False, 10),
        ("https://historical-forecast-api.open-meteo.com", False, 10),
        ("https://customer-api.open-meteo.com", True, 0),
        (API, True, 0),
        ("http://127.0.0.1:9", False, 0),
        ("https://open-meteo.example.org", False, 0),
        ("https://not-open-meteo.com", False, 0),
    ],
)
def test_only_the_free_service_has_a_rate_limit(
    address: str, has_key: bool, expected: float
) -> None:
    assert seconds_between_calls(100, 168, 3, address, has_key) == expected
