"""Conditional requests and range requests (RFC 9110, 13 and 14)."""

from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from re import compile as pattern
from typing import NamedTuple

from api.formats.negotiation import FRONT_PAGE, IDENTITY, ROWS, best_encoding, best_media_type
from api.http.cache import SECURITY_HEADERS, CacheKey, CompleteResponse, Headers, ResponseHead
from api.http.problems import problem_response

RANGE = pattern(rb"([0-9]{0,18})-([0-9]{0,18})")

RequestHeaders = Mapping[bytes, bytes]

ERROR_HEADERS = {
    *(b"accept-ranges", b"etag", b"last-modified", b"vary"),
    *(b"access-control-allow-origin", b"access-control-expose-headers"),
    *(name for name, _ in SECURITY_HEADERS),
}
"""Names of a response's headers that an error sent in place of that response also has."""


class ReceivedRequest(NamedTuple):
    """A received request without its body, because the API reads no bodies."""

    method: str
    path: bytes
    """Path of the URL, percent-encoded as received."""
    query: bytes
    headers: RequestHeaders
    """Header values by lower-case name. The values of a repeated header are joined."""
    client: str
    """The client's IP address, or an empty string."""
    started: float
    """`time.perf_counter()` when the head had arrived."""

    @property
    def cache_key(self) -> CacheKey:
        """The key of the response in the cache, after content negotiation."""
        return (
            self.path,
            self.query,
            best_media_type(
                self.headers.get(b"accept", b""), FRONT_PAGE if self.path == b"/" else ROWS
            ),
            # Few clients can decode a part of a compressed body.
            IDENTITY
            if b"range" in self.headers
            else best_encoding(self.headers.get(b"accept-encoding", b"")),
        )

    @property
    def is_read(self) -> bool:
        """True for GET and HEAD, which the cache may serve."""
        return self.method in {"GET", "HEAD"}


class SentResponse(NamedTuple):
    """A response as one client receives it."""

    head: ResponseHead
    own_headers: Headers
    """Headers for one client only. All clients share the cached `head`."""
    body: bytes
    request_id: bytes
    route: str
    outcome: str
    """`ready` for a cache hit, `made` for a cache miss."""


def respond(
    request: ReceivedRequest,
    request_id: bytes,
    response: CompleteResponse,
    stale_headers: Headers,
    outcome: str,
) -> SentResponse:
    """Apply the request's conditions and its `Range` to a complete response.

    `stale_headers` are sent with responses made from data.
    """
    head, body = response.head, response.body
    headers = request.headers
    if response.not_modified is None:
        stale_headers = []
    elif (b"if-match" in headers or b"if-unmodified-since" in headers) and precondition_fails(
        response, headers
    ):
        head, body = _precondition_failed(response)
    elif is_not_modified(response, headers):
        head, body = response.not_modified, b""
    elif b"range" in headers and request.method == "GET":
        head, body = _partial_content(response, requested_range(response, headers))
    if request.method == "HEAD":
        body = b""
    own_headers = [*stale_headers, (b"x-request-id", request_id)]
    return SentResponse(head, own_headers, body, request_id, response.route, outcome)


def precondition_fails(response: CompleteResponse, headers: RequestHeaders) -> bool:
    """Return whether `If-Match` or `If-Unmodified-Since` excludes the current response."""
    if_match = headers.get(b"if-match")
    if if_match is not None:
        tags = _listed(if_match)
        return response.etag not in tags and tags != {b"*"}
    since = headers.get(b"if-unmodified-since")
    return since is not None and _is_newer(response.last_modified, since) is True


def is_not_modified(response: CompleteResponse, headers: RequestHeaders) -> bool:
    """Return whether the client's copy is current. `If-None-Match` wins over a date."""
    if_none_match = headers.get(b"if-none-match")
    if if_none_match is not None:
        return if_none_match == response.etag or _matches(if_none_match, response.etag)
    since = headers.get(b"if-modified-since")
    if since is None:
        return False
    if since == response.last_modified:
        return bool(since)
    return _is_newer(response.last_modified, since) is False


def requested_range(response: CompleteResponse, headers: RequestHeaders) -> range | None:
    """Return the requested byte range, or an empty range if it starts after the end of the body.

    None means the whole body: `Range` is missing, has another unit or form or several ranges, or
    `If-Range` names another response. A date in `If-Range` never matches, because two responses of
    one second have the same date.
    """
    if headers.get(b"if-range", response.etag) != response.etag:
        return None
    unit, _, listed = headers.get(b"range", b"").partition(b"=")
    ranges = [each.strip(b" \t") for each in listed.split(b",")]
    ranges = [each for each in ranges if each]
    match = RANGE.fullmatch(ranges[0]) if len(ranges) == 1 else None
    if unit.lower() != b"bytes" or match is None or match[0] == b"-":
        return None
    length = len(response.body)
    if not match[1]:
        return range(max(length - int(match[2]), 0), length)
    first, last = int(match[1]), int(match[2] or length)
    if match[2] and last < first:
        return None
    return range(first, min(last + 1, length))


def _matches(if_none_match: bytes, etag: bytes) -> bool:
    tags = {tag.removeprefix(b"W/") for tag in _listed(if_none_match)}
    return etag in tags or tags == {b"*"}


def _listed(tags: bytes) -> set[bytes]:
    return {tag.strip() for tag in tags.split(b",")}


def _is_newer(last_modified: bytes, since: bytes) -> bool | None:
    """Return whether `last_modified` is later than `since`, or None if a date is invalid."""
    try:
        return _timestamp(last_modified) > _timestamp(since)
    except (ValueError, TypeError, OverflowError):
        return None


def _timestamp(date: bytes) -> float:
    return parsedate_to_datetime(date.decode("latin-1")).timestamp()


def _partial_content(response: CompleteResponse, part: range | None) -> tuple[ResponseHead, bytes]:
    """Return head and body of a 206 or 416 response, or of the whole response without a range."""
    length = len(response.body)
    if part is None:
        return response.head, response.body
    if not part:
        return _error(
            response,
            416,
            f"The header Range starts beyond the end of the response, which has {length} bytes.",
            {"Content-Range": f"bytes */{length}"},
        )
    headers = [header for header in response.head.headers if header[0] != b"content-length"]
    headers += [
        (b"content-range", b"bytes %d-%d/%d" % (part[0], part[-1], length)),
        (b"content-length", b"%d" % len(part)),
    ]
    return ResponseHead(206, headers), response.body[part.start : part.stop]


def _precondition_failed(response: CompleteResponse) -> tuple[ResponseHead, bytes]:
    return _error(
        response,
        412,
        "If-Match or If-Unmodified-Since names another response: newer data was published, or the "
        "earlier response was compressed. Request the whole response again.",
    )


def _error(
    response: CompleteResponse, status: int, detail: str, headers: Mapping[str, str] | None = None
) -> tuple[ResponseHead, bytes]:
    """Return head and body of an error response."""
    problem = problem_response(status, detail, headers=headers)
    others = [header for header in response.head.headers if header[0] in ERROR_HEADERS]
    return ResponseHead(status, [*problem.raw_headers, *others]), bytes(problem.body)
