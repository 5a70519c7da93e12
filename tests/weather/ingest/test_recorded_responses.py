"""Validate responses recorded from the real service, if they are available."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.weather.ingest.examples import location, source_at
from tests.weather.ingest.scripted_server import Reply, scripted_server
from weather.errors import ExitCode, StepError
from weather.ingest.fetch import RetryPolicy
from weather.ingest.http_json import AttemptFailed, FailureKind, parse_response
from weather.ingest.job import Job, Stats
from weather.ingest.run import ingest
from weather.ingest.validate import wrong_format
from weather.published import SOURCE_KEY
from weather.storage import Store
from weather.window import HOUR, Window

RECORDED = Path(
    os.environ.get("WEATHER_RECORDED_ANSWERS")
    or Path(__file__).resolve().parents[4] / "shared" / "data" / "open-meteo"
)

NEW_YORK = location(1).model_copy(update={"latitude": 40.71, "longitude": -74.01})

pytestmark = pytest.mark.skipif(
    not RECORDED.is_dir(),
    reason="no recorded responses: set WEATHER_RECORDED_ANSWERS to their folder",
)


def body_of(name: str) -> bytes:
    return (RECORDED / f"{name}.json").read_bytes()


def window_of(response: Any) -> Window:
    """Return the window of a response."""
    first, last = (
        datetime.fromisoformat(response["hourly"]["time"][place]).replace(tzinfo=UTC)
        for place in (0, -1)
    )
    return Window(first, last + HOUR)


@pytest.mark.parametrize(("name", "hours"), [("new-york", 336), ("melbourne", 168)])
def test_a_real_response_is_accepted(name: str, hours: int) -> None:
    (response,) = parse_response(200, body_of(f"forecast-{name}"), 1)
    window = window_of(response)
    assert window.hours == hours
    assert wrong_format(response, window) is None


def test_a_real_response_is_stored_unchanged(store: Store, retry_policy: RetryPolicy) -> None:
    body = body_of("forecast-new-york")
    window = window_of(json.loads(body))
    with scripted_server([Reply(body)]) as server:
        source = source_at(server.url)
        stats = Stats()
        ingest(Job(window, 0, 1, [NEW_YORK]), source, store, stats, retry_policy=retry_policy)
    assert stats.accepted == 1
    (key,) = (key for key in store.list("raw/") if key != SOURCE_KEY)
    assert json.loads(store.get(key) or b"")["answer"] == json.loads(body)


def test_a_real_response_in_local_time_is_rejected() -> None:
    (response,) = parse_response(200, body_of("forecast-brasilia-local-time"), 1)
    window = window_of(response)
    assert wrong_format(response, window) == ("utc_offset_seconds is -10800, but UTC was requested")
    assert isinstance(response, dict)
    assert wrong_format(response | {"utc_offset_seconds": 0}, window) == (
        "hourly.precipitation is missing"
    )


@pytest.mark.parametrize("name", ["error-400-unit", "error-400-variable"])
def test_the_reason_of_a_real_error_is_in_the_message(
    name: str, store: Store, retry_policy: RetryPolicy
) -> None:
    body = body_of(name)
    reason = " ".join(json.loads(body)["reason"].split())
    with pytest.raises(AttemptFailed) as error:
        parse_response(400, body, 1)
    assert error.value.kind == FailureKind.BAD_REQUEST
    window = Window(datetime(2023, 10, 25, tzinfo=UTC), datetime(2023, 10, 26, tzinfo=UTC))
    with scripted_server([Reply(body, status=400)]) as server:
        source = source_at(server.url)
        with pytest.raises(StepError) as failure:
            ingest(
                Job(window, 0, 1, [location(1)]), source, store, Stats(), retry_policy=retry_policy
            )
    assert failure.value.exit_code == ExitCode.REFUSED
    assert f"400: {reason}" in str(failure.value)


def test_every_recorded_response_has_a_test() -> None:
    tested = Path(__file__).read_text(encoding="utf-8")
    assert [
        file.name
        for file in RECORDED.glob("*.json")
        if file.stem.removeprefix("forecast-") not in tested
    ] == []
