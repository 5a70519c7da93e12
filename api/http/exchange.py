"""What a client asks and what it is replied, whichever way the two take through the server."""

from collections.abc import Mapping
from typing import NamedTuple

from api.formats.negotiation import (
    FRONT_PAGE,
    IDENTITY,
    ROWS,
    favourite_encoding,
    favourite_media_type,
)
from api.http.conditions import has_it_already, is_changed, range_of
from api.http.head import Head, Headers
from api.http.problems import problem_response
from api.http.ready import Answer, Key
from api.http.security_headers import SECURITY_HEADERS

OF_ERRORS = {
    *(b"accept-ranges", b"etag", b"last-modified", b"vary"),
    *(b"access-control-allow-origin", b"access-control-expose-headers"),
    *(name for name, _ in SECURITY_HEADERS),
}
"""Headers of a response that an error in its place has as well: they do not describe its body."""


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
            # Few clients can decode a part of a compressed body.
            IDENTITY
            if b"range" in self.headers
            else favourite_encoding(self.headers.get(b"accept-encoding", b"")),
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
    """Make the reply with that answer, as the request's conditions and its `Range` want it.

    `stale` are the headers that tell of older data, for answers made from data.
    """
    head, body = answer.head, answer.body
    headers = request.headers
    if answer.head_unchanged is None:
        stale = []
    elif (b"if-match" in headers or b"if-unmodified-since" in headers) and is_changed(
        answer, headers
    ):
        head, body = _changed(answer)
    elif has_it_already(answer, headers):
        head, body = answer.head_unchanged, b""
    elif b"range" in headers and request.method == "GET":
        head, body = _part(answer, range_of(answer, headers))
    if request.method == "HEAD":
        body = b""
    own = [*stale, (b"x-request-id", request_id)]
    return Reply(head, own, body, request_id, answer.route, outcome)


def _part(answer: Answer, part: range | None) -> tuple[Head, bytes]:
    """Return the head and the body with these bytes; the whole for None."""
    length = len(answer.body)
    if part is None:
        return answer.head, answer.body
    if not part:
        return _error(
            answer,
            416,
            f"The header Range asks for bytes beyond the end: the response has {length} bytes.",
            {"Content-Range": f"bytes */{length}"},
        )
    headers = [header for header in answer.head.headers if header[0] != b"content-length"]
    headers += [
        (b"content-range", b"bytes %d-%d/%d" % (part[0], part[-1], length)),
        (b"content-length", b"%d" % len(part)),
    ]
    return Head(206, headers), answer.body[part.start : part.stop]


def _changed(answer: Answer) -> tuple[Head, bytes]:
    return _error(
        answer,
        412,
        "The response is not the one that If-Match or If-Unmodified-Since names: newer data was "
        "published, or the earlier response was compressed. Read it again from its beginning.",
    )


def _error(
    answer: Answer, status: int, detail: str, headers: Mapping[str, str] | None = None
) -> tuple[Head, bytes]:
    """Return the head and the body of an error in place of that answer."""
    response = problem_response(status, detail, headers=headers)
    others = [header for header in answer.head.headers if header[0] in OF_ERRORS]
    return Head(status, [*response.raw_headers, *others]), bytes(response.body)
