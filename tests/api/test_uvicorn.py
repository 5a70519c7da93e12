"""uvicorn's internals that the API's protocol and server build on, tested without the API.

When these tests fail after `make lock UPGRADE=1`, the upgrade is the cause.
"""

import ast
import asyncio
import contextlib
import inspect
import socket
import sys
from typing import Any

import pytest
import uvicorn

from api.http.graceful_shutdown import GracefulServer
from api.http.protocol import CachingProtocol
from tests.upgrades import internals

WRITTEN_FOR = "0.54.0"
FIRST = b"GET /a%20b?c=d HTTP/1.1\r\nHost: weather.test\r\nX-Twice: 1\r\nX-Twice: 2\r\n\r\n"
SECOND = b"GET /next HTTP/1.1\r\nHost: weather.test\r\nConnection: close\r\n\r\n"


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Respond with the path and the connection's state."""
    body = f"{scope['path']} {scope['state']['name']}".encode()
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def names_used(ours: type) -> set[str]:
    """Return the attributes of `self` and `super()` that our classes use but do not define."""
    defined: set[str] = set()
    used: set[str] = set()
    # Base classes first: `super()` may reach our classes.
    for each in reversed([each for each in ours.__mro__ if each.__module__.startswith("api.")]):
        attributes = [
            node
            for node in ast.walk(ast.parse(inspect.getsource(each)))
            if isinstance(node, ast.Attribute)
        ]
        of_super = {node.attr for node in attributes if ast.unparse(node.value) == "super()"}
        used |= of_super - defined
        of_self = [node for node in attributes if ast.unparse(node.value) == "self"]
        defined |= set(vars(each)) | {
            node.attr for node in of_self if isinstance(node.ctx, ast.Store)
        }
        used |= {node.attr for node in of_self} - defined
    return used


