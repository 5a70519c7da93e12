"""HTTP responses as JSON, or as failed attempts with a kind and a reason."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weather.errors import ExitCode
from weather.ingest.http_json import EXIT_CODES, AttemptFailed, FailureKind, parse_response


def trouble_of(status: int, body: bytes, expected: int = 1) -> AttemptFailed:
    with pytest.raises(AttemptFailed) as raised:
        parse_response(status, body, expected)
    assert raised.value.status == status
    assert raised.value.body == body
    return raised.value


def error(reason: str) -> bytes:
    return json.dumps({"reason": reason, "error": True}).encode()


@pytest.mark.parametrize(
    ("status", "body", "kind", "reason"),
    [
        (400, error("No such variable."), FailureKind.BAD_REQUEST, "400: No such variable"),
        (401, error("No key"), FailureKind.REFUSED, "401: No key"),
        (
            403,
            error("API access is not included"),
            FailureKind.REFUSED,
            "403: API access is not inc",
        ),
        (403, b"Forbidden", FailureKind.GATEWAY, "403: Forbidden"),
        (404, b"", FailureKind.GATEWAY, "404: an empty body"),
        (404, b'{"detail":"Not Found"}', FailureKind.GATEWAY, '404: {"detail":"Not Found"}'),
        (400, b"<html><title>400 Bad Request</title>", FailureKind.GATEWAY, "400: Bad Request"),
        (
            403,
            b'{"error":"forbidden","reason":"waf"}',
            FailureKind.GATEWAY,
            '403: {"error":"forbidde',
        ),
        (401, b'{"error":true}', FailureKind.GATEWAY, '401: {"error":true}'),
        (302, b"Moved", FailureKind.GATEWAY, "302: Moved"),
        (408, b"<title>408 Request Time-out</title>", FailureKind.GATEWAY, "408: Request Time-out"),
        (408, error("Too slow"), FailureKind.GATEWAY, "408: Too slow"),
        (425, b"", FailureKind.GATEWAY, "425: an empty body"),
        (
            502,
            b"<html><head><title>502 Bad Gateway</title>...",
            FailureKind.SERVER_ERROR,
            "502: Bad Gateway",
        ),
        (500, error("Oh no"), FailureKind.SERVER_ERROR, "500: Oh no"),
        (503, b"\xff", FailureKind.SERVER_ERROR, "503: \ufffd"),
        (204, b"", FailureKind.SERVER_ERROR, "204: an empty body"),
        (
            429,
            error("Minutely API request limit exceeded."),
            FailureKind.MINUTELY_LIMIT,
            "429: Minu",
        ),
        (429, error("Hourly API request limit exceeded."), FailureKind.HOURLY_LIMIT, "429: Hourly"),
        (429, error("Daily API request limit exceeded."), FailureKind.DAILY_LIMIT, "429: Daily"),
        (
            429,
            error("Too many concurrent requests"),
            FailureKind.TOO_MANY_REQUESTS,
            "429: Too many",
        ),
        (
            429,
            b"<title>Daily maintenance</title>",
            FailureKind.TOO_MANY_REQUESTS,
            "429: Daily mainten",
        ),
        (429, b"", FailureKind.TOO_MANY_REQUESTS, "429: an empty body"),
        (
            200,
            b"<html><title>Maintained</title>",
            FailureKind.HTML,
            "an HTML page instead of JSON: M",
        ),
        (200, b"", FailureKind.BROKEN_JSON, "invalid or truncated JSON of 0 bytes"),
        (200, b'{"a": 1', FailureKind.BROKEN_JSON, "invalid or truncated JSON of 7 bytes"),
        (
            200,
            b'{"a": -nan, "b": "c',
            FailureKind.BROKEN_JSON,
            "invalid or truncated JSON of 19",
        ),
        (200, b'[{"a": tru', FailureKind.BROKEN_JSON, "invalid or truncated JSON of 10 bytes"),
        (200, b"\xff{}", FailureKind.UNREADABLE, "invalid or truncated JSON"),
        (200, b"[" * 100_000, FailureKind.UNREADABLE, "invalid or truncated JSON"),
        (200, b"9" * 5000, FailureKind.UNREADABLE, "neither a JSON object nor an array: 9999"),
        (
            200,
            b"overloaded",
            FailureKind.UNREADABLE,
            "neither a JSON object nor an array: overloaded",
        ),
        (
            200,
            b'{"elevation": , "hourly": {}}',
            FailureKind.UNREADABLE,
            'invalid or truncated JSON of 29 bytes: Expecting value near \'{"elevation": , "hour',
        ),
        (
            200,
            b'{"a":[1,2Unexpected error while streaming data: timeoutReached',
            FailureKind.STREAMING_ERROR,
            "Unexpected error while streaming data: timeoutReached",
        ),
        (
            200,
            b'{"a":1}Unexpected error while streaming data: timeoutReached',
            FailureKind.STREAMING_ERROR,
            "Unexpected error while streaming data: timeoutReached",
        ),
        (200, error("Broken"), FailureKind.SERVER_ERROR, "an error with status 200: Broken"),
        (200, b"[]", FailureKind.WRONG_COUNT, "0 responses for 1 locations"),
        (200, b"[{},{}]", FailureKind.WRONG_COUNT, "2 responses for 1 locations"),
    ],
)
def test_failures_have_a_kind_and_a_reason(
    status: int, body: bytes, kind: FailureKind, reason: str
) -> None:
    found = trouble_of(status, body)
    assert (found.kind, found.reason[: len(reason)]) == (kind, reason)
    assert "\n" not in found.reason


def test_only_quotas_and_rejected_requests_are_permanent() -> None:
    assert EXIT_CODES == {
        FailureKind.HOURLY_LIMIT: ExitCode.WAIT_NEXT_HOUR,
        FailureKind.DAILY_LIMIT: ExitCode.WAIT_NEXT_DAY,
        FailureKind.BAD_REQUEST: ExitCode.REFUSED,
        FailureKind.REFUSED: ExitCode.REFUSED,
    }


@given(st.integers(201, 599), st.binary(max_size=300))
def test_any_body_with_an_error_status_is_a_failed_attempt(status: int, body: bytes) -> None:
    trouble_of(status, body)


@given(st.binary(max_size=300))
def test_any_body_is_parsed_or_a_failed_attempt(body: bytes) -> None:
    with suppress(AttemptFailed):
        assert len(parse_response(200, body, 1)) == 1


def test_one_location_is_an_object_several_are_an_array() -> None:
    assert parse_response(200, b'{"elevation": 19}', 1) == [{"elevation": 19}]
    assert parse_response(200, b'[{"elevation": 19}, {}]', 2) == [{"elevation": 19}, {}]


def test_numbers_that_are_not_json_become_strings() -> None:
    body = b"[NaN, Infinity, -Infinity, 1e999, 13.6]"
    assert parse_response(200, body, 5) == ["NaN", "Infinity", "-Infinity", "1e999", 13.6]


@pytest.mark.parametrize(
    "word",
    "nan -nan NAN +nan -nan(ind) nan(0x8000000000000) inf -inf +Inf Infinity -INFINITY 1.#QNAN "
    "None undefined True .5 +5 01 0x1F 1,5E".replace(",", "_").split(),
)
def test_an_invalid_literal_becomes_a_string(word: str) -> None:
    body = f'[{{"elevation": {word}, "name": "\\"{word}\\", {word} "}}, {{"a": [{word},1.5]}}]'
    assert parse_response(200, body.encode(), 2) == [
        {"elevation": word, "name": f'"{word}", {word} '},
        {"a": [word, 1.5]},
    ]


def test_an_odd_string_in_an_unused_field_is_kept() -> None:
    long = "9" * 5000
    body = b'{"name": "a\x01\xff", "elevation": ' + long.encode() + b', "hourly": {"time": []}}'
    assert parse_response(200, body, 1) == [
        {"name": "a\x01\ufffd", "elevation": long, "hourly": {"time": []}}
    ]


def test_an_echoed_secret_is_redacted() -> None:
    found = trouble_of(400, error("the key k-3 is unknown")).redacted("k-3")
    assert found.reason == "400: the key *** is unknown"
    assert b"k-3" not in found.body
