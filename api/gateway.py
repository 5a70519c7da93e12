"""Where every request comes in: answers that are ready go out from here as they are.

The rest of the API makes each answer once for a snapshot. What it says may be kept, by
`Cache-Control: public`, is compressed, named by an ETag and kept until another snapshot is served.
"""

import asyncio
import logging
from itertools import count
from re import compile as pattern
from secrets import token_hex
from time import perf_counter, time

from fastapi.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.access_log import LONGEST, AccessLog
from api.conditions import has_it_already
from api.finishing import finished, kept, may_be_kept
from api.negotiation import favourite_encoding, favourite_media_type
from api.problems import problem_response
from api.ready import Answer, Headers, Key
from api.request_metrics import RequestMetrics
from api.watch import View, Watch

REQUEST_ID = pattern(rb"[A-Za-z0-9._-]{1,128}")

NO_ROUTE = "other"
"""The route of paths that clients make up."""

log = logging.getLogger("api")


class Gateway:
    """An ASGI application in front of another one."""

    def __init__(
        self, app: ASGIApp, watch: Watch, metrics: RequestMetrics, access_log: AccessLog
    ) -> None:
        self._app = app
        self._watch = watch
        self._metrics = metrics
        self._access_log = access_log
        self._numbers = count()
        self._process = token_hex(6).encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, and note that it was."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = perf_counter()
        method = scope["method"]
        headers = dict(scope["headers"])
        request_id = self._request_id(headers.get(b"x-request-id"))
        view = self._watch.view
        key = (
            scope["raw_path"],
            scope["query_string"],
            favourite_media_type(headers.get(b"accept", b"")),
            favourite_encoding(headers.get(b"accept-encoding", b"")),
        )
        is_read = method in {"GET", "HEAD"}
        answer = view.answers.get(key) if is_read else None
        outcome = "ready"
        if answer is None:
            outcome = "made"
            request = {
                **scope,
                "method": "GET" if method == "HEAD" else method,
                # The whole request sees the same view, whatever is loaded meanwhile.
                "view": view,
                "media_type": key[2],
                "request_id": request_id.decode(),
            }
            maker = _Maker(self._app, key, request, receive)
            answer = await (maker.answer() if is_read else maker.own_answer())
        status, fields, body = answer.status, answer.headers, answer.body
        stale: Headers = []
        if answer.headers_unchanged is not None:
            stale = view.stale_headers
            if has_it_already(answer, headers):
                status, fields, body = 304, answer.headers_unchanged, b""
        await send(
            {
                "type": "http.response.start",
                "status": status,
                "headers": [*fields, *stale, (b"x-request-id", request_id)],
            }
        )
        if method == "HEAD":
            body = b""
        await send({"type": "http.response.body", "body": body})
        seconds = perf_counter() - started
        self._metrics.count(method, answer.route, status, outcome, seconds)
        client = scope["client"][0] if scope["client"] else ""
        described = (method, key[0][:LONGEST], key[1][:LONGEST], client, status, len(body))
        self._access_log.note((time(), seconds, outcome, request_id, described))

    def _request_id(self, given: bytes | None) -> bytes:
        if given is not None and REQUEST_ID.fullmatch(given):
            return given
        return b"%s-%d" % (self._process, next(self._numbers))


class _Maker:
    """Has one answer made by the application behind."""

    def __init__(self, app: ASGIApp, key: Key, scope: Scope, receive: Receive) -> None:
        self._app = app
        self._view: View = scope["view"]
        self._key = key
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
            return finished(sent.status, sent.headers, b"".join(sent.body), route)
        mart = self._view.mart
        answer = await run_in_threadpool(
            kept,
            sent.headers,
            b"".join(sent.body),
            route,
            self._key[3],
            mart.published.snapshot_id if mart else None,
        )
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
