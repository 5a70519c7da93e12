"""ASGI middleware that serves cached responses, and caches what the application renders.

Every response whose `Cache-Control` is `public` stays valid until another snapshot is published.
"""

import asyncio
import logging
from collections.abc import Collection
from itertools import count
from re import compile as pattern
from secrets import token_hex
from time import perf_counter, time

from fastapi.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.data.served import ServedData
from api.data.watcher import SnapshotWatcher
from api.http.cache import (
    CacheKey,
    CompleteResponse,
    Headers,
    cacheable_response,
    headers_by_name,
    may_be_cached,
    uncached_response,
)
from api.http.conditional import ReceivedRequest, SentResponse, respond
from api.http.cors import with_cors_headers
from api.http.problems import problem_response
from api.observability.logs import MAX_URL_BYTES, AccessLog
from api.observability.metrics import RequestMetrics

REQUEST_ID = pattern(rb"[A-Za-z0-9._-]{1,128}")

CACHE_MIDDLEWARE = "cache_middleware"
"""Key of the middleware in the lifespan state, where the HTTP protocol finds it."""

NO_ROUTE = "other"
"""Route label of paths that no route matches."""

log = logging.getLogger("api")


class CacheMiddleware:
    """Serve from the cache, run the application on a miss, and record each request."""

    def __init__(
        self,
        app: ASGIApp,
        watcher: SnapshotWatcher,
        metrics: RequestMetrics,
        access_log: AccessLog,
        cors_origins: Collection[str] = (),
    ) -> None:
        self._app = app
        self._watcher = watcher
        self._metrics = metrics
        self._access_log = access_log
        self._cors_origins = cors_origins
        self._numbers = count()
        self._process = token_hex(6).encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request that the HTTP protocol has not served from the cache."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = ReceivedRequest(
            scope["method"],
            scope["raw_path"],
            scope["query_string"],
            headers_by_name(scope["headers"]),
            scope["client"][0] if scope["client"] else "",
            perf_counter(),
        )
        # Requests with `Origin`, `HEAD` requests and others come here for cached responses too.
        response = self.cached_response(request) or await self._rendered(request, scope, receive)
        await send(
            {
                "type": "http.response.start",
                "status": response.head.status,
                "headers": [*response.head.headers, *response.own_headers],
            }
        )
        await send({"type": "http.response.body", "body": response.body})
        self.record(request, response)

    def cached_response(self, request: ReceivedRequest) -> SentResponse | None:
        """Return the response from the cache, or None."""
        served = self._watcher.served
        response = served.responses.get(request.cache_key) if request.is_read else None
        if response is None:
            return None
        return respond(request, self._id_of(request), response, served.stale_headers, "ready")

    def record(self, request: ReceivedRequest, response: SentResponse) -> None:
        """Record a request in the metrics and in the access log."""
        seconds = perf_counter() - request.started
        status = response.head.status
        self._metrics.count(request.method, response.route, status, response.outcome, seconds)
        path, query = request.path[:MAX_URL_BYTES], request.query[:MAX_URL_BYTES]
        details = (request.method, path, query, request.client, status, len(response.body))
        self._access_log.add((time(), seconds, response.outcome, response.request_id, details))

    async def _rendered(
        self, request: ReceivedRequest, scope: Scope, receive: Receive
    ) -> SentResponse:
        """Return the application's response to a request."""
        served, key, request_id = self._watcher.served, request.cache_key, self._id_of(request)
        scope = {
            **scope,
            "method": "GET" if request.method == "HEAD" else request.method,
            # The request uses one snapshot to its end, even if another one is loaded meanwhile.
            "served": served,
            "media_type": key[2],
            "request_id": request_id.decode(),
        }
        call = _AppCall(self._app, key, self._cors_origins, scope, receive)
        response = await (call.shared_response() if request.is_read else call.response())
        return respond(request, request_id, response, served.stale_headers, "made")

    def _id_of(self, request: ReceivedRequest) -> bytes:
        given = request.headers.get(b"x-request-id")
        if given is not None and REQUEST_ID.fullmatch(given):
            return given
        return b"%s-%d" % (self._process, next(self._numbers))


class _AppCall:
    """A call of the application for one request."""

    def __init__(
        self,
        app: ASGIApp,
        key: CacheKey,
        cors_origins: Collection[str],
        scope: Scope,
        receive: Receive,
    ) -> None:
        self._app = app
        self._served: ServedData = scope["served"]
        self._key = key
        self._cors_origins = cors_origins
        self._scope = scope
        self._receive = receive

    async def shared_response(self) -> CompleteResponse:
        """Return the response. Concurrent requests with the same key wait for one call."""
        pending = self._served.responses.pending
        if self._key in pending:
            response = await asyncio.shield(pending[self._key])
            return response or await self.response()
        future = pending[self._key] = asyncio.get_running_loop().create_future()
        shared = None
        try:
            response = await self.response()
            shared = response if response.etag else None
            return response
        finally:
            del pending[self._key]
            future.set_result(shared)

    async def response(self) -> CompleteResponse:
        """Run the application, and cache the response where that is allowed."""
        captured = _Captured()
        try:
            await self._app(self._scope, self._receive, captured)
        except Exception:
            log.exception("Internal error", extra={"request_id": self._scope["request_id"]})
        route = getattr(self._scope.get("route"), "path", NO_ROUTE)
        headers, body = captured.headers, b"".join(captured.body)
        if not may_be_cached(captured.status, headers):
            response = uncached_response(captured.status, headers, body, route)
            return with_cors_headers(response, self._cors_origins)
        snapshot = self._served.snapshot
        response = await run_in_threadpool(
            cacheable_response,
            headers,
            body,
            route,
            self._key[3],
            snapshot.published.snapshot_id if snapshot else None,
        )
        response = with_cors_headers(response, self._cors_origins)
        self._served.responses.put(self._key, response)
        return response


class _Captured:
    """The ASGI `send` of a call: status, headers and body that the application sends."""

    def __init__(self) -> None:
        # For an application that fails before it sends anything.
        response = problem_response(500, "Internal error: see the API's log.")
        self.status = response.status_code
        self.headers: Headers = response.raw_headers
        self.body: list[bytes] = [bytes(response.body)]

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status, self.headers, self.body = message["status"], list(message["headers"]), []
        else:
            self.body.append(message.get("body", b""))
