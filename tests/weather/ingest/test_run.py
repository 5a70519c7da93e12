"""The loop over HTTP and S3, with responses that the replay server does not support."""

import json
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.weather.ingest.examples import (
    UNITS,
    WINDOW,
    Lines,
    location,
    response_of,
    responses_to,
    source_at,
)
from tests.weather.ingest.scripted_server import Form, Reply, scripted_server, unused_url
from weather.errors import ExitCode, StepError
from weather.ingest.fetch import RetryPolicy
from weather.ingest.http_json import AttemptFailed
from weather.ingest.job import HOURS_PER_CALL, Job, Stats
from weather.ingest.open_meteo import _redirect_target
from weather.ingest.run import ingest
from weather.published import PUBLISHED_KEY, SOURCE_KEY, read_source
from weather.source import OPEN_METEO, REPLAY
from weather.storage import Store
from weather.window import HOUR, Window

Stored = Callable[[str], Lines]
JOB = Job(WINDOW, 0, 1, [location(1), location(2)])
HEALTHY = Reply(json.dumps(responses_to(WINDOW, [1, 2])).encode())


@pytest.mark.parametrize(
    ("reply", "response_timeout", "retry", "kept"),
    [
        (Reply(b"[{}]"), 10, "wrong number of answers", "[{}]"),  # words: keep
        (
            Reply(b'{"error": true, "reason": "?"}'),
            10,
            "server error",
            '{"error": true, "reason": "?"}',
        ),
        (Reply(b'[{"latitude": 1', cut=True), 10, "connection error", '[{"latitude": 1'),
        (
            Reply(b"[{Unexpected error while streaming data: x", cut=True),
            10,
            "error while streaming",
            "[{Unexpected error while streaming data: x",
        ),
        (Reply(b"[" + b" " * 9, pieces=10, seconds_between=1), 6, "timeout", "[ "),
    ],
)
def test_the_body_of_a_failed_attempt_is_stored(
    store: Store,
    retry_policy: RetryPolicy,
    stored: Stored,
    reply: Reply,
    response_timeout: float,
    retry: str,
    kept: str,
) -> None:
    retry_policy = replace(
        retry_policy, timeouts=replace(retry_policy.timeouts, response=response_timeout)
    )
    stats = Stats()
    with scripted_server([reply, HEALTHY]) as server:
        ingest(JOB, source_at(server.url), store, stats, retry_policy=retry_policy)
    assert dict(stats.retries) == {retry: 1}
    assert stats.accepted == 2
    ((key, (attempt,)),) = stored("rejected/").items()
    assert key.endswith("/shard-000-of-001-call-0000.attempt-1.json")
    assert attempt["body"].startswith(kept)


def test_the_api_key_is_sent_but_not_stored_or_logged(
    store: Store, retry_policy: RetryPolicy, stored: Stored
) -> None:
    key = "very-secret-key"
    echo = Reply(f'{{"error":true,"reason":"{key} is not a key"}}'.encode(), status=503)
    unauthorized = replace(echo, status=401)
    with scripted_server([echo, HEALTHY, unauthorized]) as server:
        ingest(JOB, source_at(server.url, key=key), store, Stats(), retry_policy=retry_policy)
        with pytest.raises(StepError) as failure:
            ingest(JOB, source_at(server.url, key=key), store, Stats(), retry_policy=retry_policy)
    assert {form["apikey"] for form in server.forms} == {key}
    assert "401: *** is not a key" in str(failure.value)
    everything = json.dumps(stored(""))
    assert "*** is not a key" in everything
    assert key not in everything


