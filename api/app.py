"""The application factory: routes, middleware, metrics and the watcher in one ASGI application."""

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from operator import attrgetter
from pathlib import Path

from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool
from prometheus_client import CollectorRegistry
from starlette.types import ASGIApp, Lifespan

from api.data.older_hours import OlderHours
from api.data.watcher import SnapshotWatcher
from api.http.cors import CachedCORSMiddleware
from api.http.graceful_shutdown import Drain
from api.http.middleware import CACHE_MIDDLEWARE, CacheMiddleware
from api.http.problems import add_problem_handlers
from api.observability.logs import AccessLog
from api.observability.metrics import DataMetrics, RequestMetrics
from api.routes import health, locations, pages, weather
from api.routes.openapi import set_openapi
from api.routes.parameters import EXPECTED, ParameterLimitMiddleware
from weather.schedule import ScheduleSettings
from weather.settings import ApiSettings, LakeSettings

DESCRIPTION = """
Temperature, precipitation and wind of each location by hour, day, month and year, from the
published snapshot of the lake. Days are local days of the location. A missing value is null in JSON
and empty in CSV.
"""


def create_app(
    lake: LakeSettings,
    locations_file: Path,
    settings: ApiSettings,
    *,
    schedule: ScheduleSettings,
    drain: Drain,
    access_log: AccessLog,
) -> ASGIApp:
    """Create the ASGI application for a lake. `/readyz` fails during a graceful shutdown.

    Raises:
        StepError: the settings or the locations are wrong.
    """
    watcher = SnapshotWatcher(lake, locations_file, settings.weather_api_ready_mb * 1_000_000)
    registry = CollectorRegistry()
    request_metrics = RequestMetrics()
    registry.register(request_metrics)
    registry.register(DataMetrics(lambda: watcher.served))

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[dict[str, CacheMiddleware]]:
        await run_in_threadpool(watcher.start)
        # The objects of now live until the end: collections need not visit them.
        gc.collect()
        gc.freeze()
        yield {CACHE_MIDDLEWARE: middleware}
        await run_in_threadpool(watcher.stop)

    app = described_app(lifespan)
    app.state.drain = drain
    app.state.fresh_hours = schedule.fresh_hours
    app.state.registry = registry
    app.state.older_hours = OlderHours(lake)
    origins = settings.allowed_origins
    middleware = CacheMiddleware(app, watcher, request_metrics, access_log, origins)
    return CachedCORSMiddleware(middleware, origins) if origins else middleware


def described_app(lifespan: Lifespan[FastAPI] | None = None) -> FastAPI:
    """Create the FastAPI application with its routes and its OpenAPI document, without data."""
    app = FastAPI(
        title="Weather",
        version="1",
        description=DESCRIPTION,
        # FastAPI's documentation pages load scripts from a CDN; see api/routes/pages.py.
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        # A redirect would name the scheme and host of this process, not the proxy's.
        redirect_slashes=False,
        lifespan=lifespan,
        # Generated clients name their functions by operation ids.
        generate_unique_id_function=attrgetter("name"),
    )
    for module in (pages, weather, locations, health):
        app.include_router(module.router)
    app.add_middleware(ParameterLimitMiddleware)
    add_problem_handlers(app, EXPECTED)
    set_openapi(app)
    return app
