"""Keys and lines of raw/ and rejected/ objects."""

import json
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from tests.weather.ingest.examples import location, response_of, windows
from weather.ingest.http_json import AttemptFailed, FailureKind
from weather.ingest.job import Call, Job
from weather.ingest.open_meteo import request_form
from weather.ingest.raw import Fetched, Keys, failed_attempt_line, raw_lines
from weather.window import Window

WINDOW = Window(datetime(2026, 11, 16, 5, tzinfo=UTC), datetime(2026, 11, 23, 5, tzinfo=UTC))
PLACES = [location(1), location(2)]
JOB = Job(WINDOW, 2, 4, PLACES)
CALL = Call(7, WINDOW, PLACES)
MOMENT = datetime(2026, 11, 23, 5, 7, 11, tzinfo=UTC)


def test_keys_have_window_time_shard_and_call() -> None:
    keys = Keys(JOB, "20261123T050711Z-9f3a61c2")
    folder = "20261116T0500Z_20261123T0500Z/20261123T050711Z-9f3a61c2"
    assert keys.folder == folder
    assert keys.raw(CALL) == f"raw/{folder}/shard-002-of-004-call-0007.json"
    assert keys.rejected(CALL, "lyon") == f"rejected/{folder}/shard-002-of-004-call-0007-lyon.json"
    assert keys.attempt(CALL, 3) == f"rejected/{folder}/shard-002-of-004-call-0007.attempt-3.json"


def test_tries_that_start_in_the_same_second_have_different_keys() -> None:
    tries = [Keys.of_try(JOB, MOMENT) for _ in range(100)]
    assert len({keys.raw(CALL) for keys in tries}) == 100
    assert all(keys.folder.startswith(f"{WINDOW.key}/20261123T050711Z-") for keys in tries)


def test_a_location_named_like_an_attempt_has_another_key() -> None:
    keys = Keys.of_try(JOB, MOMENT)
    assert keys.rejected(CALL, "attempt-3") != keys.attempt(CALL, 3)


@given(windows(), windows(), st.integers(1, 1000), st.data())
def test_keys_of_different_calls_differ(
    one: Window, other: Window, shards: int, data: st.DataObject
) -> None:
    numbers = st.tuples(st.integers(0, shards - 1), st.integers(0, 9999))
    (shard, number), (other_shard, other_number) = data.draw(numbers), data.draw(numbers)
    key = Keys(Job(one, shard, shards, []), "try").raw(Call(number, one, []))
    other_job = Job(other, other_shard, shards, [])
    other_key = Keys(other_job, "try").raw(Call(other_number, other, []))
    same = (one, shard, number) == (other, other_shard, other_number)
    assert (key == other_key) == same


def test_a_line_has_the_whole_response_with_host_and_time() -> None:
    responses = [response_of(WINDOW), {"hourly": "odd"}]
    receipt = Fetched(CALL, "https://api.open-meteo.com", MOMENT, request_form(CALL), responses)
    lines = [json.loads(line) for line in raw_lines(receipt, [None, "hourly is odd"])]
    assert [line["answer"] for line in lines] == responses
    assert [(line["accepted"], line["reason"]) for line in lines] == [
        (True, None),
        (False, "hourly is odd"),
    ]
    assert lines[1]["location"] == {
        "id": "place-2",
        "name": "Place 2",
        "latitude": 2.0,
        "longitude": 2.0,
        "timezone": "Europe/Paris",
    }
    assert lines[0]["fetched_at"] == "2026-11-23T05:07:11.000000Z"
    assert lines[0]["host"] == "https://api.open-meteo.com"
    assert lines[0]["request"]["end_hour"] == "2026-11-23T04:00"


JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=[])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(JSON_VALUES)
def test_any_response_makes_one_line_of_json(response: object) -> None:
    receipt = Fetched(Call(0, WINDOW, [location(1)]), "host", MOMENT, {}, [response])
    (line,) = raw_lines(receipt, [None])
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    json.loads(line.decode("utf-8"))


@given(st.binary(max_size=200))
def test_any_failed_attempt_makes_one_line_of_json(body: bytes) -> None:
    line = failed_attempt_line(
        CALL, "host", MOMENT, {}, AttemptFailed(FailureKind.HTML, "reason", 502, body)
    )
    content = json.loads(line)
    assert content["locations"] == ["place-1", "place-2"]
    assert content["body"] == body.decode(errors="replace")
    assert (content["status"], content["reason"]) == (502, "reason")
