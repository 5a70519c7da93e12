"""The parameters of the weather routes, and what is wrong with them."""

import re
from datetime import date
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError


def _only_a_date(value: object) -> object:
    """Refuse what pydantic would take for a date as well, such as seconds since 1970."""
    if isinstance(value, str) and not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        raise PydanticCustomError("date_form", "A date in the form 2026-11-20 is expected")
    return value


Day = Annotated[date, BeforeValidator(_only_a_date)]


class LatestQuery(BaseModel):
    """Which location; a parameter that is none is refused rather than ignored."""

    model_config = ConfigDict(extra="forbid")

    location: str | None = Field(
        None,
        max_length=60,
        description="Id of the location; left out, the first of locations.yaml.",
        examples=["lyon"],
    )


class SummaryQuery(LatestQuery):
    """Which days of which location."""

    start: Day | None = Field(None, description="The first day wanted.", examples=["2026-11-01"])
    end: Day | None = Field(None, description="The last day wanted.", examples=["2026-11-20"])
    limit: int | None = Field(
        None, ge=1, description="The most days wanted; the newest are given.", examples=[7]
    )

    @field_validator("end")
    @classmethod
    def _not_before_start(cls, end: date | None, info: ValidationInfo) -> date | None:
        start = info.data.get("start")
        if start and end and end < start:
            raise PydanticCustomError(
                "date_order",
                "The end, {end}, is before the start, {start}",
                {"end": end.isoformat(), "start": start.isoformat()},
            )
        return end
