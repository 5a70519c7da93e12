"""The one definition of what the API answers with; everything else is made from these models."""

import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

UNIT = "x-unit"


def _in(unit: str) -> JsonDict:
    """Document a field's unit: OpenAPI allows own keywords that begin with `x-`."""
    return {UNIT: unit}


Celsius = Annotated[float, Field(json_schema_extra=_in("°C"), examples=[11.4])]
Millimetres = Annotated[float, Field(json_schema_extra=_in("mm"), examples=[2.3])]
KilometresPerHour = Annotated[float, Field(json_schema_extra=_in("km/h"), examples=[14.8])]
Degrees = Annotated[float, Field(json_schema_extra=_in("°"))]


class Row(BaseModel):
    """What is measured or known at one place; a value that is missing is null."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class WeatherRow(Row):
    """What is measured at one of the locations."""

    location: str = Field(
        description="Id of the location, as in locations.yaml.", examples=["lyon"]
    )


class DailyWeather(WeatherRow):
    """One local day of one location, a row of the mart; a statistic without a value is null."""

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


class HourlyWeather(WeatherRow):
    """One hour of one location; a value that is missing or impossible is null."""

    hour_timestamp: datetime.datetime = Field(
        description="The hour, in UTC.", examples=["2026-11-20T05:00:00Z"]
    )
    temperature_c: Celsius | None = Field(description="Air temperature at 2 m at the hour, in °C.")
    precipitation_mm: Millimetres | None = Field(
        description="Rain, showers and snow of the hour before, in mm of water."
    )
    windspeed_kmh: KilometresPerHour | None = Field(
        description="Wind speed at 10 m at the hour, in km/h."
    )
    fetched_at: datetime.datetime = Field(
        description="When the newest response for the hour was received, in UTC.",
        examples=["2026-11-20T06:07:12Z"],
    )


class _Statistics(WeatherRow):
    """What is reckoned from the days of a month or a year."""

    temp_min_c: Celsius | None = Field(description="Lowest temperature of all days, in °C.")
    temp_max_c: Celsius | None = Field(description="Highest temperature of all days, in °C.")
    temp_avg_c: Celsius | None = Field(
        description="Mean of the days' mean temperatures, each weighted by its hours, in °C."
    )
    total_precipitation_mm: Millimetres | None = Field(
        description="Sum of the days' rain, showers and snow, in mm of water."
    )
    avg_windspeed_kmh: KilometresPerHour | None = Field(
        description="Mean of the days' mean wind speeds, in km/h."
    )
    hours: int = Field(
        ge=0,
        description="Hours that have a temperature.",
        examples=[720],
        json_schema_extra=_in("h"),
    )
    days: int = Field(
        ge=1,
        description="Days that have any value.",
        examples=[30],
        json_schema_extra=_in("d"),
    )
    complete_days: int = Field(
        ge=0,
        description="Days that are complete.",
        examples=[30],
        json_schema_extra=_in("d"),
    )
    is_complete: bool = Field(
        description="Whether these are as many days as the calendar has for it."
    )


class _Month(WeatherRow):
    month: datetime.date = Field(
        description="The month, as its first day.", examples=["2026-11-01"]
    )


class _Year(WeatherRow):
    year: int = Field(description="The year.", examples=[2026])


# The base named last comes first in a row.
class MonthlyWeather(_Statistics, _Month):
    """One calendar month of one location, reckoned from its days."""


class YearlyWeather(_Statistics, _Year):
    """One calendar year of one location, reckoned from its days."""


class KnownLocation(Row):
    """A location, and what there is of it; the last four are null where there is nothing yet."""

    id: str = Field(description="Id of the location.", examples=["lyon"])
    name: str = Field(description="Its name.", examples=["Lyon"])
    latitude: Degrees = Field(description="Its own latitude, in °.", examples=[45.75])
    longitude: Degrees = Field(description="Its own longitude, in °.", examples=[4.85])
    timezone: str = Field(
        description="IANA time zone, in which its days are reckoned.", examples=["Europe/Paris"]
    )
    is_default: bool = Field(description="Whether it is meant where no location is named.")
    first_date: datetime.date | None = Field(description="Its oldest day.", examples=["2025-11-20"])
    last_date: datetime.date | None = Field(
        description="Its newest day, which may be incomplete.", examples=["2026-11-20"]
    )
    days: int | None = Field(
        description="How many days it has.", examples=[366], json_schema_extra=_in("d")
    )
    newest_hour: datetime.datetime | None = Field(
        description=(
            "Its newest hour with a value, in UTC; where that is more than a week older than the "
            "newest run, the newest day's midnight."
        ),
        examples=["2026-11-20T05:00:00Z"],
    )
