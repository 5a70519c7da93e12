"""`/`: what this is, as JSON for programs and as a page for browsers."""

from collections.abc import Sequence
from html import escape
from pathlib import Path
from string import Template

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse
from pydantic import BaseModel

from api.attribution import ATTRIBUTION, LICENCE, LICENCE_URL, SOURCE_URL
from api.rows import DailyWeather
from api.summaries import CurrentView
from api.watch import View

DAYS_SHOWN = 14
PAGE = Template(Path(__file__).with_suffix(".html").read_text(encoding="utf-8"))

COLUMNS = {
    "temp_min_c": "Lowest °C",
    "temp_max_c": "Highest °C",
    "temp_avg_c": "Mean °C",
    "total_precipitation_mm": "Rain mm",
    "avg_windspeed_kmh": "Wind km/h",
    "hours": "Hours",
}

router = APIRouter(tags=["weather"])


class Welcome(BaseModel):
    """What a program finds at the API's root."""

    message: str = "Daily weather from the lake: see /weather/summary and /weather/latest."
    docs: str = "/docs"
    attribution: str = ATTRIBUTION
    license: str = LICENCE_URL


@router.get("/", response_model=Welcome, responses={200: {"content": {"text/html": {}}}})
async def front_page(view: CurrentView, request: Request) -> Response:
    """What this is, and where the documentation is; a page for those who ask for HTML first."""
    headers = {"Vary": "Accept"}
    accept = request.headers.get("accept", "")
    if accept.split(",")[0].split(";")[0].strip().lower() == "text/html":
        return HTMLResponse(_page(view), headers=headers)
    return JSONResponse(Welcome().model_dump(), headers=headers)


def _page(view: View) -> str:
    location = view.locations[0]
    days = view.mart.days.get(location.id) if view.mart else None
    return PAGE.substitute(
        days=_table(location.name, days[:DAYS_SHOWN]) if days else _no_days(location.name, view),
        source_url=SOURCE_URL,
        licence=LICENCE,
        licence_url=LICENCE_URL,
    )


def _no_days(name: str, view: View) -> str:
    reason = view.problem or "The published snapshot has none."
    return (
        f"<p>There is no data for {escape(name)} yet. {escape(reason)} Its days are here a few "
        "seconds after weather_pipeline has run in Airflow.</p>"
    )


def _table(name: str, days: Sequence[DailyWeather]) -> str:
    head = "".join(f'<th scope="col">{title}</th>' for title in ("Day", *COLUMNS.values()))
    body = "".join(f"<tr>{_cells(day)}</tr>" for day in days)
    return (
        f'<div class="table"><table><caption>{escape(name)}, the last days</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _cells(day: DailyWeather) -> str:
    values = (getattr(day, column) for column in COLUMNS)
    title = f"{day.date}" if day.is_complete else f"{day.date} (incomplete)"
    return f'<th scope="row">{title}</th>' + "".join(
        f"<td>{'&ndash;' if value is None else value}</td>" for value in values
    )
