"""`/`: what this is, as JSON for programs and as a page for browsers, with the page's files."""

from html import escape
from pathlib import Path

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from api.formats.negotiation import HTML
from api.http.files import file_answer
from api.routes.description import page
from api.routes.lookup import CurrentView
from weather.source import Source

PAGE = Path(__file__).parents[1] / "page"
ASSETS = {
    file.relative_to(PAGE).as_posix(): file
    for file in sorted(PAGE.rglob("*"))
    if file.suffix in {".css", ".js", ".svg"}
}
"""The page's files by their address under `/page/`; nothing else of the folder is served."""

MAY_BE_KEPT = "public, max-age=60"

router = APIRouter()


class Welcome(BaseModel):
    """What a program finds at the API's root."""

    message: str = "Daily weather from the lake: see /weather/summary and /weather/latest."
    docs: str = Field(
        default="/docs", description="Path of the documentation, below the API's own address."
    )
    attribution: str
    license: str


@router.get("/", tags=["weather"], response_model=Welcome, responses=page(HTML))
async def front_page(request: Request, view: CurrentView) -> Response:
    """What this is, and where the documentation is; a page for those who like HTML best."""
    headers = {"Vary": "Accept", "Cache-Control": MAY_BE_KEPT}
    if request.scope["media_type"] == HTML:
        return Response(_page_with(view.source), media_type=HTML, headers=headers)
    welcome = Welcome(attribution=view.source.attribution, license=view.source.licence_url)
    return JSONResponse(welcome.model_dump(), headers=headers)


def _page_with(source: Source) -> str:
    """Return the page with the source in its footer, for readers without JavaScript."""
    page = (PAGE / "index.html").read_text(encoding="utf-8")
    for name in ("attribution", "url", "licence_url"):
        page = page.replace(f"{{{{{name}}}}}", escape(getattr(source, name)))
    return page


@router.get("/page/{asset:path}", include_in_schema=False)
async def page_asset(asset: str) -> Response:
    """One of the page's files."""
    if asset not in ASSETS:
        raise HTTPException(404, f"The page has no file '{asset}'. Load it anew from /.")
    return file_answer(ASSETS[asset], MAY_BE_KEPT)
