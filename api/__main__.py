"""Serve the API: `python -m api`."""

import argparse
import sys

import uvicorn

from api.factory import Place, create_app
from api.http.connection import Connection
from api.http.draining import Drain, DrainingServer
from api.observability.access_log import AccessLog
from api.observability.logs import write_logs_as_json
from weather.errors import StepError
from weather.settings import ApiSettings, LakeSettings, PipelineSettings, read_settings

SECONDS_TO_KEEP_ALIVE = 75
"""Longer than load balancers keep idle connections (60 s), so that these close them first."""

SECONDS_TO_FINISH = 20
"""How long open requests have once nothing new is taken."""

SECONDS_OF_A_TURN = 0.0005
"""How long another thread may keep requests waiting; Python's own 5 ms are their slowest 1 %."""


def main() -> None:
    """Serve until a signal; exit code 64 for wrong settings."""
    arguments = _arguments()
    write_logs_as_json()
    drain = Drain(arguments.drain_seconds)
    access_log = AccessLog(sys.stdout)
    try:
        place = Place(
            read_settings(LakeSettings), read_settings(PipelineSettings).weather_locations
        )
        app = create_app(place, read_settings(ApiSettings), drain, access_log)
    except StepError as error:
        print(f"api: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    config = uvicorn.Config(
        app,
        host=arguments.host,
        port=arguments.port,
        http=Connection,
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=SECONDS_TO_KEEP_ALIVE,
        timeout_graceful_shutdown=SECONDS_TO_FINISH,
    )
    sys.setswitchinterval(SECONDS_OF_A_TURN)
    server = DrainingServer(config, drain)
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
        help="after SIGTERM, how long new connections are still served (default: 5)",
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
