"""Errors as application/problem+json (RFC 9457)."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

MEDIA_TYPE = "application/problem+json"

MAX_ERRORS = 10
"""Limit of the invalid parameters that a problem lists."""

REPEATED = "repeated"
"""Type of the validation error for a repeated parameter."""

MAX_VALUE_LENGTH = 60
"""Limit of the characters of an invalid value that a problem repeats."""


class WrongParameter(BaseModel):
    """An invalid parameter."""

    parameter: str = Field(description="Name of the parameter.", examples=["limit"])
    expected: str = Field(
        description="The expected value.", examples=["a whole number of at least 1"]
    )
    detail: str = Field(
        description="The value received, and why it is invalid.",
        examples=["'-7': Input should be at least 1"],
    )


class Problem(BaseModel):
    """An error, as RFC 9457 defines it."""

    model_config = ConfigDict(json_schema_extra={"required": ["type", "title", "status", "detail"]})

    type: str = Field(
        default="about:blank", description="Always `about:blank`: the status is the type."
    )
    title: str = Field(description="Name of the status.", examples=["Not Found"])
    status: int = Field(description="HTTP status.", examples=[404])
    detail: str = Field(
        description="What is wrong, and what to do next.",
        examples=["No data for 'lyon' yet. Run weather_pipeline in Airflow."],
    )
    errors: list[WrongParameter] | None = Field(
        None, description=f"The invalid parameters, the first {MAX_ERRORS} of them."
    )


def problem_response(
    status: int,
    detail: str,
    errors: Sequence[WrongParameter] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return an error response that must not be cached."""
    problem = Problem(
        title=HTTPStatus(status).phrase, status=status, detail=detail, errors=list(errors) or None
    )
    return Response(
        problem.model_dump_json(exclude_none=True),
        status,
        {"Cache-Control": "no-store", **(headers or {})},
        MEDIA_TYPE,
    )


def add_problem_handlers(app: FastAPI, expected: Mapping[str, str]) -> None:
    """Make the application return every error as a problem.

    Args:
        app: the application.
        expected: a description of the valid values of each parameter.
    """

    async def validation_problem(_: Request, exception: Exception) -> Response:
        assert isinstance(exception, RequestValidationError)
        errors = exception.errors()
        wrong = [_wrong_parameter(each, expected) for each in errors[:MAX_ERRORS]]
        sentences = [
            f"{each.parameter}: unknown parameter; see /docs"
            if error["type"] == "extra_forbidden"
            else f"{each.parameter}: expected {each.expected}"
            for each, error in zip(wrong, errors, strict=False)
        ]
        if len(errors) > MAX_ERRORS:
            sentences.append(f"and {len(errors) - MAX_ERRORS} more invalid parameters")
        return problem_response(422, f"{'. '.join(sentences)}.", wrong)

    app.add_exception_handler(HTTPException, _http_problem)
    app.add_exception_handler(RequestValidationError, validation_problem)
    app.add_exception_handler(Exception, _internal_problem)


_DETAILS = {
    404: "No such path: /docs lists all paths.",
    405: "The API is read-only: use GET or HEAD.",
}


async def _http_problem(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    detail = error.detail
    if detail == HTTPStatus(error.status_code).phrase:
        detail = _DETAILS.get(error.status_code, detail)
    # Routes have GET only: the cache middleware derives the response to HEAD.
    headers = {"Allow": "GET, HEAD"} if error.status_code == 405 else error.headers
    return problem_response(error.status_code, detail, headers=headers)


async def _internal_problem(_: Request, __: Exception) -> Response:
    return problem_response(
        500, "Internal error: see the API's log, under the X-Request-ID of this response."
    )


def _wrong_parameter(error: Mapping[str, Any], expected: Mapping[str, str]) -> WrongParameter:
    name = str([*error["loc"], "", ""][1])
    value = str(error["input"])
    shown = value if len(value) <= MAX_VALUE_LENGTH else f"{value[:MAX_VALUE_LENGTH]}..."
    if error["type"] == "extra_forbidden":
        return WrongParameter(
            parameter=name[:MAX_VALUE_LENGTH],
            expected="one of the parameters that /docs lists",
            detail="Unknown parameter",
        )
    if error["type"] == REPEATED:
        return WrongParameter(
            parameter=name, expected="one value", detail=f"'{shown}': {error['msg']}"
        )
    return WrongParameter(
        parameter=name,
        expected=expected.get(name, "another value, see /docs"),
        detail=f"'{shown}': {error['msg']}",
    )
