"""Reject only the locations whose responses are unreadable, with few requests."""

import json
from collections.abc import Callable, Collection
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.weather.ingest.examples import (
    JOB,
    WINDOW,
    Lines,
    location,
    response_of,
    responses_to,
    source_at,
)
from tests.weather.ingest.scripted_server import Form, Reply, scripted_server
from weather.errors import ExitCode, StepError
from weather.ingest.fetch import RetryPolicy
from weather.ingest.job import HOURS_PER_CALL, Job, Stats
from weather.ingest.run import ingest
from weather.storage import Store
from weather.window import HOUR, Window

Stored = Callable[[str], Lines]


def damaged(bad: Collection[int], damage: Callable[[str], Reply]) -> Callable[[Form], Reply]:
    """Return a valid response, except for requests with a bad location's latitude."""

    def reply(form: Form) -> Reply:
        numbers = [round(float(each)) for each in form["latitude"].split(",")]
        responses = responses_to(WINDOW, numbers)
        body = json.dumps(responses if len(responses) > 1 else responses[0])
        return damage(body) if any(each in bad for each in numbers) else Reply(body.encode())

    return reply


def json_error(status: int, reason: str) -> Reply:
    return Reply(json.dumps({"error": True, "reason": reason}).encode(), status)


DAMAGES = {
    "odd structure": lambda body: Reply(body.replace('"GMT"', '"GMT" "', 1).encode()),
    "empty value": lambda body: Reply(body.replace("168.0", "", 1).encode()),
    "one too few": lambda body: Reply(b"[]"),
    "bad escape": lambda body: Reply(body.replace("GMT", "\\x", 1).encode()),
    "no data": lambda body: json_error(400, "No data is available for this location"),
    "cut": lambda body: Reply(body[: len(body) // 2].encode()),
    "streaming": lambda body: Reply(
        f"{body[:99]}Unexpected error while streaming data: nan".encode()
    ),
    "server error": lambda body: json_error(500, "Fatal error"),
    "error with 200": lambda body: json_error(200, "Fatal error"),
}


@pytest.mark.parametrize("name", DAMAGES)
@pytest.mark.parametrize("bad", [0, 6, 10])
def test_only_the_location_that_breaks_the_body_is_rejected(
    store: Store, retry_policy: RetryPolicy, stored: Stored, name: str, bad: int
) -> None:
    job = Job(WINDOW, 0, 1, [location(number) for number in range(11)])
    stats = Stats()
    with (
        scripted_server(damaged({bad}, DAMAGES[name])) as server,
        pytest.raises(StepError) as failure,
    ):
        ingest(job, source_at(server.url), store, stats, retry_policy=retry_policy)
    assert failure.value.exit_code == ExitCode.REJECTED
    assert f"rejected 1 of 11 responses: place-{bad}: no readable response: " in str(failure.value)
    assert (stats.accepted, stats.hours_accepted, stats.hours_rejected) == (10, 60, 6)
    lines = [line for lines in stored("raw/").values() for line in lines]
    assert {line["location"]["id"]: line["accepted"] for line in lines} == {
        f"place-{number}": number != bad for number in range(11)
    }
    for line in lines:
        if line["accepted"]:
            assert f"place-{round(line['answer']['latitude'])}" == line["location"]["id"]
    ((line,),) = [
        lines for key, lines in stored("rejected/").items() if key.endswith(f"-place-{bad}.json")
    ]
    assert line["reason"].startswith("no readable response: ")
    assert (
        line["answer"] == DAMAGES[name](json.dumps(response_of(WINDOW, number=bad))).body.decode()
    )
    # 11 locations: halves of 6, 3, 2 and 1.
    assert len(server.forms) <= 5 + 2 * 4 + 1


def test_several_bad_locations_of_100_are_found(store: Store, retry_policy: RetryPolicy) -> None:
    job = Job(WINDOW, 0, 1, [location(number) for number in range(90)])
    stats = Stats()
    bad = {0, 17, 44, 45, 89}
    with (
        scripted_server(damaged(bad, DAMAGES["odd structure"])) as server,
        pytest.raises(StepError) as failure,
    ):
        ingest(job, source_at(server.url), store, stats, retry_policy=retry_policy)
    assert failure.value.exit_code == ExitCode.REJECTED
    assert stats.accepted == 85
    assert sorted(each.partition(":")[0] for each in stats.rejected) == sorted(
        f"place-{each}" for each in bad
    )
    requested = sum(len(form["latitude"].split(",")) for form in server.forms)
    assert requested < 90 * 2 * 7


@pytest.mark.parametrize("name", DAMAGES)
def test_a_service_that_always_fails_gets_few_requests(
    store: Store, retry_policy: RetryPolicy, name: str
) -> None:
    job = Job(WINDOW, 0, 1, [location(number) for number in range(80)])
    stats = Stats()
    with (
        scripted_server(damaged(range(80), DAMAGES[name])) as server,
        pytest.raises(StepError) as failure,
    ):
        ingest(job, source_at(server.url), store, stats, retry_policy=retry_policy)
    expected = ExitCode.REFUSED if name == "no data" else ExitCode.UNAVAILABLE
    assert (failure.value.exit_code, stats.accepted) == (expected, 0)
    assert len(server.forms) <= 2 + 2 + 4 + 8
    assert sum(len(form["latitude"].split(",")) for form in server.forms) <= 6 * 80


@pytest.mark.parametrize(
    "reply",
    [
        json_error(401, "The supplied API key is invalid."),
        json_error(429, "Hourly API request limit exceeded."),
        json_error(503, "Service Unavailable"),
        Reply(b"<title>502 Bad Gateway</title>", 502),
        Reply(b"<title>Maintained</title>", 200),
        Reply(b"[{", cut=True),
    ],
)
def test_calls_are_not_split_for_an_unhealthy_service(
    store: Store, retry_policy: RetryPolicy, reply: Reply
) -> None:
    with scripted_server([reply]) as server, pytest.raises(StepError) as failure:
        ingest(JOB, source_at(server.url), store, Stats(), retry_policy=retry_policy)
    assert failure.value.exit_code != ExitCode.REJECTED
    assert {form["latitude"] for form in server.forms} == {"1.0,2.0"}


def test_later_calls_request_a_bad_location_separately(
    store: Store, retry_policy: RetryPolicy
) -> None:
    window = Window(WINDOW.start, WINDOW.start + 3 * HOURS_PER_CALL * HOUR)
    job = Job(window, 0, 1, [location(number) for number in range(4)])
    stats = Stats()

    def reply(form: Form) -> Reply:
        start, end = (
            datetime.fromisoformat(form[name]).replace(tzinfo=UTC)
            for name in ("start_hour", "end_hour")
        )
        numbers = [round(float(each)) for each in form["latitude"].split(",")]
        if 2 in numbers:
            return json_error(400, "No data is available for this location")
        responses = responses_to(Window(start, end + HOUR), numbers)
        return Reply(json.dumps(responses if len(responses) > 1 else responses[0]).encode())

    with scripted_server(reply) as server, pytest.raises(StepError) as failure:
        ingest(job, source_at(server.url), store, stats, retry_policy=retry_policy)
    assert failure.value.exit_code == ExitCode.REJECTED
    assert stats.accepted == 9
    assert [form["latitude"] for form in server.forms] == [
        *("0.0,1.0,2.0,3.0", "0.0,1.0", "2.0,3.0", "2.0", "3.0"),
        *("0.0,1.0,3.0", "2.0") * 2,
    ]


@pytest.mark.parametrize("name", ["odd structure", "no data"])
def test_a_bad_location_in_its_own_call_affects_no_other_call(
    store: Store, retry_policy: RetryPolicy, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr("weather.ingest.open_meteo.OpenMeteo.locations_per_call", 1)
    job = Job(WINDOW, 0, 1, [location(number) for number in range(4)])
    stats = Stats()
    with (
        scripted_server(damaged({0, 1}, DAMAGES[name])) as server,
        pytest.raises(StepError) as failure,
    ):
        ingest(job, source_at(server.url), store, stats, retry_policy=retry_policy)
    assert failure.value.exit_code == ExitCode.REJECTED
    assert (stats.accepted, len(stats.rejected)) == (2, 2)


def test_an_odd_value_in_an_unused_field_is_stored(
    store: Store, retry_policy: RetryPolicy, stored: Stored
) -> None:
    body = json.dumps(responses_to(WINDOW, [1, 2]))
    for number in ("2.01", "1.98", "168.0"):
        body = body.replace(number, "-nan")
    stats = Stats()
    with scripted_server([Reply(body.encode())]) as server:
        ingest(JOB, source_at(server.url), store, stats, retry_policy=retry_policy)
    assert (stats.accepted, len(server.forms)) == (2, 1)
    (lines,) = stored("raw/").values()
    assert [line["answer"]["elevation"] for line in lines] == ["-nan", "-nan"]
    assert lines[1]["answer"]["latitude"] == "-nan"


@pytest.mark.parametrize(
    ("change", "rejected"),
    [
        (lambda responses: responses[::-1], [0, 2]),
        (lambda responses: [responses[0]] * 3, [1, 2]),
        (lambda responses: [responses[1]] * 3, [0, 2]),
        (lambda responses: [each | {"location_id": 7} for each in responses], [0, 1, 2]),
        (lambda responses: [{**each, "latitude": "nan"} for each in responses], []),
    ],
    ids=["reversed", "first", "second", "number", "no latitude"],
)
def test_only_responses_for_the_requested_locations_are_accepted(
    store: Store,
    retry_policy: RetryPolicy,
    change: Callable[[list[Any]], list[Any]],
    rejected: list[int],
) -> None:
    numbers = [1, 40, 80]
    job = Job(WINDOW, 0, 1, [location(number) for number in numbers])
    stats = Stats()
    body = json.dumps(change(responses_to(WINDOW, numbers))).encode()
    with scripted_server([Reply(body)]) as server, suppress(StepError):
        ingest(job, source_at(server.url), store, stats, retry_policy=retry_policy)
    assert [each.partition(":")[0] for each in stats.rejected] == [
        f"place-{numbers[position]}" for position in rejected
    ]
