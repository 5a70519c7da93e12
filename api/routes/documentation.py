"""`/docs`: Swagger UI over the API's own description, with every asset served from here.

The assets are those of the package fastapi-swagger, which ships Swagger UI's release as it is.
"""

from importlib.resources import files
from pathlib import Path

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import JSONResponse

from api.http.files import file_answer
from api.routes.description import with_source
from api.routes.lookup import CurrentView

HERE = Path(__file__).parent
SWAGGER_UI = Path(str(files("fastapi_swagger") / "resources"))

ASSETS = {
    file.name: file
    for file in (
        SWAGGER_UI / "swagger-ui.css",
        SWAGGER_UI / "swagger-ui-bundle.js",
        HERE / "start-swagger-ui.js",
    )
}
"""The files that the page loads, by their address under `/docs/`."""

router = APIRouter(include_in_schema=False)


@router.get("/openapi.json")
async def description(request: Request, view: CurrentView) -> JSONResponse:
    """What the page shows, for programs."""
    # FastAPI's own route does not say that it may be kept, and so compressed.
    document = with_source(request.app.openapi(), view.source)
    return JSONResponse(document, headers={"Cache-Control": "public, max-age=60"})


@router.get("/docs")
async def docs(request: Request) -> Response:
    """The page."""
    return _file(HERE / "docs.html", request)


@router.get("/docs/{asset}")
async def docs_asset(asset: str, request: Request) -> Response:
    """One of the page's files."""
    if asset not in ASSETS:
        raise HTTPException(404)
    return _file(ASSETS[asset], request)


def _file(path: Path, request: Request) -> Response:
    # Each address that may be kept takes memory for the whole file: made-up ones are to take none.
    return file_answer(path, None if request.url.query else "public, max-age=3600")
