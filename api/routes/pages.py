"""The routes / and /docs: the front page, Swagger UI and their files.

Swagger UI's files are those of the package fastapi-swagger, so that no page loads from elsewhere.
"""

import json
from collections.abc import Sequence
from html import escape
from importlib.resources import files
from pathlib import Path

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from api.formats.negotiation import HTML
from api.routes.openapi import page, with_sources
from api.routes.parameters import Served
from weather.source import Source, attribution_of, licence_urls_of
from weather.variables import VARIABLES

PAGE = Path(__file__).parents[1] / "page"
PAGE_FILES = {
    file.relative_to(PAGE).as_posix(): file
    for file in sorted(PAGE.rglob("*"))
    if file.suffix in {".css", ".js", ".svg"}
}
"""The front page's files by their path below `/page/`; other files of the folder are private."""

HERE = Path(__file__).parent
SWAGGER_UI = Path(str(files("fastapi_swagger") / "resources"))
DOCS_FILES = {
    file.name: file
    for file in (
        SWAGGER_UI / "swagger-ui.css",
        SWAGGER_UI / "swagger-ui-bundle.js",
        HERE / "start-swagger-ui.js",
    )
}
"""The files of `/docs` by their path below `/docs/`."""

MEDIA_TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}

VARIABLES_JSON = json.dumps(
    [
        {
            "label": variable.label,
            "unit": variable.unit,
            "column": variable.column,
            "preceding_hour": variable.preceding_hour,
            "statistics": [
                {"column": statistic.column, "function": statistic.function}
                for statistic in variable.statistics
            ],
        }
        for variable in VARIABLES
    ],
    ensure_ascii=False,
)
"""The variables for the front page's scripts."""

CACHED = "public, max-age=60"
CACHED_DOCS = "public, max-age=3600"

router = APIRouter()


class Welcome(BaseModel):
    """The response at the API's root."""

    message: str = "Daily weather from the lake: see /weather/summary and /weather/latest."
    docs: str = Field(
        default="/docs", description="Path of the documentation, relative to the API's root."
    )
    attribution: str
    license: str


@router.get("/", tags=["weather"], response_model=Welcome, responses=page(HTML))
async def front_page(request: Request, served: Served) -> Response:
    """Name and documentation of the API, or a page for clients that prefer HTML."""
    headers = {"Vary": "Accept", "Cache-Control": CACHED}
    sources = served.sources()
    if request.scope["media_type"] == HTML:
        html = _page_with(sources, request.app.state.fresh_hours)
        return Response(html, media_type=HTML, headers=headers)
    welcome = Welcome(
        attribution=attribution_of(sources), license=", ".join(licence_urls_of(sources))
    )
    return JSONResponse(welcome.model_dump(), headers=headers)


def _page_with(sources: Sequence[Source], fresh_hours: int) -> str:
    """Insert the variables and the sources into the front page's HTML."""
    attributions = "; ".join(
        f'<a rel="external" href="{escape(source.url)}">{escape(source.attribution)}</a>'
        for source in sources
    )
    licences = " · ".join(
        f'<a rel="license external" href="{escape(url)}">Licence</a>'
        for url in licence_urls_of(sources)
    )
    page = (PAGE / "index.html").read_text(encoding="utf-8")
    for name, text in (
        ("variables", VARIABLES_JSON),
        ("fresh_hours", str(fresh_hours)),
        ("attributions", attributions),
        ("licences", licences),
    ):
        page = page.replace(f"{{{{{name}}}}}", text)
    return page


@router.get("/page/{asset:path}", include_in_schema=False)
async def page_asset(asset: str) -> Response:
    """Return a file of the front page."""
    if asset not in PAGE_FILES:
        raise HTTPException(404, f"The page has no file '{asset}'. Reload the page at /.")
    return _file_response(PAGE_FILES[asset], CACHED)


@router.get("/openapi.json", include_in_schema=False)
async def openapi(request: Request, served: Served) -> JSONResponse:
    """Return the OpenAPI document. FastAPI's own route has no `Cache-Control`."""
    document = with_sources(request.app.openapi(), served.sources())
    return JSONResponse(document, headers={"Cache-Control": CACHED})


@router.get("/docs", include_in_schema=False)
async def docs(request: Request) -> Response:
    """Return Swagger UI's page."""
    return _docs_file(HERE / "docs.html", request)


@router.get("/docs/{asset}", include_in_schema=False)
async def docs_asset(asset: str, request: Request) -> Response:
    """Return a file of Swagger UI."""
    if asset not in DOCS_FILES:
        raise HTTPException(404)
    return _docs_file(DOCS_FILES[asset], request)


def _docs_file(file: Path, request: Request) -> Response:
    # A made-up query must not fill the cache with copies of these large files.
    return _file_response(file, None if request.url.query else CACHED_DOCS)


def _file_response(file: Path, cache_control: str | None) -> Response:
    headers = {} if cache_control is None else {"Cache-Control": cache_control}
    return Response(file.read_bytes(), media_type=MEDIA_TYPES[file.suffix], headers=headers)
