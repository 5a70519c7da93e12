"""Exit code, last line and stored objects after each fault of the service."""

import json
import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.weather.ingest.examples import WINDOW, Lines
from weather.errors import ExitCode
from weather.ingest.__main__ import main
from weather.ingest.fetch import RetryPolicy
from weather.window import Window

pytestmark = pytest.mark.slow

SetFaults = Callable[[str], None]
Stored = Callable[[str], Lines]

FOLDER = f"{WINDOW.key}/MOMENT"
CALL = f"{FOLDER}/shard-000-of-001-call-0000"
RAW = f"raw/{CALL}.json"


@pytest.fixture
def run(
    store: object,
    three_locations: list[str],
    retry_policy: RetryPolicy,
    capsys: pytest.CaptureFixture[str],
) -> Callable[..., tuple[int, dict[str, object], str]]:
    """Run ingest for the window; return exit code, summary and last line."""

    def run_once(read: float = retry_policy.timeouts.read) -> tuple[int, dict[str, object], str]:
        code = main(arguments(WINDOW), retry_policy=with_read_timeout(retry_policy, read))
        printed = capsys.readouterr()
        (summary,) = printed.out.splitlines()
        return code, json.loads(summary), (printed.err.splitlines() or [""])[-1]

    return run_once


Run = Callable[..., tuple[int, dict[str, object], str]]


@pytest.fixture
def stored(stored: Stored) -> Stored:
    """Read the lines of responses under a prefix, by key with `MOMENT` in place of the try."""

    def read(prefix: str) -> Lines:
        return {
            re.sub(r"/\d{8}T\d{6}Z-\w{8}/", "/MOMENT/", key): lines
            for key, lines in stored(prefix).items()
            if not key.endswith("-report.json")
        }

    return read


def with_read_timeout(policy: RetryPolicy, seconds: float) -> RetryPolicy:
    return replace(policy, timeouts=replace(policy.timeouts, read=seconds))


def arguments(window: Window) -> list[str]:
    return ["--start", window.start.isoformat(), "--end", window.end.isoformat()]


def test_without_a_fault_every_response_is_accepted(
    faults: SetFaults, run: Run, stored: Stored, three_locations: list[str]
) -> None:
    code, summary, _ = run()
    assert code == ExitCode.OK
    assert summary.pop("bytes")
    assert summary == {
        "hours": 6,
        "locations": 3,
        "accepted": 3,
        "rejected": 0,
        "calls": 1,
        "retries": {},
    }
    lines = stored("")
    assert list(lines) == [RAW]
    assert [line["location"]["id"] for line in lines[RAW]] == three_locations
    assert all(line["accepted"] and line["reason"] is None for line in lines[RAW])


@pytest.mark.parametrize(
    ("fault", "retry", "status", "body"),
    [
        ("minutely_limit", "minutely limit", 429, "Minutely API request limit exceeded."),
        ("too_many_concurrent", "too many requests", 429, "Too many concurrent requests"),
        ("server_error", "server error", 500, "Something went wrong."),
        ("unavailable", "server error", 503, "Service Unavailable"),
        ("bad_gateway", "server error", 502, "<h1>502 Bad Gateway</h1>"),
        ("gateway_timeout", "server error", 504, "<h1>504 Gateway Time-out</h1>"),
        ("html_ok", "HTML body", 200, "<h1>Open-Meteo is being maintained</h1>"),
        ("cut_json", "broken JSON", 200, '"latitude"'),
        ("streaming_error", "error while streaming", 200, "Unexpected error while streaming data"),
    ],
)
def test_a_transient_fault_is_retried_and_its_body_stored(
    faults: SetFaults, run: Run, stored: Stored, fault: str, retry: str, status: int, body: str
) -> None:
    faults(f"{fault}*2")
    code, summary, _ = run()
    assert (code, summary["accepted"], summary["retries"]) == (ExitCode.OK, 3, {retry: 2})
    attempts = stored("rejected/")
    assert list(attempts) == [f"rejected/{CALL}.attempt-{n}.json" for n in (1, 2)]
    for (attempt,) in attempts.values():
        assert attempt["status"] == status
        assert body in attempt["body"]
        assert attempt["locations"] == ["lyon", "new-york", "kolkata"]
        assert attempt["request"]["timezone"] == "GMT"


@pytest.mark.parametrize(
    ("fault", "retry", "read"), [("reset", "connection error", 10), ("hang", "timeout", 6)]
)
def test_a_transient_fault_without_a_body_is_retried(
    faults: SetFaults, run: Run, stored: Stored, fault: str, retry: str, read: float
) -> None:
    faults(f"{fault}*1")
    code, summary, _ = run(read=read)
    assert (code, summary["accepted"], summary["retries"]) == (ExitCode.OK, 3, {retry: 1})
    assert list(stored("")) == [RAW]


