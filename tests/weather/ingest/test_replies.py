import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weather.errors import ExitCode
from weather.ingest.replies import ENDINGS, Trouble, Unusable, read_reply


def trouble_of(status: int, body: bytes, expected: int = 1) -> Unusable:
    with pytest.raises(Unusable) as raised:
        read_reply(status, body, expected)
    assert raised.value.status == status
    assert raised.value.body == body
    return raised.value


def error(reason: str) -> bytes:
    return json.dumps({"reason": reason, "error": True}).encode()


@pytest.mark.parametrize(
    ("status", "body", "trouble", "reason"),
    [
        (400, error("No such variable."), Trouble.BAD_REQUEST, "400: No such variable"),
        (401, error("No key"), Trouble.REFUSED, "401: No key"),
        (403, error("API access is not included"), Trouble.REFUSED, "403: API access is not inc"),
        (403, b"Forbidden", Trouble.GATEWAY, "403: Forbidden"),
        (404, b"", Trouble.GATEWAY, "404: an empty body"),
        (404, b'{"detail":"Not Found"}', Trouble.GATEWAY, '404: {"detail":"Not Found"}'),
        (400, b"<html><title>400 Bad Request</title>", Trouble.GATEWAY, "400: Bad Request"),
        (403, b'{"error":"forbidden","reason":"waf"}', Trouble.GATEWAY, '403: {"error":"forbidde'),
        (401, b'{"error":true}', Trouble.GATEWAY, '401: {"error":true}'),
        (302, b"Moved", Trouble.GATEWAY, "302: Moved"),
        (408, b"<title>408 Request Time-out</title>", Trouble.GATEWAY, "408: Request Time-out"),
        (408, error("Too slow"), Trouble.GATEWAY, "408: Too slow"),
        (425, b"", Trouble.GATEWAY, "425: an empty body"),
        (
            502,
            b"<html><head><title>502 Bad Gateway</title>...",
            Trouble.SERVER_ERROR,
            "502: Bad Gateway",
        ),
        (500, error("Oh no"), Trouble.SERVER_ERROR, "500: Oh no"),
        (503, b"\xff", Trouble.SERVER_ERROR, "503: \ufffd"),
        (204, b"", Trouble.SERVER_ERROR, "204: an empty body"),
        (429, error("Minutely API request limit exceeded."), Trouble.MINUTELY_LIMIT, "429: Minu"),
        (429, error("Hourly API request limit exceeded."), Trouble.HOURLY_LIMIT, "429: Hourly"),
        (429, error("Daily API request limit exceeded."), Trouble.DAILY_LIMIT, "429: Daily"),
        (429, error("Too many concurrent requests"), Trouble.TOO_MANY_REQUESTS, "429: Too many"),
        (429, b"<title>Daily maintenance</title>", Trouble.TOO_MANY_REQUESTS, "429: Daily mainten"),
        (429, b"", Trouble.TOO_MANY_REQUESTS, "429: an empty body"),
        (200, b"<html><title>Maintained</title>", Trouble.HTML, "an HTML page instead of JSON: M"),
        (200, b"", Trouble.BROKEN_JSON, "broken or cut JSON of 0 bytes"),
        (200, b'{"a": 1', Trouble.BROKEN_JSON, "broken or cut JSON of 7 bytes"),
        (200, b'{"a": -nan, "b": "c', Trouble.BROKEN_JSON, "broken or cut JSON of 19 bytes"),
        (200, b'[{"a": tru', Trouble.BROKEN_JSON, "broken or cut JSON of 10 bytes"),
        (200, b"\xff{}", Trouble.UNREADABLE, "broken or cut JSON"),
        (200, b"[" * 100_000, Trouble.UNREADABLE, "broken or cut JSON"),
        (200, b"9" * 5000, Trouble.UNREADABLE, "neither a JSON object nor an array: 9999"),
        (200, b"overloaded", Trouble.UNREADABLE, "neither a JSON object nor an array: overloaded"),
        (
            200,
            b'{"elevation": , "hourly": {}}',
            Trouble.UNREADABLE,
            'broken or cut JSON of 29 bytes: Expecting value near \'{"elevation": , "hour',
        ),
        (
            200,
            b'{"a":[1,2Unexpected error while streaming data: timeoutReached',
            Trouble.STREAMING_ERROR,
            "Unexpected error while streaming data: timeoutReached",
        ),
        (
            200,
            b'{"a":1}Unexpected error while streaming data: timeoutReached',
            Trouble.STREAMING_ERROR,
            "Unexpected error while streaming data: timeoutReached",
        ),
        (200, error("Broken"), Trouble.SERVER_ERROR, "an error with status 200: Broken"),
        (200, b"[]", Trouble.WRONG_COUNT, "0 answers for 1 locations"),
        (200, b"[{},{}]", Trouble.WRONG_COUNT, "2 answers for 1 locations"),
    ],
)
def test_a_reply_without_answers_is_a_trouble_with_a_reason(
    status: int, body: bytes, trouble: Trouble, reason: str
) -> None:
    found = trouble_of(status, body)
    assert (found.trouble, found.reason[: len(reason)]) == (trouble, reason)
    assert "\n" not in found.reason


