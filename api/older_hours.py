"""Hours that are too old to be held in memory: read from the lake, a few requests at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from threading import BoundedSemaphore, Timer

from api.mart import HOURS_COLUMNS
from api.rows import HourlyWeather
from api.series import Series
from api.snapshots import opened_snapshot, without_zone
from weather.exit_codes import ExitCode, StepError
from weather.published import Published
from weather.settings import LakeSettings

AT_ONCE = 2
IN_LINE = 8
"""Requests that are read or wait to be; the next one is refused, so that others are served."""

SECONDS_TO_READ = 20.0

HOURS = f"""
    {HOURS_COLUMNS}
    WHERE location_id = $location AND hour_timestamp >= $since AND hour_timestamp < $until
    ORDER BY hour_timestamp DESC
"""


class OlderHours:
    """Reads hours of a published snapshot; their answers are kept like all others."""

    def __init__(self, settings: LakeSettings) -> None:
        self._settings = settings
        self._line = BoundedSemaphore(IN_LINE)
        self._turns = BoundedSemaphore(AT_ONCE)

    def read(self, published: Published, location: str, since: datetime, until: datetime) -> Series:
        """A location's hours h with since <= h < until.

        Raises:
            StepError: too many wait already, or the lake cannot be read within some seconds.
        """
        with self._turn(), opened_snapshot(self._settings, published) as snapshot:
            timer = Timer(SECONDS_TO_READ, snapshot.interrupt)
            timer.start()
            try:
                return snapshot.series(
                    HOURS,
                    HourlyWeather,
                    "hour_timestamp",
                    location=location,
                    since=without_zone(since),
                    until=without_zone(until),
                )
            finally:
                timer.cancel()

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._line.acquire(blocking=False):
            raise StepError(
                "Too many requests for older hours at once. Ask again in a few seconds.",
                ExitCode.UNAVAILABLE,
            )
        try:
            with self._turns:
                yield
        finally:
            self._line.release()
