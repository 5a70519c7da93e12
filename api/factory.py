"""The API put together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool
from prometheus_client import CollectorRegistry

from api import documentation, front_page, operations, summaries
from api.attribution import ATTRIBUTION, LICENCE, LICENCE_URL
from api.headers import SecurityHeadersMiddleware
from api.metrics import RequestMetrics, RequestMetricsMiddleware, ViewCollector
from api.watch import Watch
from weather.settings import LakeSettings

DESCRIPTION = f"""
Daily temperature, rain and wind of each location, from the snapshot of the lake that the pipeline
published last. Days are those of the location's own time zone. A value that is missing is null.

{ATTRIBUTION}
"""


def create_app(settings: LakeSettings, locations_file: Path) -> FastAPI:
    """The API for that lake and those locations.

    Raises:
        StepError: the settings or the locations are wrong.
    """
    watch = Watch(settings, locations_file)
    registry = CollectorRegistry()
    registry.register(ViewCollector(lambda: watch.view))

    @asynccontextmanager
    async def watching(_: FastAPI) -> AsyncIterator[None]:
        await run_in_threadpool(watch.start)
        yield
        await run_in_threadpool(watch.stop)

    app = FastAPI(
        title="Weather",
        description=DESCRIPTION,
        license_info={"name": f"Data: {LICENCE}", "url": LICENCE_URL},
        # Both would be pages that load their scripts from elsewhere.
        docs_url=None,
        redoc_url=None,
        lifespan=watching,
    )
    app.state.watch = watch
    app.state.registry = registry
    app.add_middleware(RequestMetricsMiddleware, metrics=RequestMetrics(registry))
    app.add_middleware(SecurityHeadersMiddleware)
    for part in (front_page, summaries, operations, documentation):
        app.include_router(part.router)
    return app