def test_only_limits_of_long_periods_and_refusals_are_not_tried_again() -> None:
    assert ENDINGS == {
        Trouble.HOURLY_LIMIT: ExitCode.WAIT_NEXT_HOUR,
        Trouble.DAILY_LIMIT: ExitCode.WAIT_NEXT_DAY,
        Trouble.BAD_REQUEST: ExitCode.REFUSED,
        Trouble.REFUSED: ExitCode.REFUSED,
    }


@given(st.integers(201, 599), st.binary(max_size=300))
def test_any_body_with_any_status_is_a_trouble_and_never_an_error(status: int, body: bytes) -> None:
    trouble_of(status, body)


@given(st.binary(max_size=300))
def test_any_body_is_answers_or_a_trouble(body: bytes) -> None:
    with suppress(Unusable):
        assert len(read_reply(200, body, 1)) == 1


def test_one_location_is_answered_by_an_object_and_several_by_an_array() -> None:
    assert read_reply(200, b'{"elevation": 19}', 1) == [{"elevation": 19}]
    assert read_reply(200, b'[{"elevation": 19}, {}]', 2) == [{"elevation": 19}, {}]


def test_numbers_that_are_no_json_are_kept_as_text() -> None:
    body = b"[NaN, Infinity, -Infinity, 1e999, 13.6]"
    assert read_reply(200, body, 5) == ["NaN", "Infinity", "-Infinity", "1e999", 13.6]


@pytest.mark.parametrize(
    "word",
    "nan -nan NAN +nan -nan(ind) nan(0x8000000000000) inf -inf +Inf Infinity -INFINITY 1.#QNAN "
    "None undefined True .5 +5 01 0x1F 1,5E".replace(",", "_").split(),
)
def test_a_word_that_is_not_json_is_kept_as_text_and_leaves_the_rest(word: str) -> None:
    body = f'[{{"elevation": {word}, "name": "\\"{word}\\", {word} "}}, {{"a": [{word},1.5]}}]'
    assert read_reply(200, body.encode(), 2) == [
        {"elevation": word, "name": f'"{word}", {word} '},
        {"a": [word, 1.5]},
    ]


def test_an_odd_text_in_an_unused_field_leaves_the_rest() -> None:
    long = "9" * 5000
    body = b'{"name": "a\x01\xff", "elevation": ' + long.encode() + b', "hourly": {"time": []}}'
    assert read_reply(200, body, 1) == [
        {"name": "a\x01\ufffd", "elevation": long, "hourly": {"time": []}}
    ]


def test_an_echoed_secret_is_blotted_out() -> None:
    found = trouble_of(400, error("the key k-3 is unknown")).without("k-3")
    assert found.reason == "400: the key *** is unknown"
    assert b"k-3" not in found.body
