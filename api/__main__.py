"""Serve the API: `python -m api`."""

import argparse
import sys

import uvicorn

from api.app import create_app
from api.http.graceful_shutdown import Drain, GracefulServer
from api.http.protocol import CachingProtocol
from api.observability.logs import AccessLog, configure_logging
from weather.errors import StepError
from weather.schedule import ScheduleSettings
from weather.settings import ApiSettings, LakeSettings, PipelineSettings, read_settings

KEEP_ALIVE_SECONDS = 75
"""Timeout of idle connections. Load balancers close such connections first, after 60 s."""

GRACEFUL_SHUTDOWN_SECONDS = 20
"""Seconds for open requests after the server has stopped listening."""

SWITCH_INTERVAL_SECONDS = 0.0005
"""Python's thread switch interval. The default of 5 ms delays the slowest 1 % of requests."""


def main() -> None:
    """Serve until SIGTERM or SIGINT. Exit with 64 for wrong settings."""
    arguments = _arguments()
    configure_logging()
    drain = Drain(arguments.drain_seconds)
    access_log = AccessLog(sys.stdout)
    try:
        app = create_app(
            read_settings(LakeSettings),
            read_settings(PipelineSettings).weather_locations,
            read_settings(ApiSettings),
            schedule=read_settings(ScheduleSettings),
            drain=drain,
            access_log=access_log,
        )
    except StepError as error:
        print(f"api: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    config = uvicorn.Config(
        app,
        host=arguments.host,
        port=arguments.port,
        http=CachingProtocol,
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACEFUL_SHUTDOWN_SECONDS,
    )
    sys.setswitchinterval(SWITCH_INTERVAL_SECONDS)
    server = GracefulServer(config, drain)
    server.run()
    access_log.close()
    if not server.started:
        sys.exit(1)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m api", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000, help="0 for any free port")
    parser.add_argument(
        "--drain-seconds",
        type=float,
        default=5.0,
        help="seconds that new connections are accepted after SIGTERM (default: 5)",
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
