"""Complete responses, and a cache for the responses of one snapshot."""

from asyncio import Future
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from http import HTTPStatus
from re import compile as pattern

import pyarrow as pa

from api.formats.negotiation import IDENTITY

Headers = list[tuple[bytes, bytes]]

CONTROL_CHARACTER = pattern(rb"[\x00-\x08\x0a-\x1f\x7f]")
"""Pattern of the control characters that headers must not have (RFC 9110, 5.5)."""

SECURITY_HEADERS: Headers = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    # Swagger UI and the front page have inline styles and images.
    (
        b"content-security-policy",
        (
            b"default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
            b"object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        ),
    ),
]
"""Headers of every response that restrict what browsers load, frame and send."""

CODECS = {"zstd": ("zstd", 9), "br": ("brotli", 5), "gzip": ("gzip", 6)}
"""Arrow's codec and compression level for each content encoding."""

MIN_COMPRESSED_BYTES = 1000
"""Size from which bodies are compressed. A smaller body fits into one packet anyway."""

COMPRESSIBLE = (b"text/", b"application/json", b"application/vnd.apache.arrow", b"image/svg")
"""Prefixes of the media types that are worth compressing; Parquet is compressed already."""

NOT_MODIFIED_HEADERS = {b"cache-control", b"vary", b"last-modified", b"etag"}
"""Headers that a 304 response repeats (RFC 9110, 15.4.5)."""

CacheKey = tuple[bytes, bytes, str, str]
"""Path and query as received, the media type, and the content encoding."""

ENTRY_OVERHEAD_BYTES = 4096
"""Approximate memory of a cache entry beside its body and its path, headers included."""


@dataclass(frozen=True, slots=True)
class ResponseHead:
    """Status and headers, serialized once for all clients.

    Raises:
        ValueError: a header has a line break or another control character.
    """

    status: int
    headers: Headers
    lines: bytes = field(init=False)
    """The serialized head without the last empty line, because each request adds headers."""

    def __post_init__(self) -> None:
        """Validate and serialize the headers."""
        for name, value in self.headers:
            if CONTROL_CHARACTER.search(name) or CONTROL_CHARACTER.search(value):
                raise ValueError(f"Header {name!r}: control character in the value {value!r}")
        first = b"HTTP/1.1 %d %s\r\n" % (self.status, HTTPStatus(self.status).phrase.encode())
        object.__setattr__(self, "lines", first + header_lines(self.headers))


def headers_by_name(headers: Headers) -> Mapping[bytes, bytes]:
    """Map names to values. The values of a repeated header are joined (RFC 9110, 5.2)."""
    values: dict[bytes, list[bytes]] = {}
    for name, value in headers:
        values.setdefault(name, []).append(value)
    return {name: b", ".join(each) for name, each in values.items()}


def header_lines(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Serialize headers without validating them."""
    return b"".join([b"%s: %s\r\n" % header for header in headers])


@dataclass(frozen=True, slots=True)
class CompleteResponse:
    """A response with its whole body, before conditions and ranges are applied."""

    head: ResponseHead
    body: bytes
    route: str
    etag: bytes = b""
    """The ETag, or an empty value for a response that must not be cached."""
    last_modified: bytes = b""
    not_modified: ResponseHead | None = None
    """The head of a 304 response."""


def may_be_cached(status: int, headers: Headers) -> bool:
    """Return whether a response is valid until the next snapshot: 200 and `public`."""
    return status == 200 and dict(headers).get(b"cache-control", b"").startswith(b"public")


def uncached_response(status: int, headers: Headers, body: bytes, route: str) -> CompleteResponse:
    """Complete a response that is valid for one request only."""
    return CompleteResponse(ResponseHead(status, [*headers, *SECURITY_HEADERS]), body, route)


def cacheable_response(
    headers: Headers, body: bytes, route: str, encoding: str, snapshot_id: int | None
) -> CompleteResponse:
    """Complete a response for many requests: compress the body and add an ETag."""
    media_type = dict(headers).get(b"content-type", b"")
    headers = [
        (name, value)
        for name, value in headers
        if name not in {b"content-length", b"vary", b"etag"}
    ]
    if (
        encoding != IDENTITY
        and len(body) >= MIN_COMPRESSED_BYTES
        and media_type.startswith(COMPRESSIBLE)
    ):
        name, level = CODECS[encoding]
        # A codec has state, and several threads compress at once: each response has its own codec.
        body = pa.Codec(name, compression_level=level).compress(body, asbytes=True)
        headers.append((b"content-encoding", encoding.encode()))
    else:
        # Ranges are ranges of the uncompressed body.
        headers.append((b"accept-ranges", b"bytes"))
    etag = b'"%s-%s"' % (
        str(snapshot_id or 0).encode(),
        blake2b(body, digest_size=8).hexdigest().encode(),
    )
    headers += [
        (b"vary", b"accept, accept-encoding"),
        (b"etag", etag),
        (b"content-length", str(len(body)).encode()),
    ]
    return CompleteResponse(
        ResponseHead(200, [*headers, *SECURITY_HEADERS]),
        body,
        route,
        etag,
        dict(headers).get(b"last-modified", b""),
        ResponseHead(304, [each for each in headers if each[0] in NOT_MODIFIED_HEADERS]),
    )


class ResponseCache:
    """An LRU cache of one snapshot's responses, limited in bytes."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.bytes = 0
        self.pending: dict[CacheKey, Future[CompleteResponse | None]] = {}
        """Responses that are being rendered, for concurrent requests with the same key."""
        self._responses: OrderedDict[CacheKey, CompleteResponse] = OrderedDict()

    def __len__(self) -> int:
        return len(self._responses)

    def get(self, key: CacheKey) -> CompleteResponse | None:
        """Return the cached response, or None."""
        response = self._responses.get(key)
        if response is not None:
            self._responses.move_to_end(key)
        return response

    def put(self, key: CacheKey, response: CompleteResponse) -> None:
        """Cache a response. Evict the least recently used responses beyond `max_bytes`."""
        if key in self._responses:
            self.bytes -= _entry_bytes(key, self._responses.pop(key))
        self._responses[key] = response
        self.bytes += _entry_bytes(key, response)
        while self.bytes > self.max_bytes:
            self.bytes -= _entry_bytes(*self._responses.popitem(last=False))


def _entry_bytes(key: CacheKey, response: CompleteResponse) -> int:
    return len(response.body) + len(key[0]) + len(key[1]) + ENTRY_OVERHEAD_BYTES
