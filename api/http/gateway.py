"""Where every request comes in: answers that are ready go out from here as they are.

The rest of the API makes each answer once for a snapshot. What it says may be kept, by
`Cache-Control: public`, is compressed, named by an ETag and kept until another snapshot is served.
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

from api.data.view import View
from api.data.watch import Watch
from api.http.exchange import Reply, Request, reply_to
from api.http.finishing import finished, kept, may_be_kept
from api.http.head import Headers, by_name
from api.http.origins import for_origins
from api.http.problems import problem_response
from api.http.ready import Answer, Key
from api.observability.access_log import LONGEST, AccessLog
from api.observability.request_metrics import RequestMetrics

REQUEST_ID = pattern(rb"[A-Za-z0-9._-]{1,128}")

GATEWAY = "gateway"
"""Its name in the state that the application's lifespan gives to each connection."""

NO_ROUTE = "other"
"""The route of paths that clients make up."""

log = logging.getLogger("api")


class Gateway:
    """An ASGI application in front of another one."""

    def __init__(
        self,
        app: ASGIApp,
        watch: Watch,
        metrics: RequestMetrics,
        access_log: AccessLog,
        origins: Collection[str] = (),
    ) -> None:
        self._app = app
        self._watch = watch
        self._metrics = metrics
        self._access_log = access_log
        self._origins = origins
        self._numbers = count()
        self._process = token_hex(6).encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, and note that it was."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(
            scope["method"],
            scope["raw_path"],
            scope["query_string"],
            by_name(scope["headers"]),
            scope["client"][0] if scope["client"] else "",
            perf_counter(),
        )
        reply = self.ready_reply(request) or await self._made_reply(request, scope, receive)
        await send(
            {
                "type": "http.response.start",
                "status": reply.head.status,
                "headers": [*reply.head.headers, *reply.own_headers],
            }
        )
        await send({"type": "http.response.body", "body": reply.body})
        self.note(request, reply)

    def ready_reply(self, request: Request) -> Reply | None:
        """The reply to a request whose answer is ready."""
        view = self._watch.view
        answer = view.answers.get(request.key) if request.is_read else None
        if answer is None:
            return None
        return reply_to(request, self._id_of(request), answer, view.stale_headers, "ready")

    def note(self, request: Request, reply: Reply) -> None:
        """Count the request, and write it into the access log."""
        seconds = perf_counter() - request.started
        status = reply.head.status
        self._metrics.count(request.method, reply.route, status, reply.outcome, seconds)
        path, query = request.path[:LONGEST], request.query[:LONGEST]
        described = (request.method, path, query, request.client, status, len(reply.body))
        self._access_log.note((time(), seconds, reply.outcome, reply.request_id, described))

    async def _made_reply(self, request: Request, scope: Scope, receive: Receive) -> Reply:
        view, key, request_id = self._watch.view, request.key, self._id_of(request)
        scope = {
            **scope,
            "method": "GET" if request.method == "HEAD" else request.method,
            # The whole request sees the same view, whatever is loaded meanwhile.
            "view": view,
            "media_type": key[2],
            "request_id": request_id.decode(),
        }
        maker = _Maker(self._app, key, self._origins, scope, receive)
        answer = await (maker.answer() if request.is_read else maker.own_answer())
        return reply_to(request, request_id, answer, view.stale_headers, "made")

    def _id_of(self, request: Request) -> bytes:
        given = request.headers.get(b"x-request-id")
        if given is not None and REQUEST_ID.fullmatch(given):
            return given
        return b"%s-%d" % (self._process, next(self._numbers))


class _Maker:
    """Has one answer made by the application behind."""

    def __init__(
        self, app: ASGIApp, key: Key, origins: Collection[str], scope: Scope, receive: Receive
    ) -> None:
        self._app = app
        self._view: View = scope["view"]
        self._key = key
        self._origins = origins
        self._scope = scope
        self._receive = receive

    async def answer(self) -> Answer:
        """An answer to a GET; who asks what is just being made waits for that."""
        in_making = self._view.answers.in_making
        if self._key in in_making:
            answer = await asyncio.shield(in_making[self._key])
            return answer or await self.own_answer()
        future = in_making[self._key] = asyncio.get_running_loop().create_future()
        for_all = None
        try:
            answer = await self.own_answer()
            for_all = answer if answer.etag else None
            return answer
        finally:
            del in_making[self._key]
            future.set_result(for_all)

    async def own_answer(self) -> Answer:
        """An answer for this request; kept, if it may be."""
        sent = _Sent()
        try:
            await self._app(self._scope, self._receive, sent)
        except Exception:
            log.exception("A defect", extra={"request_id": self._scope["request_id"]})
        route = getattr(self._scope.get("route"), "path", NO_ROUTE)
        if not may_be_kept(sent.status, sent.headers):
            answer = finished(sent.status, sent.headers, b"".join(sent.body), route)
            return for_origins(answer, self._origins)
        mart = self._view.mart
        answer = await run_in_threadpool(
            kept,
            sent.headers,
            b"".join(sent.body),
            route,
            self._key[3],
            mart.published.snapshot_id if mart else None,
        )
        answer = for_origins(answer, self._origins)
        self._view.answers.put(self._key, answer)
        return answer


class _Sent:
    """Takes what an application sends."""

    def __init__(self) -> None:
        # What is sent where the application fails before it sends anything.
        response = problem_response(500, "A defect of this API; its log says which.")
        self.status = response.status_code
        self.headers: Headers = response.raw_headers
        self.body: list[bytes] = [bytes(response.body)]

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status, self.headers, self.body = message["status"], list(message["headers"]), []
        else:
            self.body.append(message.get("body", b""))
