"""Serve the replay: `python -m weather.replay --port N`."""

import argparse
import asyncio
import logging
import os
import socket
import sys
from contextlib import suppress

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from weather.replay.app import WHAT_IT_IS, create_app, log


class ClosableConnection(H11Protocol):
    """HTTP protocol that lets the application close the connection without a response."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Add `close_connection` to the state of the connection's requests."""
        super().connection_made(transport)
        self.app_state = {**self.app_state, "close_connection": transport.abort}


class Server(uvicorn.Server):
    """A server that prints its address when it is ready."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then print the address with the actual port."""
        await super().startup(sockets)
        if self.started:
            log.info(WHAT_IT_IS)
            host, port = self.servers[0].sockets[0].getsockname()[:2]
            print(f"replay: serving http://{host}:{port}", flush=True)


def main() -> None:
    """Serve until a signal. Exit with 64 if REPLAY_FAULTS is invalid."""
    parser = argparse.ArgumentParser(prog="python -m weather.replay", description=WHAT_IT_IS)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True, help="0 for any free port")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s: %(message)s")
    try:
        app = create_app(os.environ.get("REPLAY_FAULTS", ""))
    except ValueError as error:
        print(f"replay: REPLAY_FAULTS: {error}", file=sys.stderr)
        sys.exit(os.EX_USAGE)
    server = Server(
        uvicorn.Config(
            app,
            host=arguments.host,
            port=arguments.port,
            http=ClosableConnection,
            lifespan="off",
            log_config=None,
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=1,
        )
    )
    with suppress(KeyboardInterrupt):
        server.run()


if __name__ == "__main__":
    main()
