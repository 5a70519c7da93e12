"""Run the API and simpler servers that return the same response.

`python -m bench.api_baselines <name>` serves one of them by uvicorn with one worker, and the loop
and the parser that the API has.
"""

import argparse
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from api.data.row_models import DailyWeather
from bench.api_lakes import DAYS, summary_path
from local.processes import (
    LOOPBACK,
    Command,
    HttpServer,
    free_port,
    is_success,
    python_module,
    running_server,
)
from local.session import Progress, running_api
from weather.errors import StepError
from weather.published import MART_KEY
from weather.settings import BucketSettings, read_settings

OURS, NOT_MODIFIED = "ours", "not_modified"
BASELINES = ("ready_bytes", "response_model", "plain")
MEASURED = (OURS, *BASELINES, NOT_MODIFIED)

START_SECONDS = 60.0
TRANSPORT_HEADERS = {"connection", "date", "server", "transfer-encoding"}
"""Headers that uvicorn adds."""

Response = dict[str, Any]
"""A response of the API: `headers`, a list of names and values, and `body`, a text."""


@dataclass(frozen=True)
class Request:
    """A request that clients repeat."""

    address: str
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Servers:
    """The running API, and one request for each name in `MEASURED`."""

    api: HttpServer
    requests: Mapping[str, Request]


@contextmanager
def running_servers(
    environment: Mapping[str, str], folder: Path, location: str, progress: Progress
) -> Iterator[Servers]:
    """Run all servers inside the `with`.

    Args:
        environment: the settings of the lake.
        folder: where logs are written.
        location: the `location` of the requests.
        progress: reports that all servers are ready.

    Raises:
        StepError: a server does not start, or the API's response is not the expected one.
    """
    path = summary_path(location)
    with ExitStack() as stack:
        api = stack.enter_context(running_api(environment, free_port(), folder / "api.log"))
        address = f"{api.address}{path}"
        api.service.wait_until(lambda: is_success(address), START_SECONDS)
        response = checked_response(address)
        file = folder / "response.json"
        file.write_text(json.dumps(response), encoding="utf-8")
        requests = {OURS: Request(address, {})}
        for name in BASELINES:
            serve = python_module("bench.api_baselines", name, "--response", str(file))
            command = Command(f"the baseline {name}", serve, environment, folder / f"{name}.log")
            server = stack.enter_context(running_server(command, free_port(), path, START_SECONDS))
            requests[name] = Request(f"{server.address}{path}", {})
        etag = dict(response["headers"])["etag"]
        requests[NOT_MODIFIED] = Request(address, {"If-None-Match": etag})
        progress.done("the API and its baselines are ready")
        yield Servers(api, requests)


def checked_response(address: str) -> Response:
    """Return the API's uncompressed response.

    Raises:
        StepError: a day is missing, or a conditional request does not return 304.
    """
    headers = {"Accept-Encoding": "identity"}
    response = httpx.get(address, headers=headers, trust_env=False)
    headers |= {"If-None-Match": response.headers.get("etag", "")}
    unchanged = httpx.get(address, headers=headers, trust_env=False)
    days = len(response.json()) if response.is_success else 0
    if days != DAYS or unchanged.status_code != httpx.codes.NOT_MODIFIED:
        raise StepError(
            f"the API returned {response.status_code} with {days} days instead of {DAYS}, and"
            f" {unchanged.status_code} instead of 304 for its own ETag"
        )
    return Response(
        headers=[
            (name, value)
            for name, value in response.headers.items()
            if name not in TRANSPORT_HEADERS
        ],
        body=response.text,
    )


def plain() -> FastAPI:
    """Read the rows from the mart's Parquet file on S3 with pandas for each request."""
    import pandas

    app = FastAPI()
    file = f"{read_settings(BucketSettings).bucket_url}/{MART_KEY}"

    @app.get("/weather/summary")
    def summary(location: str, start: date, end: date) -> list[dict[str, Any]]:
        filters = [("location_id", "==", location), ("date", ">=", start), ("date", "<=", end)]
        days = pandas.read_parquet(file, filters=filters).sort_values("date", ascending=False)
        rows = days.rename(columns={"location_id": "location"}).astype(object)
        records: list[dict[str, Any]] = rows.where(rows.notna(), None).to_dict(orient="records")
        return records

    return app


def ready_bytes(response: Response) -> ASGIApp:
    """Create an ASGI app that only sends the API's response: the upper limit of throughput."""
    headers = [(name.encode(), value.encode()) for name, value in response["headers"]]
    start = {"type": "http.response.start", "status": 200, "headers": headers}
    body = {"type": "http.response.body", "body": response["body"].encode()}

    async def respond(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send(start)
        await send(body)

    return respond


def response_model(response: Response) -> FastAPI:
    """Build a FastAPI app that serializes rows from memory for each request."""
    app = FastAPI()
    days: Sequence[DailyWeather] = [
        DailyWeather.model_validate_json(json.dumps(row)) for row in json.loads(response["body"])
    ]

    @app.get("/weather/summary")
    async def summary(location: str, start: date, end: date) -> list[DailyWeather]:
        return [day for day in days if day.location == location and start <= day.date <= end]

    return app


def main() -> None:
    """Serve one baseline until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m bench.api_baselines", description=__doc__)
    parser.add_argument("name", choices=BASELINES)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--response", type=Path, required=True, help="the API's, as JSON")
    given = parser.parse_args()
    response = json.loads(given.response.read_text(encoding="utf-8"))
    apps: dict[str, Callable[[Response], ASGIApp]] = {
        "ready_bytes": ready_bytes,
        "response_model": response_model,
    }
    uvicorn.run(
        apps[given.name](response) if given.name in apps else plain(),
        host=LOOPBACK,
        port=given.port,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="off",
        access_log=False,
        log_level="warning",
        proxy_headers=False,
        server_header=False,
    )


if __name__ == "__main__":
    main()
