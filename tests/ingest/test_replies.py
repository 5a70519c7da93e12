import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ingest.replies import ENDINGS, Trouble, Unusable, read_reply

from weather.exit_codes import ExitCode


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
        (400, error("No such variable."), Trouble.REFUSED, "400: No such variable"),
        (401, error("No key"), Trouble.REFUSED, "401: No key"),
        (403, b"Forbidden", Trouble.REFUSED, "403: Forbidden"),
        (404, b"", Trouble.REFUSED, "404: an empty body"),
        (302, b"Moved", Trouble.REFUSED, "302: Moved"),
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
        (429, b"", Trouble.TOO_MANY_REQUESTS, "429: an empty body"),
        (200, b"<html><title>Maintained</title>", Trouble.HTML, "an HTML page instead of JSON: M"),
        (200, b"", Trouble.BROKEN_JSON, "broken or cut JSON of 0 bytes"),
        (200, b'{"a": 1', Trouble.BROKEN_JSON, "broken or cut JSON of 7 bytes"),
        (200, b"\xff{}", Trouble.BROKEN_JSON, "broken or cut JSON"),
        (200, b"[" * 100_000, Trouble.BROKEN_JSON, "broken or cut JSON"),
        (200, b"9" * 5000, Trouble.BROKEN_JSON, "broken or cut JSON"),
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


def test_an_echoed_secret_is_blotted_out() -> None:
    found = trouble_of(400, error("the key k-3 is unknown")).without("k-3")
    assert found.reason == "400: the key *** is unknown"
    assert b"k-3" not in found.body
