"""Faults over HTTP, and the rules that select them."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from weather.replay.faults import DAMAGES, FAILURES, HEALTHY, NAMES, FaultPlan, Rule, parse_faults

FORM = {
    "latitude": "45.75,40.71,22.57",
    "longitude": "4.85,-74.01,88.36",
    "hourly": "temperature_2m,precipitation,wind_speed_10m",
    "start_hour": "2026-02-10T00:00",
    "end_hour": "2026-02-11T23:00",
}
HOURS = 48


def fetch(replay: httpx.Client) -> httpx.Response:
    """Request 48 hours of three locations."""
    return replay.post("/v1/forecast", data=FORM)


def set_faults(replay: httpx.Client, rules: str) -> None:
    """Replace the server's faults."""
    replay.post("/replay/faults", content=rules).raise_for_status()


def is_healthy(replay: httpx.Client) -> bool:
    """Return whether the next request succeeds with JSON."""
    response = fetch(replay)
    return response.status_code == 200 and "json" in response.headers["content-type"]


@pytest.mark.parametrize(
    ("name", "status", "reason"),
    [
        (
            "minutely_limit",
            429,
            "Minutely API request limit exceeded. Please try again in one minute.",
        ),
        (
            "hourly_limit",
            429,
            "Hourly API request limit exceeded. Please try again in the next hour.",
        ),
        ("daily_limit", 429, "Daily API request limit exceeded. Please try again tomorrow."),
        ("too_many_concurrent", 429, "Too many concurrent requests"),
        ("unauthorized", 401, "The supplied API key is invalid."),
        ("forbidden", 403, "API access is not included in your current subscription."),
        ("server_error", 500, "Something went wrong."),
        ("unavailable", 503, "Service Unavailable"),
    ],
)
def test_error_faults_return_a_json_error(
    replay: httpx.Client, name: str, status: int, reason: str
) -> None:
    set_faults(replay, name)
    response = fetch(replay)
    assert response.status_code == status
    assert response.json() == {"error": True, "reason": reason}
    assert "retry-after" not in response.headers


@pytest.mark.parametrize(
    ("name", "status"), [("bad_gateway", 502), ("gateway_timeout", 504), ("html_ok", 200)]
)
def test_html_faults_return_an_html_page(replay: httpx.Client, name: str, status: int) -> None:
    set_faults(replay, name)
    response = fetch(replay)
    assert response.status_code == status
    assert response.headers["content-type"].startswith("text/html")
    assert response.text.startswith("<html>")


@pytest.mark.parametrize(
    ("name", "end"),
    [
        ("cut_json", ""),
        ("streaming_error", "Unexpected error while streaming data: timeoutReached"),
    ],
)
def test_truncating_faults_return_incomplete_json(
    replay: httpx.Client, name: str, end: str
) -> None:
    set_faults(replay, name)
    response = fetch(replay)
    assert response.status_code == 200
    assert response.text.startswith('[{"latitude":')
    assert response.text.endswith(end)
    with pytest.raises(json.JSONDecodeError):
        response.json()


def test_a_hang_lasts_until_the_clients_timeout(replay: httpx.Client) -> None:
    set_faults(replay, "hang*1")
    with pytest.raises(httpx.ReadTimeout):
        replay.post("/v1/forecast", data=FORM, timeout=2)
    assert is_healthy(replay)


def test_a_reset_closes_the_connection(replay: httpx.Client) -> None:
    set_faults(replay, "reset*1")
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        fetch(replay)
    assert is_healthy(replay)


def lengths(response: dict[str, Any]) -> list[int]:
    """Return the length of each column."""
    return [len(column) for column in response["hourly"].values()]


def count(response: dict[str, Any], variable: str, value: float) -> int:
    """Return the number of a variable's values that equal `value`."""
    return int(response["hourly"][variable].count(value))


