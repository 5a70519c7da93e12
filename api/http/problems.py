"""Errors as RFC 9457 has them: application/problem+json, which says what to do."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from api.routes.queries import EXPECTED

MEDIA_TYPE = "application/problem+json"

MOST_ERRORS = 10
"""The most wrong parameters that are named."""

REPEATED = "repeated"
"""The type of the error that a parameter comes again."""

LONGEST_VALUE = 60
"""The most characters of a wrong value that are repeated."""


class WrongParameter(BaseModel):
    """A parameter that cannot be understood."""

    parameter: str = Field(description="Its name.", examples=["limit"])
    expected: str = Field(
        description="What it should have been.", examples=["a whole number of at least 1"]
    )
    detail: str = Field(
        description="What is wrong with it.", examples=["'-7': Input should be at least 1"]
    )


class Problem(BaseModel):
    """What went wrong, as RFC 9457 has it."""

    model_config = ConfigDict(json_schema_extra={"required": ["type", "title", "status", "detail"]})

    type: str = Field(default="about:blank", description="Nothing beyond the status.")
    title: str = Field(description="What the status is called.", examples=["Not Found"])
    status: int = Field(description="The status.", examples=[404])
    detail: str = Field(
        description="What is wrong, and what to do about it.",
        examples=["There is no data for 'lyon' yet. Run weather_pipeline in Airflow."],
    )
    errors: list[WrongParameter] | None = Field(
        None, description=f"The wrong parameters, where some are: the first {MOST_ERRORS}."
    )


def problem_response(
    status: int,
    detail: str,
    errors: Sequence[WrongParameter] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """An answer that says what is wrong; no cache may keep it."""
    problem = Problem(
        title=HTTPStatus(status).phrase, status=status, detail=detail, errors=list(errors) or None
    )
    return Response(
        problem.model_dump_json(exclude_none=True),
        status,
        {"Cache-Control": "no-store", **(headers or {})},
        MEDIA_TYPE,
    )


def explain_errors(app: FastAPI) -> None:
    """Let the app answer every error as a problem."""
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _wrong_parameters)
    app.add_exception_handler(Exception, _failed)


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    detail = error.detail
    if detail == HTTPStatus(error.status_code).phrase:
        detail = _DETAILS.get(error.status_code, detail)
    # Routes know of GET alone: the gateway makes the answer to HEAD of that to GET.
    headers = {"Allow": "GET, HEAD"} if error.status_code == 405 else error.headers
    return problem_response(error.status_code, detail, headers=headers)


_DETAILS = {
    404: "There is nothing at this path: /docs names all that there is.",
    405: "Nothing can be written here: ask with GET or HEAD.",
}


async def _wrong_parameters(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    errors = error.errors()
    wrong = [_wrong(each) for each in errors[:MOST_ERRORS]]
    sentences = [f"{each.parameter}: {each.expected} is expected" for each in wrong]
    if len(errors) > MOST_ERRORS:
        sentences.append(f"and {len(errors) - MOST_ERRORS} more are wrong")
    return problem_response(422, f"{'; '.join(sentences)}.", wrong)


def _wrong(error: Mapping[str, Any]) -> WrongParameter:
    name = [*error["loc"], "", ""][1]
    value = str(error["input"])
    shown = value if len(value) <= LONGEST_VALUE else f"{value[:LONGEST_VALUE]}..."
    if error["type"] == "extra_forbidden":
        return WrongParameter(
            parameter=str(name)[:LONGEST_VALUE],
            expected="no parameter of this name, as /docs lists those there are,",
            detail="It is not known here",
        )
    if error["type"] == REPEATED:
        return WrongParameter(
            parameter=str(name), expected="one value", detail=f"'{shown}': {error['msg']}"
        )
    return WrongParameter(
        parameter=str(name),
        expected=EXPECTED.get(str(name), "another value, as /docs says,"),
        detail=f"'{shown}': {error['msg']}",
    )


async def _failed(_: Request, __: Exception) -> Response:
    return problem_response(
        500, "A defect of this API; its log says which, under the answer's X-Request-ID."
    )