@pytest.mark.parametrize(
    ("fault", "reason", "kept", "read"),
    [
        ("bad_gateway", "502: Bad Gateway", 5, 10),
        ("minutely_limit", "429: Minutely API request limit exceeded", 5, 10),
        ("cut_json", "invalid or truncated JSON of", 8, 10),
        ("streaming_error", "Unexpected error while streaming data: timeoutReached", 8, 10),
        ("html_ok", "an HTML page instead of JSON: Open-Meteo is being maintained", 5, 10),
        ("reset", "connection error: Server disconnected", 0, 10),
        ("hang", "timeout: timed out", 0, 0.5),
    ],
)
def test_a_lasting_fault_ends_as_unavailable(
    faults: SetFaults,
    faulty_replay: str,
    run: Run,
    stored: Stored,
    fault: str,
    reason: str,
    kept: int,
    read: float,
) -> None:
    faults(fault)
    code, summary, last_line = run(read=read)
    assert code == ExitCode.UNAVAILABLE
    assert summary["accepted"] == summary["calls"] == 0
    assert last_line.startswith(
        f"ingest: Call 1 of 1 (3 locations, {faulty_replay}) failed after 5 attempts in "
    )
    assert f"the last one: {reason}" in last_line
    assert last_line.endswith(
        "Calls stored before it: 0. Check that the service is reachable, then run the task again."
    )
    assert (len(stored("raw/")), len(stored("rejected/"))) == (0, kept)


@pytest.mark.parametrize(
    ("fault", "code", "reason", "advice"),
    [
        (
            "hourly_limit",
            ExitCode.WAIT_NEXT_HOUR,
            "429: Hourly API request limit exceeded. Please try again in the next hour",
            "Run the task again in the next hour.",
        ),
        (
            "daily_limit",
            ExitCode.WAIT_NEXT_DAY,
            "429: Daily API request limit exceeded. Please try again tomorrow",
            "Run the task again tomorrow (UTC).",
        ),
        (
            "unauthorized",
            ExitCode.REFUSED,
            "401: The supplied API key is invalid",
            (
                "Correct OPEN_METEO_URL, OPEN_METEO_ARCHIVE_URL, OPEN_METEO_API_KEY or the "
                "locations, then run the task again."
            ),
        ),
        (
            "forbidden",
            ExitCode.REFUSED,
            "403: API access is not included in your current subscription",
            (
                "Correct OPEN_METEO_URL, OPEN_METEO_ARCHIVE_URL, OPEN_METEO_API_KEY or the "
                "locations, then run the task again."
            ),
        ),
    ],
)
def test_a_permanent_failure_is_reported_without_retries(
    faults: SetFaults,
    faulty_replay: str,
    run: Run,
    stored: Stored,
    fault: str,
    code: ExitCode,
    reason: str,
    advice: str,
) -> None:
    faults(fault)
    found, summary, last_line = run()
    assert found == code
    assert summary["retries"] == {}
    assert last_line == (
        f"ingest: Call 1 of 1 (3 locations, {faulty_replay}) was refused: {reason}. "
        f"Calls stored before it: 0. {advice}"
    )
    assert list(stored("")) == [f"rejected/{CALL}.attempt-1.json"]


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("wrong_units", "temperature_2m is in '°F', not in '°C'"),
        ("unequal_arrays", "hourly.temperature_2m has 5 values for 6 hours"),
        ("repeated_hour", f"duplicate hour {WINDOW.start:%Y-%m-%dT%H:%M}"),
        ("falling_hours", " comes after "),
        ("outside_hours", f"{WINDOW.end:%Y-%m-%dT%H:%M} is outside of the requested hours"),
        ("not_finite", f"temperature_2m at {WINDOW.start:%Y-%m-%dT%H:%M} is 'NaN', not a finite"),
        ("all_null", "all values of the 6 hours are null"),
        ("text_value", "is 'n/a', not a finite number"),
        ("missing_variable", "hourly.temperature_2m is missing"),
        ("other_place", "longitude 91.0312, 10,007 km from the requested 1.5, 1.0"),
    ],
)
def test_an_invalid_response_is_rejected_and_the_others_accepted(
    faults: SetFaults, run: Run, stored: Stored, fault: str, reason: str
) -> None:
    faults(f"{fault}@1")
    code, summary, last_line = run()
    assert code == ExitCode.REJECTED
    assert (summary["accepted"], summary["rejected"], summary["retries"]) == (2, 1, {})
    assert last_line.startswith("ingest: Validation rejected 1 of 3 responses: new-york: ")
    assert reason in last_line
    assert re.search(rf"/rejected/{WINDOW.key}/\d{{8}}T\d{{6}}Z-\w{{8}}/, ", last_line)

    rejected_key = f"rejected/{CALL}-new-york.json"
    lines = stored("")
    assert list(lines) == [RAW, rejected_key]
    assert [line["accepted"] for line in lines[RAW]] == [True, False, True]
    assert [line["reason"] is None for line in lines[RAW]] == [True, False, True]
    assert lines[rejected_key] == [lines[RAW][1]]
    assert reason in lines[RAW][1]["reason"]


def test_the_last_line_has_only_some_rejected_locations(
    faults: SetFaults, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("weather.ingest.job.NAMED_REJECTIONS", 2)
    faults("all_null")
    code, _, last_line = run()
    assert code == ExitCode.REJECTED
    assert "rejected 3 of 3 responses: lyon: " in last_line
    assert "; and 1 more. " in last_line


@pytest.mark.parametrize("fault", ["odd_temperature", "impossible_values"])
def test_impossible_values_are_accepted_by_ingest(faults: SetFaults, run: Run, fault: str) -> None:
    faults(fault)
    code, summary, _ = run()
    assert (code, summary["accepted"]) == (ExitCode.OK, 3)


def test_every_fault_of_the_replay_has_a_test() -> None:
    from pathlib import Path

    from weather.replay.faults import HEALTHY, NAMES

    tested = Path(__file__).read_text(encoding="utf-8")
    assert [name for name in NAMES if name != HEALTHY and f'"{name}"' not in tested] == []
