"""Pages of other origins: which may read answers, and how answers say so to browsers and caches."""

from collections.abc import Collection
from dataclasses import replace

from starlette.datastructures import Headers as RequestHeaders
from starlette.datastructures import MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Send

from api.http.head import Head, Headers
from api.http.ready import Answer
from api.routes.description import HEADERS, ID_HEADERS, PART_HEADERS, RETRY_HEADERS

ANY = "*"

EXPOSED = [*HEADERS, *PART_HEADERS, *RETRY_HEADERS, *ID_HEADERS]
"""What those pages may read beside the body."""

FOR_ANY: Headers = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", ", ".join(EXPOSED).encode()),
]


def for_origins(answer: Answer, origins: Collection[str]) -> Answer:
    """The answer for all who ask, with what a cache must know before it gives it to others."""
    if not origins:
        return answer
    headers_of = _open_to_any if ANY in origins else _varying
    unchanged = answer.head_unchanged
    return replace(
        answer,
        head=headers_of(answer.head),
        head_unchanged=None if unchanged is None else headers_of(unchanged),
    )


def _open_to_any(head: Head) -> Head:
    return Head(head.status, [*head.headers, *FOR_ANY])


def _varying(head: Head) -> Head:
    others = [header for header in head.headers if header[0] != b"vary"]
    vary = [value for name, value in head.headers if name == b"vary"]
    return Head(head.status, [*others, (b"vary", b", ".join([*vary, b"origin"]))])


class OtherOrigins(CORSMiddleware):
    """Starlette's middleware, before an application that answers by `for_origins`."""

    def __init__(self, app: ASGIApp, origins: Collection[str]) -> None:
        super().__init__(
            app,
            allow_origins=origins,
            allow_methods=["GET", "HEAD"],
            allow_headers=["If-Match", "If-None-Match", "If-Range", "Range", "X-Request-ID"],
            expose_headers=EXPOSED,
            max_age=3600,
        )

    async def send(self, message: Message, send: Send, request_headers: RequestHeaders) -> None:
        """Name the origin that asks, if it is one of several that may read the answer."""
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
