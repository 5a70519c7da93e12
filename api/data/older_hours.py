"""Hours that are too old to be held in memory: read from the lake, a few requests at a time."""

from collections.abc import Iterator
from concurrent.futures import wait
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from queue import Empty, LifoQueue
from threading import BoundedSemaphore, Timer
from time import monotonic

from api.data.background import in_background
from api.data.mart import HOURS_COLUMNS
from api.data.rows import HourlyWeather
from api.data.series import Series
from api.data.snapshots import Snapshot, reading, without_zone
from weather.ducklake import LakeDoor
from weather.errors import ExitCode, StepError
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

    def __init__(self, settings: LakeSettings, *, seconds: float = SECONDS_TO_READ) -> None:
        """Prepare it; nothing is read yet.

        Args:
            settings: the lake that is read.
            seconds: how long a request waits for its turn and its hours.
        """
        self._seconds = seconds
        self._line = BoundedSemaphore(IN_LINE)
        # The last one that was used comes first: another is prepared only when it is needed.
        self._doors: LifoQueue[LakeDoor] = LifoQueue()
        for _ in range(AT_ONCE):
            self._doors.put(LakeDoor(settings))

    def read(self, published: Published, location: str, since: datetime, until: datetime) -> Series:
        """A location's hours h with since <= h < until.

        Raises:
            StepError: too many wait already, or the lake cannot be read within some seconds.
        """
        deadline = monotonic() + self._seconds
        with self._place_in_line():
            try:
                door = self._doors.get(timeout=self._seconds)
            except Empty:
                raise self._too_slow() from None
            hours = in_background(partial(self._read, door, published, location, since, until))
            wait([hours], deadline - monotonic())
            if not hours.done():
                raise self._too_slow()
            return hours.result()

    def _read(
        self,
        door: LakeDoor,
        published: Published,
        location: str,
        since: datetime,
        until: datetime,
    ) -> Series:
        try:
            with (
                door.opened(published.snapshot_id) as lake,
                reading(lake, published) as snapshot,
                self._in_time(snapshot),
            ):
                return snapshot.series(
                    HOURS,
                    HourlyWeather,
                    "hour_timestamp",
                    location=location,
                    since=without_zone(since),
                    until=without_zone(until),
                )
        finally:
            # Not when the request gives up: what reads may never be more than these. And before
            # anybody hears of the result: whoever comes next finds it.
            self._doors.put(door)

    @contextmanager
    def _in_time(self, snapshot: Snapshot) -> Iterator[None]:
        # Nobody waits for it any more then.
        timer = Timer(self._seconds, snapshot.interrupt)
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    @contextmanager
    def _place_in_line(self) -> Iterator[None]:
        if not self._line.acquire(blocking=False):
            raise StepError(
                "Too many requests for older hours at once. Ask again in a few seconds.",
                ExitCode.UNAVAILABLE,
            )
        try:
            yield
        finally:
            self._line.release()

    def _too_slow(self) -> StepError:
        return StepError(
            f"The lake has not given older hours within {self._seconds:g} seconds. "
            "See that the catalog and the store are running.",
            ExitCode.UNAVAILABLE,
        )
