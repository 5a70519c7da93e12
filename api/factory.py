"""The API put together."""

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path

from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool
from prometheus_client import CollectorRegistry
from starlette.types import ASGIApp, Lifespan

from api.data.older_hours import OlderHours
from api.data.watch import Watch
from api.http.draining import Drain
from api.http.gateway import GATEWAY, Gateway
from api.http.origins import OtherOrigins
from api.http.problems import explain_errors
from api.observability.access_log import AccessLog
from api.observability.metrics import ViewCollector
from api.observability.request_metrics import RequestMetrics
from api.routes import documentation, front_page, hourly, known_locations, operations, summaries
from api.routes.description import describe
from api.routes.parameters import FewParameters
from weather.settings import ApiSettings, LakeSettings

DESCRIPTION = """
Temperature, rain and wind of each location by hour, day, month and year, from the snapshot of the
lake that the pipeline published last. Days are those of the location's own time zone. A value that
is missing is null in JSON and empty in CSV.
"""


@dataclass(frozen=True)
class Place:
    """Where the API finds what it serves."""

    lake: LakeSettings
    locations_file: Path


def create_app(place: Place, settings: ApiSettings, drain: Drain, access_log: AccessLog) -> ASGIApp:
    """The API for that lake and those locations; it is not ready once the drain has begun.

    Raises:
        StepError: the settings or the locations are wrong.
    """
    watch = Watch(place.lake, place.locations_file, settings.weather_api_ready_mb * 1_000_000)
    registry = CollectorRegistry()
    request_metrics = RequestMetrics()
    registry.register(request_metrics)
    registry.register(ViewCollector(lambda: watch.view))

    @asynccontextmanager
    async def watching(_: FastAPI) -> AsyncIterator[dict[str, Gateway]]:
        await run_in_threadpool(watch.start)
        # What is there now stays: the collector need not look at it again and again.
        gc.collect()
        gc.freeze()
        yield {GATEWAY: gateway}
        await run_in_threadpool(watch.stop)

    app = described_app(watching)
    app.state.drain = drain
    app.state.registry = registry
    app.state.older_hours = OlderHours(place.lake)
    origins = settings.allowed_origins
    gateway = Gateway(app, watch, request_metrics, access_log, origins)
    return OtherOrigins(gateway, origins) if origins else gateway


def described_app(lifespan: Lifespan[FastAPI] | None = None) -> FastAPI:
    """Create the application with its routes and its OpenAPI document, without data."""
    app = FastAPI(
        title="Weather",
        version="1",
        description=DESCRIPTION,
        # Two of them would load scripts from elsewhere: api/routes/documentation.py.
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        # It would name the scheme and the host that this process sees, behind whatever proxy.
        redirect_slashes=False,
        lifespan=lifespan,
        # What clients that are made from the document call their functions.
        generate_unique_id_function=attrgetter("name"),
    )
    for part in (front_page, summaries, hourly, known_locations, operations, documentation):
        app.include_router(part.router)
    app.add_middleware(FewParameters)
    explain_errors(app)
    describe(app)
    return app
