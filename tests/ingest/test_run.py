"""The loop over HTTP and S3, with replies that the replay server does not give."""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from ingest.job import HOURS_A_CALL, Job
from ingest.patience import Patience
from ingest.run import Tally, ingest

from tests.ingest.examples import UNITS, WINDOW, Lines, answer_of, location, source_at
from tests.ingest.scripted_server import Reply, nobodys_address, scripted_server
from weather.exit_codes import ExitCode, StepError
from weather.published import PUBLISHED_KEY, SOURCE_KEY, read_source
from weather.source import OPEN_METEO, REPLAY
from weather.store import Store
from weather.window import HOUR, Window

Stored = Callable[[str], Lines]
JOB = Job(WINDOW, 0, 1, [location(1), location(2)])
HEALTHY = Reply(json.dumps([answer_of(WINDOW)] * 2).encode())


@pytest.mark.parametrize(
    ("reply", "answer_seconds", "retry", "kept"),
    [
        (Reply(b"[{}]"), 10, "wrong number of answers", "[{}]"),
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
def test_what_a_failed_try_received_is_kept(
    store: Store,
    patience: Patience,
    stored: Stored,
    reply: Reply,
    answer_seconds: float,
    retry: str,
    kept: str,
) -> None:
    patience = replace(patience, answer=answer_seconds)
    tally = Tally()
    with scripted_server([reply, HEALTHY]) as server:
        ingest(JOB, source_at(server.url), store, tally, patience=patience)
    assert dict(tally.retries) == {retry: 1}
    assert tally.accepted == 2
    ((key, (attempt,)),) = stored("rejected/").items()
    assert key.endswith("/shard-000-of-001-call-0000.attempt-1.json")
    assert attempt["body"].startswith(kept)


def test_the_key_is_sent_and_neither_stored_nor_shown(
    store: Store, patience: Patience, stored: Stored
) -> None:
    key = "very-secret-key"
    echo = Reply(f'{{"error":true,"reason":"{key} is no key"}}'.encode(), status=503)
    refusal = replace(echo, status=401)
    with scripted_server([echo, HEALTHY, refusal]) as server:
        ingest(JOB, source_at(server.url, key=key), store, Tally(), patience=patience)
        with pytest.raises(StepError) as failure:
            ingest(JOB, source_at(server.url, key=key), store, Tally(), patience=patience)
    assert {form["apikey"] for form in server.forms} == {key}
    assert "401: *** is no key" in str(failure.value)
    everything = json.dumps(stored(""))
    assert "*** is no key" in everything
    assert key not in everything


def test_answers_belong_to_locations_by_their_place_and_not_by_their_coordinates(
    store: Store, patience: Patience, stored: Stored
) -> None:
    answers = [answer_of(WINDOW) | {"latitude": 2.0, "elevation": number} for number in (1, 2)]
    with scripted_server([Reply(json.dumps(answers).encode())]) as server:
        ingest(JOB, source_at(server.url), store, Tally(), patience=patience)
    (lines,) = stored("raw/").values()
    assert [(line["location"]["id"], line["answer"]["elevation"]) for line in lines] == [
        ("place-1", 1),
        ("place-2", 2),
    ]


def test_calls_before_a_failure_stay_stored_and_no_further_one_is_made(
    store: Store, patience: Patience, stored: Stored
) -> None:
    window = Window(WINDOW.start, WINDOW.start + 3 * HOURS_A_CALL * HOUR)
    first = Window(window.start, window.start + HOURS_A_CALL * HOUR)
    good = Reply(json.dumps(answer_of(first)).encode())
    tally = Tally()
    with scripted_server([good, Reply(b"down", status=503)]) as server:
        with pytest.raises(StepError) as failure:
            ingest(
                Job(window, 0, 1, [location(1)]),
                source_at(server.url),
                store,
                tally,
                patience=patience,
            )
        assert len(server.forms) == 1 + patience.attempts
    assert failure.value.exit_code == ExitCode.UNAVAILABLE
    assert "Call 2 of 3 (1 locations" in str(failure.value)
    assert "the last one: 503: down. Calls stored before it: 1." in str(failure.value)
    assert (tally.calls, tally.accepted) == (1, 1)
    assert [key[-14:] for key in stored("raw/")] == ["call-0000.json"]


def test_an_answer_is_stored_before_it_is_judged(
    store: Store, patience: Patience, stored: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("ingest.run.problem_of", die)
    with scripted_server([HEALTHY]) as server, pytest.raises(KeyboardInterrupt):
        ingest(JOB, source_at(server.url), store, Tally(), patience=patience)
    (lines,) = stored("").values()
    assert [line["answer"] for line in lines] == [answer_of(WINDOW)] * 2
    assert {(line["accepted"], line["reason"]) for line in lines} == {(False, "not judged yet")}


def test_a_window_fetched_again_leaves_what_earlier_tries_stored(
    store: Store, patience: Patience, stored: Stored
) -> None:
    cold = answer_of(WINDOW, {name: [None] * WINDOW.hours for name in UNITS})
    unreadable = Reply(b"[{", 200)
    rejected = Reply(json.dumps([answer_of(WINDOW), cold]).encode())
    with scripted_server([HEALTHY, unreadable, HEALTHY, unreadable, rejected]) as server:
        kept: Lines = {}
        for accepted in (2, 2, 1):
            tally = Tally()
            with suppress(StepError):
                ingest(JOB, source_at(server.url), store, tally, patience=patience)
            assert tally.accepted == accepted
            now = stored("")
            assert kept.items() <= now.items()
            kept = now
    assert len([key for key in kept if key.startswith("raw/")]) == 3
    # One response that was rejected, and the bodies of two tries that could not be read.
    assert len([key for key in kept if key.startswith("rejected/")]) == 3
    moments = [line["fetched_at"] for lines in stored("raw/").values() for line in lines]
    assert moments == sorted(moments)


def test_hours_of_different_age_are_asked_of_their_hosts(
    store: Store, patience: Patience, stored: Stored
) -> None:
    now = datetime(2026, 11, 23, 5, 7, tzinfo=UTC)
    start = now.replace(minute=0) - timedelta(days=100)
    window = Window(start, start + timedelta(days=28))
    pieces = list(window.pieces(HOURS_A_CALL))
    old, recent = (Reply(json.dumps(answer_of(piece)).encode()) for piece in pieces)
    with scripted_server([old]) as archive, scripted_server([recent]) as forecast:
        ingest(
            Job(window, 0, 1, [location(1)]),
            source_at(forecast.url, archive.url),
            store,
            Tally(),
            patience=patience,
            clock=lambda: now,
        )
    hosts = [lines[0]["host"] for lines in stored("raw/").values()]
    assert hosts == [archive.url, forecast.url]
    assert [form["start_hour"] for form in archive.forms + forecast.forms] == [
        f"{piece.start:%Y-%m-%dT%H:%M}" for piece in pieces
    ]


def test_an_hour_that_has_not_happened_yet_is_never_asked_for(store: Store) -> None:
    last = WINDOW.last_hour
    job = Job(WINDOW, 0, 1, [location(1)])
    with pytest.raises(StepError) as failure:
        ingest(
            job,
            source_at("http://127.0.0.1:1"),
            store,
            Tally(),
            clock=lambda: last - timedelta(seconds=1),
        )
    assert failure.value.exit_code == ExitCode.SETTING
    assert f"{last:%Y-%m-%dT%H:%MZ}" in str(failure.value)


def test_the_present_hour_has_happened(store: Store, patience: Patience) -> None:
    with scripted_server([HEALTHY]) as server:
        ingest(
            JOB,
            source_at(server.url),
            store,
            Tally(),
            patience=patience,
            clock=lambda: WINDOW.last_hour,
        )


def test_nobody_at_the_address_ends_as_unavailable(store: Store, patience: Patience) -> None:
    with nobodys_address() as url, pytest.raises(StepError) as failure:
        ingest(JOB, source_at(url), store, Tally(), patience=patience)
    assert failure.value.exit_code == ExitCode.UNAVAILABLE
    assert "connection error: [Errno 111] Connection refused" in str(failure.value)


@pytest.mark.parametrize("weather_first", [True, False])
def test_a_replay_and_weather_are_never_stored_in_one_bucket(
    store: Store, patience: Patience, stored: Stored, faulty_replay: str, *, weather_first: bool
) -> None:
    with scripted_server([HEALTHY]) as server:
        sources = [server.url, faulty_replay] if weather_first else [faulty_replay, server.url]
        first, second = (source_at(url) for url in sources)
        ingest(JOB, first, store, Tally(), patience=patience)
        before = stored("")
        with pytest.raises(StepError) as failure:
            ingest(JOB, second, store, Tally(), patience=patience)
        assert failure.value.exit_code == ExitCode.SETTING
        assert stored("") == before
        assert read_source(store) == (OPEN_METEO if weather_first else REPLAY)
        assert f"than {second.open_meteo_url} sends" in str(failure.value)
        assert "Nothing of that response was stored" in str(failure.value)
        ingest(JOB, first, store, Tally(), patience=patience)


def test_a_lake_of_an_older_version_takes_no_replay(
    store: Store, patience: Patience, stored: Stored, faulty_replay: str
) -> None:
    store.put(
        PUBLISHED_KEY,
        b'{"snapshot_id": 1, "published_at": "2026-11-20T05:10:00Z",'
        b' "window_end": "2026-11-20T05:00:00Z"}',
    )
    with pytest.raises(StepError, match="another source"):
        ingest(JOB, source_at(faulty_replay), store, Tally(), patience=patience)
    assert stored("").keys() == {PUBLISHED_KEY}


def test_a_gateways_error_does_not_name_the_source(
    store: Store, patience: Patience, faulty_replay: str
) -> None:
    page = Reply(b"<html><title>502 Bad Gateway</title></html>", status=502)
    with scripted_server([page]) as gateway, pytest.raises(StepError):
        ingest(JOB, source_at(gateway.url), store, Tally(), patience=patience)
    assert store.get(SOURCE_KEY) is None
    ingest(JOB, source_at(faulty_replay), store, Tally(), patience=patience)
    assert read_source(store) == REPLAY
