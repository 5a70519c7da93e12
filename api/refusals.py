"""What is sent in place of an answer to what is no request, or none that may be."""

from api.finishing import finished
from api.problems import problem_response
from api.ready import Answer

MOST_BYTES = 32 * 1024
"""The longest head of a request: its first line and its headers."""


def _refusal(status: int, detail: str) -> Answer:
    response = problem_response(status, detail, headers={"Connection": "close"})
    return finished(status, response.raw_headers, bytes(response.body), route="")


TOO_LONG = _refusal(
    431,
    "The address and the headers of a request may have "
    f"{MOST_BYTES // 1024} KiB in all: send less.",
)
NO_REQUEST = _refusal(400, "This is no request as HTTP/1.1 has them: ask with an HTTP client.")
NO_HOST = _refusal(400, "A request of HTTP/1.1 has one header Host: name the host you ask.")
