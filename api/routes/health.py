"""The routes for operations: /healthz, /readyz and /metrics."""

from datetime import datetime

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel, Field

from api.routes.parameters import Served

router = APIRouter(tags=["operations"])

NO_STORE = {"Cache-Control": "no-store"}

SHUTTING_DOWN = "This process is shutting down: send requests to another one."


class Health(BaseModel):
    """The process responds."""

    status: str


class Readiness(BaseModel):
    """Readiness of the process, and the served snapshot."""

    ready: bool = Field(
        description="Whether a snapshot is loaded and the process is not shutting down."
    )
    problem: str | None = Field(
        description="Why the process is not ready or serves an older snapshot, or null."
    )
    snapshot_id: int | None = Field(description="Id of the served snapshot.")
    published_at: datetime | None = Field(description="When the served snapshot was published.")
    checked_at: datetime | None = Field(
        description="Time of the last check for a new snapshot, successful or not."
    )


@router.get("/healthz", summary="Liveness")
async def healthz(response: Response) -> Health:
    """Liveness: the process responds."""
    response.headers.update(NO_STORE)
    return Health(status="ok")


@router.get(
    "/readyz",
    summary="Readiness",
    responses={503: {"model": Readiness, "description": "Not ready."}},
)
async def readyz(served: Served, request: Request, response: Response) -> Readiness:
    """Readiness: a snapshot is loaded, and the process is not shutting down."""
    published = served.snapshot.published if served.snapshot else None
    is_shutting_down = request.app.state.drain.has_begun
    is_ready = published is not None and not is_shutting_down
    response.headers.update(NO_STORE)
    response.status_code = 200 if is_ready else 503
    return Readiness(
        ready=is_ready,
        problem=SHUTTING_DOWN if is_shutting_down else served.problem,
        snapshot_id=published.snapshot_id if published else None,
        published_at=published.published_at if published else None,
        checked_at=served.checked_at,
    )


@router.get("/metrics", response_class=PlainTextResponse)
async def metrics(request: Request) -> Response:
    """Metrics in Prometheus's text format."""
    content = generate_latest(request.app.state.registry)
    return Response(content, headers=NO_STORE, media_type=CONTENT_TYPE_LATEST)