DAMAGED: dict[str, Callable[[dict[str, Any], dict[str, Any]], bool]] = {
    "wrong_units": lambda bad, good: (
        list(bad["hourly_units"].values()) == ["iso8601", "°F", "inch", "mp/h"]
        and bad["hourly"]["temperature_2m"][0]
        == round(good["hourly"]["temperature_2m"][0] * 1.8 + 32, 1)
    ),
    "unequal_arrays": lambda bad, good: lengths(bad) == [HOURS, HOURS - 1, HOURS, HOURS],
    "repeated_hour": lambda bad, good: (
        bad["hourly"]["time"] == [good["hourly"]["time"][0], *good["hourly"]["time"]]
        and lengths(bad) == [HOURS + 1] * 4
    ),
    "falling_hours": lambda bad, good: (
        bad["hourly"]["time"] == good["hourly"]["time"][::-1]
        and bad["hourly"]["precipitation"] == good["hourly"]["precipitation"][::-1]
    ),
    "outside_hours": lambda bad, good: (
        bad["hourly"]["time"] == [*good["hourly"]["time"], "2026-02-12T00:00"]
        and lengths(bad) == [HOURS + 1] * 4
    ),
    "not_finite": lambda bad, good: (
        str(bad["hourly"]["temperature_2m"][0]) == "nan"
        and str(bad["hourly"]["temperature_2m"][-1]) == "inf"
    ),
    "all_null": lambda bad, good: (
        [value for name, column in bad["hourly"].items() if name != "time" for value in column]
        == [None] * 3 * HOURS
    ),
    "text_value": lambda bad, good: bad["hourly"]["temperature_2m"][0] == "n/a",
    "missing_variable": lambda bad, good: (
        "temperature_2m" not in bad["hourly"] and "temperature_2m" not in bad["hourly_units"]
    ),
    "other_place": lambda bad, good: abs(bad["longitude"] - good["longitude"]) in (90, 270),
    "odd_temperature": lambda bad, good: count(bad, "temperature_2m", -75.0) == 1,
    "impossible_values": lambda bad, good: count(bad, "wind_speed_10m", 2000.0) == 3,
}


def test_every_fault_has_a_test() -> None:
    tested = {*FAILURES, *DAMAGED, "cut_json", "streaming_error", "hang", "reset", HEALTHY}
    assert tested == set(NAMES)
    assert DAMAGED.keys() == DAMAGES.keys()


@pytest.mark.parametrize("name", DAMAGED)
@pytest.mark.parametrize("location", [None, 1])
def test_damage_changes_only_its_location(
    replay: httpx.Client, name: str, location: int | None
) -> None:
    good = fetch(replay).json()
    set_faults(replay, name if location is None else f"{name}@{location}")
    bad = fetch(replay).json()
    damaged = [DAMAGED[name](*pair) for pair in zip(bad, good, strict=True)]
    assert damaged == [location in (None, place) for place in range(3)]


@pytest.mark.parametrize("name", DAMAGED)
@pytest.mark.parametrize("hourly", ["precipitation", ""])
def test_damage_without_matching_data_returns_200(
    replay: httpx.Client, name: str, hourly: str
) -> None:
    set_faults(replay, name)
    form = FORM | {"hourly": hourly, "end_hour": FORM["start_hour"]}
    assert replay.post("/v1/forecast", data=form).status_code == 200


def test_not_finite_returns_nan_and_infinity(replay: httpx.Client) -> None:
    set_faults(replay, "not_finite")
    text = fetch(replay).text
    assert "[NaN," in text
    assert ",Infinity]" in text


def test_rules_apply_in_order(replay: httpx.Client) -> None:
    set_faults(replay, "healthy*1, server_error*2, text_value@0*1, bad_gateway*1")
    assert [fetch(replay).status_code for _ in range(6)] == [200, 500, 500, 200, 502, 200]
    assert is_healthy(replay)


def test_new_rules_replace_earlier_ones(replay: httpx.Client) -> None:
    set_faults(replay, "server_error")
    assert not is_healthy(replay)
    set_faults(replay, "")
    assert is_healthy(replay)


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        ("", []),
        ("hang", [Rule("hang")]),
        (
            "all_null@12*3,reset*1",
            [Rule("all_null", location=12, requests=3), Rule("reset", requests=1)],
        ),
        (" cut_json*1 , hang ", [Rule("cut_json", requests=1), Rule("hang")]),
    ],
)
def test_rules_are_parsed(text: str, rules: list[Rule]) -> None:
    assert parse_faults(text) == rules


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("hung", "'hung': unknown fault"),
        ("hang*", "'hang*': unknown fault"),
        ("text_value*1@2", "unknown fault"),
        ("hang@1", "'hang' applies to whole responses"),
        ("hang,reset", "the rules after 'hang' never apply"),
    ],
)
def test_invalid_rules_are_rejected_in_one_line(
    replay: httpx.Client, text: str, reason: str
) -> None:
    with pytest.raises(ValueError, match=r"\A[^\n]+\Z") as error:
        parse_faults(text)
    assert reason in str(error.value)
    response = replay.post("/replay/faults", content=text)
    assert (response.status_code, response.json()["reason"]) == (400, str(error.value))
    assert is_healthy(replay)


def test_an_exhausted_plan_is_healthy() -> None:
    assert FaultPlan([Rule("hang", requests=0)]).next() == Rule(HEALTHY)
