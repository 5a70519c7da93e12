"""Metrics of the published run and of the hours."""

from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.api.conftest import Serve
from tests.api.lake import Lake
from tests.api.server import eventually
from weather.published import Published
from weather.reports import IngestReport, RunReport
from weather.window import HOUR, first_hour_from

END = first_hour_from(datetime.now(UTC)) - HOUR
RUN = RunReport(
    window_start=END - 3 * HOUR,
    ingest=IngestReport(
        hours_asked=9,
        hours_received=6,
        hours_rejected=3,
        calls=2,
        retries={"timeout": 4},
        bytes=1234,
    ),
    rows_written={"stg_weather": 6, "daily_weather_stats": 3},
    values_kept={"temperature_c": 2},
    tests={"stg_weather": {"pass": 9, "warn": 1}},
)

Samples = dict[str, dict[tuple[str, ...], float]]


def samples(client: httpx.Client) -> Samples:
    """Return each metric's values by label values."""
    found: Samples = {}
    for family in text_string_to_metric_families(client.get("/metrics").text):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sample.labels.values())] = sample.value
    return found


@pytest.fixture
def published(lake: Lake) -> Published:
    """Return the published object of a run with this report."""
    return lake.publish().model_copy(update={"window_end": END, "run": RUN})


@pytest.fixture
def run_metrics(lake: Lake, serve: Serve, published: Published) -> Iterator[Samples]:
    """Return the metrics of a lake after a run with this report."""
    lake.write_published_json(published)
    with serve(lake) as client:
        eventually(lambda: client.get("/readyz").status_code == 200)
        yield samples(client)


def test_metrics_equal_the_run_report(run_metrics: Samples, published: Published) -> None:
    run = {name: values for name, values in run_metrics.items() if name.startswith("weather_run_")}
    assert run == {
        "weather_run_published_timestamp_seconds": {(): published.published_at.timestamp()},
        "weather_run_window_end_timestamp_seconds": {(): END.timestamp()},
        "weather_run_hours": {("asked",): 9, ("received",): 6, ("rejected",): 3},
        "weather_run_calls": {(): 2},
        "weather_run_retries": {("timeout",): 4},
        "weather_run_received_bytes": {(): 1234},
        "weather_run_rows_written": {("stg_weather",): 6, ("daily_weather_stats",): 3},
        "weather_run_values_kept": {("temperature_c",): 2},
        "weather_run_tests": {("stg_weather", "pass"): 9, ("stg_weather", "warn"): 1},
    }


def test_a_run_without_a_report_has_publish_metrics(
    lake: Lake, serve: Serve, published: Published
) -> None:
    lake.write_published_json(published.model_copy(update={"run": None}))
    with serve(lake) as client:
        eventually(lambda: client.get("/readyz").status_code == 200)
        assert {name for name in samples(client) if name.startswith("weather_run_")} == {
            "weather_run_published_timestamp_seconds",
            "weather_run_window_end_timestamp_seconds",
        }


def test_no_run_metrics_before_the_first_run(lake: Lake, serve: Serve) -> None:
    with serve(lake) as client:
        now = samples(client)
    assert "weather_reloads_total" in now
    assert not [name for name in now if name.startswith(("weather_run_", "weather_hours_"))]


def test_due_and_present_hours_are_counted(lake: Lake, serve: Serve, published: Published) -> None:
    lake.write_hours("lyon", *(END - back * HOUR for back in (1, 24, 25, 168, 169)))
    lake.write_hours("atlantis", END - HOUR)
    now = lake.publish()
    lake.write_published_json(now.model_copy(update={"window_end": END}))
    with serve(lake) as client:
        eventually(lambda: client.get("/readyz").status_code == 200)
        counted = samples(client)
        # A backfill of last year does not change this week's due hours.
        lake.write_published_json(now.model_copy(update={"window_end": END - 9000 * HOUR}))
        eventually(lambda: samples(client)["weather_reloads_total"] == {(): 2})
        backfilled = samples(client)
    for run_metrics in (counted, backfilled):
        assert run_metrics["weather_hours_due"] == {
            (location, period): hours
            for location in ("lyon", "new-york", "kolkata")
            for period, hours in (("1d", 24), ("7d", 168))
        }
        assert run_metrics["weather_hours_present"] == {
            ("lyon", "1d"): 2,
            ("lyon", "7d"): 4,
            **{
                (location, period): 0
                for location in ("new-york", "kolkata")
                for period in ("1d", "7d")
            },
        }
