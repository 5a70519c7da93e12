import json
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st
from ingest.job import Call, Job
from ingest.raw import Receipt, attempt_key, attempt_line, lines_of, raw_key, rejected_key
from ingest.replies import Trouble, Unusable

from tests.ingest.examples import answer_of, location, windows
from weather.window import Window

WINDOW = Window(datetime(2026, 11, 16, 5, tzinfo=UTC), datetime(2026, 11, 23, 5, tzinfo=UTC))
PLACES = [location(1), location(2)]
JOB = Job(WINDOW, 2, 4, PLACES)
CALL = Call(7, WINDOW, PLACES)
MOMENT = datetime(2026, 11, 23, 5, 7, 11, tzinfo=UTC)


def test_keys_name_window_shard_and_call() -> None:
    folder = "20261116T0500Z_20261123T0500Z/shard-002-of-004"
    assert raw_key(JOB, CALL) == f"raw/{folder}/call-0007.json"
    assert rejected_key(JOB, CALL, "lyon") == f"rejected/{folder}/call-0007-lyon.json"
    assert attempt_key(JOB, CALL, 3) == f"rejected/{folder}/call-0007-attempt-3.json"


@given(windows(), windows(), st.integers(1, 1000), st.data())
def test_keys_of_different_calls_differ(
    one: Window, other: Window, shards: int, data: st.DataObject
) -> None:
    numbers = st.tuples(st.integers(0, shards - 1), st.integers(0, 9999))
    (shard, number), (other_shard, other_number) = data.draw(numbers), data.draw(numbers)
    key = raw_key(Job(one, shard, shards, []), Call(number, one, []))
    other_key = raw_key(Job(other, other_shard, shards, []), Call(other_number, other, []))
    same = (one, shard, number) == (other, other_shard, other_number)
    assert (key == other_key) == same


def test_a_line_has_the_whole_answer_with_where_and_when_it_came_from() -> None:
    answers = [answer_of(WINDOW), {"hourly": "odd"}]
    receipt = Receipt(CALL, "https://api.open-meteo.com", MOMENT, answers)
    lines = [json.loads(line) for line in lines_of(receipt, [None, "hourly is odd"])]
    assert [line["answer"] for line in lines] == answers
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
def test_any_answer_makes_one_line_of_json(answer: object) -> None:
    receipt = Receipt(Call(0, WINDOW, [location(1)]), "host", MOMENT, [answer])
    (line,) = lines_of(receipt, [None])
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    json.loads(line.decode("utf-8"))


@given(st.binary(max_size=200))
def test_any_body_of_a_failed_try_makes_one_line_of_json(body: bytes) -> None:
    line = attempt_line(CALL, "host", MOMENT, Unusable(Trouble.HTML, "reason", 502, body))
    content = json.loads(line)
    assert content["locations"] == ["place-1", "place-2"]
    assert content["body"] == body.decode(errors="replace")
    assert (content["status"], content["reason"]) == (502, "reason")