def test_each_response_is_stored_with_its_location(
    store: Store, retry_policy: RetryPolicy, stored: Stored
) -> None:
    responses = [
        each | {"elevation": each["latitude"] // 1} for each in responses_to(WINDOW, [1, 2])
    ]
    with scripted_server([Reply(json.dumps(responses).encode())]) as server:
        ingest(JOB, source_at(server.url), store, Stats(), retry_policy=retry_policy)
    (lines,) = stored("raw/").values()
    assert [(line["location"]["id"], line["answer"]["elevation"]) for line in lines] == [
        ("place-1", 1),
        ("place-2", 2),
    ]


def test_a_failed_call_ends_the_run_but_keeps_earlier_ones(
    store: Store, retry_policy: RetryPolicy, stored: Stored
) -> None:
    window = Window(WINDOW.start, WINDOW.start + 3 * HOURS_PER_CALL * HOUR)
    first = Window(window.start, window.start + HOURS_PER_CALL * HOUR)
    good = Reply(json.dumps(response_of(first)).encode())
    stats = Stats()
    with scripted_server([good, Reply(b"down", status=503)]) as server:
        with pytest.raises(StepError) as failure:
            ingest(
                Job(window, 0, 1, [location(1)]),
                source_at(server.url),
                store,
                stats,
                retry_policy=retry_policy,
            )
        assert len(server.forms) == 1 + retry_policy.attempts
    assert failure.value.exit_code == ExitCode.UNAVAILABLE
    assert "Call 2 of 3 (place-1, http" in str(failure.value)
    assert "the last one: 503: down. Calls stored before it: 1." in str(failure.value)
    assert (stats.calls, stats.accepted) == (1, 1)
    assert [key[-14:] for key in stored("raw/")] == ["call-0000.json"]


def test_a_response_is_stored_before_its_validation(
    store: Store, retry_policy: RetryPolicy, stored: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("weather.ingest.run.wrong_format", die)
    with scripted_server([HEALTHY]) as server, pytest.raises(KeyboardInterrupt):
        ingest(JOB, source_at(server.url), store, Stats(), retry_policy=retry_policy)
    (lines,) = stored("").values()
    assert [line["answer"] for line in lines] == responses_to(WINDOW, [1, 2])
    assert {(line["accepted"], line["reason"]) for line in lines} == {(False, "not validated yet")}


def test_fetching_a_window_again_keeps_stored_objects(
    store: Store, retry_policy: RetryPolicy, stored: Stored
) -> None:
    empty = response_of(WINDOW, {name: [None] * WINDOW.hours for name in UNITS}, number=2)
    unreadable = Reply(b"[{", 200)
    rejected = Reply(json.dumps([response_of(WINDOW), empty]).encode())
    with scripted_server([HEALTHY, unreadable, HEALTHY, unreadable, rejected]) as server:
        kept: Lines = {}
        for accepted in (2, 2, 1):
            stats = Stats()
            with suppress(StepError):
                ingest(JOB, source_at(server.url), store, stats, retry_policy=retry_policy)
            assert stats.accepted == accepted
            now = stored("")
            assert kept.items() <= now.items()
            kept = now
    assert len([key for key in kept if key.startswith("raw/")]) == 3
    # One response that was rejected, and the bodies of two tries that could not be read.
    assert len([key for key in kept if key.startswith("rejected/")]) == 3
    assert len({lines[0]["fetched_at"] for lines in stored("raw/").values()}) == 3


def test_old_and_recent_hours_come_from_different_hosts(
    store: Store, retry_policy: RetryPolicy, stored: Stored
) -> None:
    now = datetime(2026, 11, 23, 5, 7, tzinfo=UTC)
    start = now.replace(minute=0) - timedelta(days=100)
    window = Window(start, start + timedelta(days=28))
    pieces = list(window.pieces(HOURS_PER_CALL))
    old, recent = (Reply(json.dumps(response_of(piece)).encode()) for piece in pieces)
    with scripted_server([old]) as archive, scripted_server([recent]) as forecast:
        ingest(
            Job(window, 0, 1, [location(1)]),
            source_at(forecast.url, archive.url),
            store,
            Stats(),
            retry_policy=retry_policy,
            clock=lambda: now,
        )
    hosts = [lines[0]["host"] for lines in stored("raw/").values()]
    assert hosts == [archive.url, forecast.url]
    assert [form["start_hour"] for form in archive.forms + forecast.forms] == [
        f"{piece.start:%Y-%m-%dT%H:%M}" for piece in pieces
    ]


def test_a_future_hour_is_never_requested(store: Store) -> None:
    last = WINDOW.last_hour
    job = Job(WINDOW, 0, 1, [location(1)])
    with pytest.raises(StepError) as failure:
        ingest(
            job,
            source_at("http://127.0.0.1:1"),
            store,
            Stats(),
            clock=lambda: last - timedelta(seconds=1),
        )
    assert failure.value.exit_code == ExitCode.SETTING
    assert f"{last:%Y-%m-%dT%H:%MZ}" in str(failure.value)


def test_the_current_hour_counts_as_past(store: Store, retry_policy: RetryPolicy) -> None:
    with scripted_server([HEALTHY]) as server:
        ingest(
            JOB,
            source_at(server.url),
            store,
            Stats(),
            retry_policy=retry_policy,
            clock=lambda: WINDOW.last_hour,
        )


def test_a_refused_connection_ends_as_unavailable(store: Store, retry_policy: RetryPolicy) -> None:
    with unused_url() as url, pytest.raises(StepError) as failure:
        ingest(JOB, source_at(url), store, Stats(), retry_policy=retry_policy)
    assert failure.value.exit_code == ExitCode.UNAVAILABLE
    assert "connection error: [Errno 111] Connection refused" in str(failure.value)


@pytest.mark.parametrize("weather_first", [True, False])
def test_a_replay_and_weather_are_never_stored_in_one_bucket(
    store: Store,
    retry_policy: RetryPolicy,
    stored: Stored,
    faulty_replay: str,
    *,
    weather_first: bool,
) -> None:
    with scripted_server([HEALTHY]) as server:
        sources = [server.url, faulty_replay] if weather_first else [faulty_replay, server.url]
        first, second = (source_at(url) for url in sources)
        ingest(JOB, first, store, Stats(), retry_policy=retry_policy)
        before = stored("")
        with pytest.raises(StepError) as failure:
            ingest(JOB, second, store, Stats(), retry_policy=retry_policy)
        assert failure.value.exit_code == ExitCode.SETTING
        assert stored("") == before
        assert read_source(store) == (OPEN_METEO if weather_first else REPLAY)
        assert f"than {second.open_meteo_url} sends" in str(failure.value)
        assert "Nothing of that response was stored" in str(failure.value)
        ingest(JOB, first, store, Stats(), retry_policy=retry_policy)


def test_a_lake_of_an_older_version_rejects_a_replay(
    store: Store, retry_policy: RetryPolicy, stored: Stored, faulty_replay: str
) -> None:
    store.put(
        PUBLISHED_KEY,
        b'{"snapshot_id": 1, "published_at": "2026-11-20T05:10:00Z",'
        b' "window_end": "2026-11-20T05:00:00Z"}',
    )
    with pytest.raises(StepError, match="another source"):
        ingest(JOB, source_at(faulty_replay), store, Stats(), retry_policy=retry_policy)
    assert stored("").keys() == {PUBLISHED_KEY}


def test_a_gateways_error_does_not_name_the_source(
    store: Store, retry_policy: RetryPolicy, faulty_replay: str
) -> None:
    page = Reply(b"<html><title>502 Bad Gateway</title></html>", status=502)
    with scripted_server([page]) as gateway, pytest.raises(StepError):
        ingest(JOB, source_at(gateway.url), store, Stats(), retry_policy=retry_policy)
    assert store.get(SOURCE_KEY) is None
    ingest(JOB, source_at(faulty_replay), store, Stats(), retry_policy=retry_policy)
    assert read_source(store) == REPLAY


@pytest.mark.parametrize("status", [408, 425, 403, 404, 502])
def test_a_gateways_error_page_is_retried(
    store: Store, retry_policy: RetryPolicy, status: int
) -> None:
    page = Reply(b"<html><head><title>Gateway</title></head></html>", status=status)
    stats = Stats()
    with scripted_server([page, page, HEALTHY]) as server:
        ingest(JOB, source_at(server.url), store, stats, retry_policy=retry_policy)
    assert (stats.accepted, stats.retries.total()) == (2, 2)


def test_an_error_message_identifies_a_gateway(store: Store, retry_policy: RetryPolicy) -> None:
    with (
        scripted_server([Reply(b"<title>404 Not Found</title>", status=404)]) as server,
        pytest.raises(StepError) as failure,
    ):
        ingest(JOB, source_at(server.url), store, Stats(), retry_policy=retry_policy)
    assert failure.value.exit_code == ExitCode.UNAVAILABLE
    assert "failed after 5 attempts" in str(failure.value)
    assert "404: Not Found" in str(failure.value)
    assert "check OPEN_METEO_URL, OPEN_METEO_ARCHIVE_URL" in str(failure.value)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("target", ["/moved/v1/forecast", "{url}/moved/v1/forecast?x=1"])
def test_a_redirect_of_the_same_host_gets_the_whole_form(
    store: Store, retry_policy: RetryPolicy, status: int, target: str
) -> None:
    def reply(_: Form) -> Reply:
        if server.paths[-1] == "POST /v1/forecast":
            return Reply(b"Moved", status, location=target.format(url=server.url))
        return HEALTHY

    stats = Stats()
    with scripted_server(reply) as server:
        ingest(JOB, source_at(server.url, key="secret"), store, stats, retry_policy=retry_policy)
    assert (stats.accepted, stats.retries.total()) == (2, 0)
    assert server.paths[1].startswith("POST /moved/v1/forecast")
    assert server.forms[0] == server.forms[1]
    assert server.forms[1]["latitude"] == "1.0,2.0"


@pytest.mark.parametrize(
    "target",
    ["http://api.example.org/v1/forecast", "//127.0.0.2/v1/forecast", "http://127.0.0.1:9/x"],
)
def test_a_redirect_to_another_host_is_not_followed(
    store: Store, retry_policy: RetryPolicy, target: str
) -> None:
    with (
        scripted_server([Reply(b"", 308, location=target)]) as server,
        pytest.raises(StepError) as failure,
    ):
        ingest(JOB, source_at(server.url, key="secret"), store, Stats(), retry_policy=retry_policy)
    assert failure.value.exit_code == ExitCode.REFUSED
    assert "308: a redirect to http://" in str(failure.value)
    assert target in str(failure.value)
    assert "set OPEN_METEO_URL" in str(failure.value)
    assert len(server.forms) == 1


def test_a_redirect_loop_ends(store: Store, retry_policy: RetryPolicy) -> None:
    with (
        scripted_server([Reply(b"", 307, location="/v1/forecast")]) as server,
        pytest.raises(StepError) as failure,
    ):
        ingest(JOB, source_at(server.url), store, Stats(), retry_policy=retry_policy)
    assert failure.value.exit_code == ExitCode.REFUSED
    assert "307: more than 5 redirects, the last one to http://" in str(failure.value)
    assert len(server.forms) == 6


def test_a_redirect_to_https_of_the_same_host_is_followed() -> None:
    url = httpx.URL("http://api.open-meteo.com/v1/forecast")
    secure = "https://api.open-meteo.com/v1/forecast"
    assert str(_redirect_target(url, secure, 301, b"")) == secure
    with pytest.raises(AttemptFailed, match="a redirect to http://api"):
        _redirect_target(httpx.URL(secure), str(url), 301, b"")


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
