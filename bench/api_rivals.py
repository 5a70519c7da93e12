"""`python -m bench.api_rivals`: three other ways to answer `GET /weather/summary`, one at a time.

Each is served by uvicorn with one worker, and the loop and the parser that the API has.
"""

import argparse
import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from api.data.models import DailyWeather
from local.ports import LOOPBACK
from weather.published import MART_KEY
from weather.settings import BucketSettings, read_settings

RIVALS = ("ready_bytes", "response_model", "plain")

Answer = dict[str, Any]
"""What the API has answered: `headers`, a list of names and values, and `body`, a text."""


def plain() -> FastAPI:
    """Reads the wanted rows from the mart's Parquet file on S3 with pandas for each request."""
    import pandas

    app = FastAPI()
    file = f"{read_settings(BucketSettings).bucket_url}/{MART_KEY}"

    @app.get("/weather/summary")
    def summary(location: str, start: date, end: date) -> list[dict[str, Any]]:
        wanted = [("location_id", "==", location), ("date", ">=", start), ("date", "<=", end)]
        days = pandas.read_parquet(file, filters=wanted).sort_values("date", ascending=False)
        rows = days.rename(columns={"location_id": "location"}).astype(object)
        records: list[dict[str, Any]] = rows.where(rows.notna(), None).to_dict(orient="records")
        return records

    return app


def ready_bytes(answer: Answer) -> ASGIApp:
    """Hands out the API's own answer, whatever is asked: what the server can do at most."""
    headers = [(name.encode(), value.encode()) for name, value in answer["headers"]]
    start = {"type": "http.response.start", "status": 200, "headers": headers}
    body = {"type": "http.response.body", "body": answer["body"].encode()}

    async def hand_out(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send(start)
        await send(body)

    return hand_out


def response_model(answer: Answer) -> FastAPI:
    """Has the rows in memory, and lets FastAPI serialise them for each request."""
    app = FastAPI()
    days: Sequence[DailyWeather] = [
        DailyWeather.model_validate_json(json.dumps(row)) for row in json.loads(answer["body"])
    ]

    @app.get("/weather/summary")
    async def summary(location: str, start: date, end: date) -> list[DailyWeather]:
        return [day for day in days if day.location == location and start <= day.date <= end]

    return app


def rival_app(name: str, answer: Answer) -> ASGIApp:
    """One of the rivals to what the API has answered."""
    if name == "plain":
        return plain()
    return ready_bytes(answer) if name == "ready_bytes" else response_model(answer)


def main() -> None:
    """Serve one of them until told to end."""
    parser = argparse.ArgumentParser(prog="python -m bench.api_rivals", description=__doc__)
    parser.add_argument("rival", choices=RIVALS)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--answer", type=Path, required=True, help="the API's, as JSON")
    arguments = parser.parse_args()
    uvicorn.run(
        rival_app(arguments.rival, json.loads(arguments.answer.read_text(encoding="utf-8"))),
        host=LOOPBACK,
        port=arguments.port,
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
