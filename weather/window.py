"""Windows of whole hours in UTC, and their names in keys of the store."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from weather.errors import ExitCode, StepError

HOUR = timedelta(hours=1)

EARLIEST = datetime(2020, 1, 1, tzinfo=UTC)
"""First hour that a run may fetch: older dates are typing errors, or mean "no start"."""

_KEY_FORMAT = "%Y%m%dT%H%MZ"


def first_hour_from(moment: datetime) -> datetime:
    """Round up to a whole hour in UTC.

    Raises:
        ValueError: the hour is outside of the years 1 to 9999.
    """
    try:
        moment = moment.astimezone(UTC)
        hour = moment.replace(minute=0, second=0, microsecond=0)
        return hour if hour == moment else hour + HOUR
    except OverflowError:
        raise ValueError(f"{moment.isoformat()} is not within the years 1 to 9999") from None


@dataclass(frozen=True)
class Window:
    """Hours h with start <= h < end. Both ends are whole hours in UTC, at least one hour apart."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        for edge in (self.start, self.end):
            if edge.utcoffset() != timedelta(0) or first_hour_from(edge) != edge:
                raise ValueError(f"{edge.isoformat()} is not a whole hour in UTC")
        if self.start >= self.end:
            raise ValueError(f"{self.start.isoformat()} is not before {self.end.isoformat()}")

    @property
    def hours(self) -> int:
        """Number of hours."""
        return (self.end - self.start) // HOUR

    @property
    def last_hour(self) -> datetime:
        """The last hour in the window."""
        return self.end - HOUR

    @property
    def key(self) -> str:
        """Name of the window in keys of the store. Names sort by time."""
        return "_".join(edge.strftime(_KEY_FORMAT) for edge in (self.start, self.end))

    def pieces(self, hours: int) -> Iterator["Window"]:
        """Split the window into windows of that many hours. The last window may be shorter."""
        start = self.start
        while start < self.end:
            end = min(start + hours * HOUR, self.end)
            yield Window(start, end)
            start = end


def window_of_key(key: str) -> Window:
    """Parse the `key` of a window.

    Raises:
        ValueError: not a window's key.
    """
    start, end = (
        datetime.strptime(edge, _KEY_FORMAT).replace(tzinfo=UTC) for edge in key.split("_")
    )
    return Window(start, end)


def lookback_window(end: datetime, lookback_hours: int) -> Window:
    """Return the window of that many hours up to the last hour before `end`."""
    end_hour = first_hour_from(end)
    return Window(end_hour - lookback_hours * HOUR, end_hour)


def wide_window(start: str | None, end: str | None, run_end: datetime, lookback: int) -> Window:
    """Return the window of a run with the DAG params `window_start` and `window_end`.

    Args:
        start: first hour, ISO 8601; by default, `lookback` hours before the end.
        end: exclusive end, ISO 8601; by default and at most `run_end`, because later hours have
            not happened yet.
        run_end: end of the run's data interval.
        lookback: hours.

    Raises:
        ValueError: there is no such window; one line that names the param and its value.
    """
    if run_end <= EARLIEST:
        raise ValueError(
            f"the run's data interval ends at {run_end.isoformat()}, before the earliest hour, "
            f"{EARLIEST.isoformat()}"
        )
    first = _moment_of("window_start", start, EARLIEST) if start else None
    last = _moment_of("window_end", end, EARLIEST + HOUR) if end else run_end
    if (first or last - lookback * HOUR) >= run_end:
        named = f"window_start: {start!r}" if first else f"window_end: {end!r}"
        raise ValueError(
            f"{named}: its hours have not happened yet when the run's data interval ends, at "
            f"{run_end.isoformat()}"
        )
    end_hour = first_hour_from(min(last, run_end))
    if first is None:
        return lookback_window(end_hour, lookback)
    if first_hour_from(first) >= end_hour:
        raise ValueError(f"window_start: {start!r} is not before window_end: {end!r}")
    return Window(first_hour_from(first), end_hour)


def _moment_of(name: str, text: str, earliest: datetime) -> datetime:
    try:
        moment = parse_moment(text)
    except (TypeError, ValueError):
        raise ValueError(
            f"{name}: {text!r} is not a date and time such as 2026-11-20T05:00:00Z"
        ) from None
    if moment < earliest:
        raise ValueError(
            f"{name}: {text!r} is before {earliest.isoformat()}, the earliest possible"
        )
    return moment


def parse_moment(text: str) -> datetime:
    """Parse a date and time in ISO 8601. A time without an offset is in UTC.

    Raises:
        ValueError: not a date and time in ISO 8601.
    """
    moment = datetime.fromisoformat(text)
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{text!r} is not within the years 1 to 9999 in UTC") from None


def window_of_environment(start: str | None, end: str | None) -> Window:
    """Return the window of WEATHER_WINDOW_START and WEATHER_WINDOW_END.

    Raises:
        StepError: a variable is missing or malformed.
    """
    for name, text in (("WEATHER_WINDOW_START", start), ("WEATHER_WINDOW_END", end)):
        if not text:
            raise StepError(
                f"{name} is missing. Set it to an hour like 2026-11-20T05:00:00+00:00.",
                ExitCode.SETTING,
            )
    try:
        return Window(parse_moment(start or ""), parse_moment(end or ""))
    except ValueError as error:
        raise StepError(
            f"WEATHER_WINDOW_START, WEATHER_WINDOW_END: {error}. Give two whole hours in UTC.",
            ExitCode.SETTING,
        ) from None
