"""Ingest over HTTP and S3: stored responses, failures, and the source of a bucket."""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.weather.ingest.examples import (
    HEALTHY,
    JOB,
    UNITS,
    WINDOW,
    Lines,
    location,
    response_of,
    responses_to,
    source_at,
)
from tests.weather.ingest.scripted_server import Reply, scripted_server, unused_url
from weather.errors import ExitCode, StepError
from weather.ingest.fetch import RetryPolicy
from weather.ingest.job import HOURS_PER_CALL, Job, Stats
from weather.ingest.run import ingest
from weather.published import PUBLISHED_KEY, read_source
from weather.source import OPEN_METEO, REPLAY
from weather.storage import Store
from weather.window import HOUR, Window

Stored = Callable[[str], Lines]


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
