"""CORS: the headers of responses that pages of other origins may read."""

from collections.abc import Collection
from dataclasses import replace

from starlette.datastructures import Headers as RequestHeaders
from starlette.datastructures import MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Send

from api.http.cache import CompleteResponse, Headers, ResponseHead
from api.http.headers import EXPOSED_HEADERS

ANY_ORIGIN = "*"

ANY_ORIGIN_HEADERS: Headers = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", ", ".join(EXPOSED_HEADERS).encode()),
]


def with_cors_headers(response: CompleteResponse, origins: Collection[str]) -> CompleteResponse:
    """Add the CORS headers that are the same for all clients, and therefore cacheable."""
    if not origins:
        return response
    headers_of = _allow_any_origin if ANY_ORIGIN in origins else _vary_by_origin
    not_modified = response.not_modified
    return replace(
        response,
        head=headers_of(response.head),
        not_modified=None if not_modified is None else headers_of(not_modified),
    )


def _allow_any_origin(head: ResponseHead) -> ResponseHead:
    return ResponseHead(head.status, [*head.headers, *ANY_ORIGIN_HEADERS])


def _vary_by_origin(head: ResponseHead) -> ResponseHead:
    others = [header for header in head.headers if header[0] != b"vary"]
    vary = [value for name, value in head.headers if name == b"vary"]
    return ResponseHead(head.status, [*others, (b"vary", b", ".join([*vary, b"origin"]))])


class CachedCORSMiddleware(CORSMiddleware):
    """Starlette's CORS middleware for responses that already have the cacheable CORS headers."""

    def __init__(self, app: ASGIApp, origins: Collection[str]) -> None:
        super().__init__(
            app,
            allow_origins=origins,
            allow_methods=["GET", "HEAD"],
            allow_headers=["If-Match", "If-None-Match", "If-Range", "Range", "X-Request-ID"],
            expose_headers=EXPOSED_HEADERS,
            max_age=3600,
        )

    async def send(self, message: Message, send: Send, request_headers: RequestHeaders) -> None:
        """Add the request's origin to the response, if it is one of several allowed origins."""
        origin = request_headers.get("origin")
        if (
            message["type"] == "http.response.start"
            and origin is not None
            and origin in self.allow_origins
        ):
            headers = MutableHeaders(scope=message)
            headers.update(self.simple_headers)
            headers["Access-Control-Allow-Origin"] = origin
        await send(message)
