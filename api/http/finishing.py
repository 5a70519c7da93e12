"""The last touch to an answer: compressed, named by its ETag, and with the headers of all."""

from hashlib import blake2b

import pyarrow as pa

from api.formats.negotiation import IDENTITY
from api.http.head import Head, Headers
from api.http.ready import Answer
from api.http.security_headers import SECURITY_HEADERS

CODECS = {"zstd": ("zstd", 9), "br": ("brotli", 5), "gzip": ("gzip", 6)}
"""Arrow's name of each encoding's codec, and the level it works at."""

SMALLEST_COMPRESSED = 1000
"""Bytes below which compressing gains less than its header takes."""

COMPRESSIBLE = (b"text/", b"application/json", b"application/vnd.apache.arrow", b"image/svg")
"""How the media types begin that compressing makes smaller; Parquet is compressed already."""

WHEN_UNCHANGED = {b"cache-control", b"vary", b"last-modified"}
"""What RFC 9110 wants of an answer that only says that nothing has changed."""


def may_be_kept(status: int, headers: Headers) -> bool:
    """Whether an answer stays the same until the next snapshot, as its `Cache-Control` says."""
    return status == 200 and dict(headers).get(b"cache-control", b"").startswith(b"public")


def finished(status: int, headers: Headers, body: bytes, route: str) -> Answer:
    """An answer that is made for one request."""
    return Answer(Head(status, [*headers, *SECURITY_HEADERS]), body, route)


def kept(
    headers: Headers, body: bytes, route: str, encoding: str, snapshot_id: int | None
) -> Answer:
    """An answer that is made once and given to many, in the encoding that they like."""
    media_type = dict(headers).get(b"content-type", b"")
    headers = [
        (name, value)
        for name, value in headers
        if name not in {b"content-length", b"vary", b"etag"}
    ]
    if (
        encoding != IDENTITY
        and len(body) >= SMALLEST_COMPRESSED
        and media_type.startswith(COMPRESSIBLE)
    ):
        name, level = CODECS[encoding]
        # Anew each time: a codec has a state, and answers are made in several threads at once.
        body = pa.Codec(name, compression_level=level).compress(body, asbytes=True)
        headers.append((b"content-encoding", encoding.encode()))
    else:
        # A part is always one of the uncompressed body.
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
    unchanged = [(name, value) for name, value in headers if name in WHEN_UNCHANGED | {b"etag"}]
    return Answer(
        Head(200, [*headers, *SECURITY_HEADERS]),
        body,
        route,
        etag,
        dict(headers).get(b"last-modified", b""),
        Head(304, unchanged),
    )
