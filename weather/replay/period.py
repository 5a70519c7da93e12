"""The hours that a request asks for, in the time of its zone."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from weather.replay.refusal import Refusal

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

FIRST_DAY = datetime(1940, 1, 1)  # noqa: DTZ001 (in the zone that was asked for)
"""Where the service's oldest host begins; the replay serves all hosts."""

PAST_DAYS_MAX = 92
FORECAST_DAYS = 7
FORECAST_DAYS_MAX = 16

_DATE = "%Y-%m-%d"
_DATE_AND_TIME = "%Y-%m-%dT%H:%M"


@dataclass(frozen=True)
class Period:
    """Consecutive hours, in local time without an offset."""

    first_hour: datetime
    hours: int


def asked_period(parameters: Mapping[str, str], local_now: datetime) -> Period:
    """The hours between two hours or days (both inclusive), or around now.

    Hours win over days, and both over the days around now, of which there are seven from today
    on where nothing is asked for.

    Raises:
        Refusal: malformed, out of range, or two kinds that exclude each other.
    """
    dates = _ends(parameters, "start_date", "end_date", _DATE)
    hours = _ends(parameters, "start_hour", "end_hour", _DATE_AND_TIME)
    if dates is None and hours is None:
        return _period_around(parameters, local_now)
    for name in ("past_days", "forecast_days", "past_hours", "forecast_hours"):
        if _number(parameters, name):
            raise Refusal(
                f"Parameter '{name}' is mutually exclusive with 'start_date' and 'end_date'"
            )
    if hours is not None:
        period = _period_between(*hours, HOUR)
        names = ("start_hourly", "end_hourly")
    else:
        assert dates is not None
        period = _period_between(*dates, DAY)
        names = ("start_date", "end_date")
    _check_range(period, names, local_now)
    return period


def _ends(
    parameters: Mapping[str, str], start_name: str, end_name: str, form: str
) -> tuple[datetime, datetime] | None:
    texts = [parameters.get(name, "") for name in (start_name, end_name)]
    if not any(texts):
        return None
    if not all(texts):
        raise Refusal("Parameter 'start_date' and 'end_date' must have the same number of elements")
    if any("," in text for text in texts):
        raise Refusal("This replay takes one period in each call")
    try:
        start, end = (datetime.strptime(text, form) for text in texts)  # noqa: DTZ007 (likewise)
    except ValueError:
        asked_form = "YYYY-MM-DD" if form == _DATE else "YYYY-MM-DDTHH:mm"
        raise Refusal(f"Invalid date format. Make sure to use '{asked_form}'") from None
    if end < start:
        raise Refusal("End-date must be larger or equals than start-date")
    return start, end


def _period_between(start: datetime, end: datetime, step: timedelta) -> Period:
    first, last = (moment.replace(minute=0) for moment in (start, end))
    return Period(first, (last + step - first) // HOUR)


def _check_range(period: Period, names: tuple[str, str], local_now: datetime) -> None:
    end = _midnight(local_now) + FORECAST_DAYS_MAX * DAY
    last_hour = period.first_hour + (period.hours - 1) * HOUR
    for name, hour in zip(names, (period.first_hour, last_hour), strict=True):
        if not FIRST_DAY <= hour < end:
            raise Refusal(
                f"Parameter '{name}' is out of allowed range from {FIRST_DAY:{_DATE}} "
                f"to {end - DAY:{_DATE}}"
            )


def _period_around(parameters: Mapping[str, str], local_now: datetime) -> Period:
    past_hours, forecast_hours = _steps(parameters, "hours", 24)
    past_days, forecast_days = _steps(parameters, "days", 1)
    if past_hours is None and forecast_hours is None:
        start = _midnight(local_now)
        past = 24 * (past_days or 0)
        forecast = 24 * (FORECAST_DAYS if forecast_days is None else forecast_days)
    else:
        start = local_now.replace(minute=0, second=0, microsecond=0)
        past = past_hours or 0
        forecast = 24 * FORECAST_DAYS_MAX if forecast_hours is None else forecast_hours
    return Period(start - past * HOUR, past + forecast)


def _steps(parameters: Mapping[str, str], kind: str, a_day: int) -> tuple[int | None, int | None]:
    past, forecast = (_number(parameters, f"{way}_{kind}") for way in ("past", "forecast"))
    for way, given, most in (
        ("Forecast", forecast, FORECAST_DAYS_MAX * a_day),
        ("Past", past, PAST_DAYS_MAX * a_day),
    ):
        if given is not None and not 0 <= given <= most:
            raise Refusal(f"{way} days is invalid. Allowed range 0 to {most}. Given {given}.")
    return past, forecast


def _number(parameters: Mapping[str, str], name: str) -> int | None:
    text = parameters.get(name)
    if not text:
        return None
    try:
        return int(text)
    except ValueError:
        raise Refusal.of_value("Int", text, name) from None


def _midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)
