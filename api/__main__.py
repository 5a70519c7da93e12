"""Serve the API, with an end that fails no request: `python -m api`."""

import argparse

import uvicorn

from api.draining import Drain, DrainingServer

SECONDS_TO_FINISH = 20
"""How long open requests have once nothing new is taken."""


def main() -> None:
    """Serve until told to end; exit code 64 for wrong settings."""
    parser = argparse.ArgumentParser(prog="python -m api", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000, help="0 for any free port")
    parser.add_argument(
        "--drain-seconds",
        type=float,
        default=5.0,
        help="after SIGTERM, how long new connections are still served (default: 5)",
    )
    arguments = parser.parse_args()
    # It reads the settings, and ends the process where they are wrong.
    from api.app import app

    app.state.drain = Drain(arguments.drain_seconds)
    config = uvicorn.Config(
        app,
        host=arguments.host,
        port=arguments.port,
        timeout_graceful_shutdown=SECONDS_TO_FINISH,
    )
    DrainingServer(config, app.state.drain).run()


if __name__ == "__main__":
    main()
