"""How many parameters a request may have, and which of them more than once."""

from collections import Counter
from typing import Any

from fastapi import Depends, Request
from fastapi.exceptions import RequestValidationError
from starlette.types import ASGIApp, Receive, Scope, Send

from api.http.problems import REPEATED, problem_response
from api.routes.queries import EXPECTED, LOCATIONS_A_REQUEST

PARAMETERS_A_REQUEST = 2 * LOCATIONS_A_REQUEST
"""Twice as many as locations, beside which there are only a few others."""


class FewParameters:
    """An ASGI application in front of FastAPI, which takes time by the square of unknown ones."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Have a request answered, unless it has too many parameters."""
        if scope["type"] == "http" and scope["query_string"].count(b"&") >= PARAMETERS_A_REQUEST:
            response = problem_response(
                422, f"A request may have {PARAMETERS_A_REQUEST} parameters: send fewer."
            )
            await response(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def each_once(*but: str) -> Any:
    """A route's dependency: it refuses a parameter that comes again, unless it is one of these.

    FastAPI takes the last value and drops the others, so that the answer would be to another
    question than the client's.
    """

    async def refuse_repeated(request: Request) -> None:
        times = Counter(name for name, _ in request.query_params.multi_items())
        repeated = [
            {
                "type": REPEATED,
                "loc": ("query", name),
                "msg": f"It comes {number} times",
                "input": request.query_params[name],
            }
            for name, number in times.items()
            if number > 1 and name in EXPECTED and name not in but
        ]
        if repeated:
            raise RequestValidationError(repeated)

    return Depends(refuse_repeated)
