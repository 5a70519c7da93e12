"""Responses to requests that are rejected before the API sees them."""

from api.http.finishing import finished
from api.http.problems import problem_response
from api.http.ready import Answer

MOST_BYTES = 32 * 1024
"""The longest head of a request: request line and header lines, with names and separators."""

MOST_SECONDS = 10.0
"""The longest time that a head may take to arrive."""


def _refusal(status: int, detail: str) -> Answer:
    response = problem_response(status, detail, headers={"Connection": "close"})
    return finished(status, response.raw_headers, bytes(response.body), route="")


TOO_LONG = _refusal(
    431,
    f"The request line and the headers exceed {MOST_BYTES // 1024} KiB: send fewer or shorter "
    "headers and parameters.",
)
TOO_SLOW = _refusal(
    408,
    f"The request line and the headers did not arrive within {MOST_SECONDS:g} seconds: send the "
    "request again.",
)
WRONG_VERSION = _refusal(505, "The HTTP version is not supported: use HTTP/1.1.")
INVALID_TARGET = _refusal(
    400,
    "The request line is invalid: percent-encode spaces and characters outside ASCII in the "
    "address (%20 for a space, %C3%A9 for \u00e9).",
)
INVALID_HOST = _refusal(
    400, "The header Host is missing, repeated or invalid: send one, such as `Host: example.org`."
)
INVALID_REQUEST = _refusal(400, "The request is not valid HTTP/1.1: send it with an HTTP client.")
