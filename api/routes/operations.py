"""For those who run the API: `/healthz`, `/readyz` and `/metrics`."""

from datetime import datetime

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel, Field

from api.routes.lookup import CurrentView

router = APIRouter(tags=["operations"])

OF_NOW = {"Cache-Control": "no-store"}
"""A cached response would hide the state that these paths are asked for."""

ENDING = "This process is ending: send requests to another one."


class Health(BaseModel):
    """The process answers."""

    status: str


class Readiness(BaseModel):
    """Whether there is data to answer with, and how current it is."""

    ready: bool = Field(
        description="Whether a published snapshot is loaded, and the process is to stay."
    )
    problem: str | None = Field(
        description="What is wrong, if anything: why it is not ready, or serves an older snapshot."
    )
    snapshot_id: int | None = Field(description="The lake's snapshot that is served.")
    published_at: datetime | None = Field(description="When that was published.")
    checked_at: datetime | None = Field(
        description="When the published snapshot was last looked for, well or not."
    )


@router.get("/healthz", summary="Liveness")
async def healthz(response: Response) -> Health:
    """Whether the process answers at all."""
    response.headers.update(OF_NOW)
    return Health(status="ok")


@router.get(
    "/readyz",
    summary="Readiness",
    responses={503: {"model": Readiness, "description": "Not ready."}},
)
async def readyz(view: CurrentView, request: Request, response: Response) -> Readiness:
    """Whether to send requests here: data is loaded, and this process is not about to end."""
    published = view.mart.published if view.mart else None
    is_ending = request.app.state.drain.has_begun
    is_ready = published is not None and not is_ending
    response.headers.update(OF_NOW)
    response.status_code = 200 if is_ready else 503
    return Readiness(
        ready=is_ready,
        problem=ENDING if is_ending else view.problem,
        snapshot_id=published.snapshot_id if published else None,
        published_at=published.published_at if published else None,
        checked_at=view.checked_at,
    )


@router.get("/metrics", response_class=PlainTextResponse)
async def metrics(request: Request) -> Response:
    """Metrics in Prometheus's text format."""
    content = generate_latest(request.app.state.registry)
    return Response(content, headers=OF_NOW, media_type=CONTENT_TYPE_LATEST)
