"""A bound on how many parameters a request has, before any of them is looked at."""

from starlette.types import ASGIApp, Receive, Scope, Send

from api.problems import problem_response
from api.queries import LOCATIONS_A_REQUEST

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
