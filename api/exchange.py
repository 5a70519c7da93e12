"""What a client asks and what it is replied, whichever way the two take through the server."""

from collections.abc import Mapping
from typing import NamedTuple

from api.conditions import has_it_already
from api.head import Head, Headers
from api.negotiation import FRONT_PAGE, ROWS, favourite_encoding, favourite_media_type
from api.ready import Answer, Key


class Request(NamedTuple):
    """A request, without a body: the API reads none."""

    method: str
    path: bytes
    """As it came, with its percent signs."""
    query: bytes
    headers: Mapping[bytes, bytes]
    """Their names in lower case; the values of one that came again are one value."""
    client: str
    """Its address; empty where it has none."""
    started: float
    """When it was there, by `time.perf_counter`."""

    @property
    def key(self) -> Key:
        """What the answer to it depends on."""
        return (
            self.path,
            self.query,
            favourite_media_type(
                self.headers.get(b"accept", b""), FRONT_PAGE if self.path == b"/" else ROWS
            ),
            favourite_encoding(self.headers.get(b"accept-encoding", b"")),
        )

    @property
    def is_read(self) -> bool:
        """Whether an answer that was made for others may be given to it."""
        return self.method in {"GET", "HEAD"}


class Reply(NamedTuple):
    """What is sent to one client."""

    head: Head
    own_headers: Headers
    """What the head does not have, because it is of this moment and of this request."""
    body: bytes
    request_id: bytes
    route: str
    outcome: str
    """Where the answer came from."""


def reply_to(
    request: Request, request_id: bytes, answer: Answer, stale: Headers, outcome: str
) -> Reply:
    """The reply with that answer, or without its body to a client that has it or wants none.

    `stale` are the headers that tell of older data, for answers made from data.
    """
    head, body = answer.head, answer.body
    if answer.head_unchanged is None:
        stale = []
    elif has_it_already(answer, request.headers):
        head, body = answer.head_unchanged, b""
    if request.method == "HEAD":
        body = b""
    own = [*stale, (b"x-request-id", request_id)]
    return Reply(head, own, body, request_id, answer.route, outcome)
