"""The one definition of what the API answers with."""

import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict


def _in(unit: str) -> JsonDict:
    """What the OpenAPI document says of a field's unit."""
    return {"unit": unit}


Celsius = Annotated[float, Field(json_schema_extra=_in("°C"), examples=[11.4])]
Millimetres = Annotated[float, Field(json_schema_extra=_in("mm"), examples=[2.3])]
KilometresPerHour = Annotated[float, Field(json_schema_extra=_in("km/h"), examples=[14.8])]


class DailyWeather(BaseModel):
    """One local day of one location, a row of the mart; a statistic without a value is null."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    location: str = Field(
        description="Id of the location, as in locations.yaml.", examples=["lyon"]
    )
    date: datetime.date = Field(
        description="The day, in the location's time zone.", examples=["2026-11-20"]
    )
    temp_min_c: Celsius | None = Field(description="Lowest temperature of the day's hours, in °C.")
    temp_max_c: Celsius | None = Field(description="Highest temperature of the day's hours, in °C.")
    temp_avg_c: Celsius | None = Field(description="Mean temperature of the day's hours, in °C.")
    total_precipitation_mm: Millimetres | None = Field(
        description="Sum of the day's rain, showers and snow, in mm of water."
    )
    avg_windspeed_kmh: KilometresPerHour | None = Field(
        description="Mean wind speed of the day's hours at 10 m, in km/h."
    )
    hours: int = Field(
        ge=0,
        le=25,
        description="Hours of the local day that have a temperature.",
        examples=[24],
        json_schema_extra=_in("h"),
    )
    is_complete: bool = Field(
        description="Whether these are as many hours as the local day has: 23, 24 or 25."
    )