def talk(*requests: bytes) -> tuple[list[dict[str, Any]], bytes, Any]:
    """Send requests to uvicorn's protocol. Return its state at each head, its output and itself."""
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
    from uvicorn.server import ServerState

    heads: list[dict[str, Any]] = []

    class Watched(HttpToolsProtocol):
        def on_headers_complete(self) -> None:
            heads.append(
                {
                    "url": self.url,
                    "headers": list(self.headers),
                    "method": self.parser.get_method(),
                    "version": self.parser.get_http_version(),
                    "keep_alive": self.parser.should_keep_alive(),
                    "upgrade": self.parser.should_upgrade(),
                    "is_complete": getattr(self.cycle, "response_complete", True),
                    "paused": self.flow.write_paused,
                    "client": self.client,
                    "state": self.app_state["name"],
                }
            )
            super().on_headers_complete()

    made: list[Watched] = []

    async def conversation() -> bytes:
        loop = asyncio.get_running_loop()
        state = ServerState()
        state.default_headers = [(b"x-default", b"1")]
        config = uvicorn.Config(app, ws="none", lifespan="off", log_config=None, access_log=False)

        def protocol() -> Watched:
            made.append(Watched(config, state, {"name": "here"}))
            return made[-1]

        server = await loop.create_server(protocol, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        sent = b""
        for request in requests:
            writer.write(request)
            sent += await reader.readuntil(b"here")
            await asyncio.sleep(0.05)
        idle.append(made[0].timeout_keep_alive_task)
        writer.close()
        server.close()
        await server.wait_closed()
        return sent

    idle: list[Any] = []
    sent = asyncio.run(asyncio.wait_for(conversation(), 30))
    return heads, sent, (made[0], idle[0])


def test_uvicorn_parses_a_request_into_these_attributes() -> None:
    with internals("uvicorn", WRITTEN_FOR, "api/http/"):
        heads, sent, (protocol, idle_timer) = talk(FIRST)
        (head,) = heads
        host, port = head.pop("client")
        assert (host, type(port)) == ("127.0.0.1", int)
        assert head == {
            "url": b"/a%20b?c=d",
            "headers": [(b"host", b"weather.test"), (b"x-twice", b"1"), (b"x-twice", b"2")],
            "method": b"GET",
            "version": "1.1",
            "keep_alive": True,
            "upgrade": False,
            "is_complete": True,
            "paused": False,
            "state": "here",
        }
        # on_response_complete() starts the keep-alive timer, and a request cancels it.
        assert isinstance(idle_timer, asyncio.TimerHandle)
        assert b"x-default: 1\r\n" in sent
        assert protocol.cycle.response_complete is True


def test_uvicorn_keeps_a_connection_alive() -> None:
    with internals("uvicorn", WRITTEN_FOR, "api/http/"):
        heads, sent, (protocol, _) = talk(FIRST, SECOND)
        assert [head["url"] for head in heads] == [b"/a%20b?c=d", b"/next"]
        assert [head["keep_alive"] for head in heads] == [True, False]
        assert sent.endswith(b"/next here")
        assert protocol.transport.is_closing()


def test_every_used_name_of_uvicorns_protocol_exists() -> None:
    used = names_used(CachingProtocol)
    assert {"on_headers_complete", "cycle", "flow", "server_state"} <= used
    with internals("uvicorn", WRITTEN_FOR, "api/http/"):
        _, _, (protocol, _) = talk(FIRST)
        assert {name for name in used if not hasattr(protocol, name)} == set()
        # The protocol overrides or calls these with exactly these arguments.
        for name, arguments in {
            "connection_made": ["transport"],
            "connection_lost": ["exc"],
            "data_received": ["data"],
            "send_400_response": ["msg"],
            "on_message_begin": [],
            "on_headers_complete": [],
            "on_body": ["body"],
            "on_message_complete": [],
            "on_response_complete": [],
            "_unset_keepalive_if_required": [],
            "_unsupported_upgrade_warning": [],
        }.items():
            assert list(inspect.signature(getattr(protocol, name)).parameters) == arguments, name


@pytest.mark.parametrize(
    ("line", "exception", "reason"),
    [
        (b"GET /\xc3\xa9 HTTP/1.1", "HttpParserInvalidURLError", "Invalid char in url path"),
        (b"GET /a b HTTP/1.1", "HttpParserError", "Expected HTTP/, RTSP/ or ICE/"),
        (b"GET / HTTP/3.0", "HttpParserError", "Invalid HTTP version"),
        (b"PRI * HTTP/2.0\r\n\r\nSM", "HttpParserError", "Pause on PRI/Upgrade"),
    ],
)
def test_the_parser_error_is_available_on_a_400(line: bytes, exception: str, reason: str) -> None:
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
    from uvicorn.server import ServerState

    class Rejecting(HttpToolsProtocol):
        def send_400_response(self, msg: str) -> None:
            found.append(sys.exc_info()[1])

    found: list[BaseException | None] = []
    with internals("uvicorn", WRITTEN_FOR, "api/http/"):
        config = uvicorn.Config(app, ws="none", lifespan="off", log_config=None)
        with contextlib.closing(asyncio.new_event_loop()) as loop:
            Rejecting(config, ServerState(), {}, loop).data_received(line + b"\r\n\r\n")
        assert [(type(error).__name__, str(error)) for error in found] == [(exception, reason)]


def test_every_used_hook_of_uvicorns_server_exists() -> None:
    used = names_used(GracefulServer)
    with internals("uvicorn", WRITTEN_FOR, "api/http/"):
        config = uvicorn.Config(app, log_config=None, server_header=False, date_header=False)
        config.load()
        server = uvicorn.Server(config)
        assert {name for name in used if not hasattr(server, name)} == set()
        assert list(inspect.signature(server.handle_exit).parameters) == ["sig", "frame"]
        assert list(inspect.signature(server.on_tick).parameters) == ["counter"]
        # Headers of the configuration are those of every response from the next second on.
        config.encoded_headers.append((b"connection", b"close"))
        assert asyncio.run(server.on_tick(0)) is False
        assert (b"connection", b"close") in server.server_state.default_headers
        server.should_exit = True
        assert asyncio.run(server.on_tick(1)) is True
        assert config.timeout_graceful_shutdown is None


def test_a_changed_library_fails_with_both_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.upgrades.version", lambda _: "99.0")
    with (
        pytest.raises(pytest.fail.Exception, match=r"uvicorn 99\.0 changed .*api/http/"),
        internals("uvicorn", WRITTEN_FOR, "api/http/"),
    ):
        assert not hasattr(socket, "socket")
