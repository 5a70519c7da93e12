"""Read hours that are not in memory from the lake, with a limit on concurrent queries."""

from collections.abc import Iterator
from concurrent.futures import wait
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from queue import Empty, LifoQueue
from threading import BoundedSemaphore, Timer
from time import monotonic

from api.data.lake import LakeReader, in_background, lake_reader, naive_utc
from api.data.row_models import HourlyWeather
from api.data.series import Series
from api.data.snapshot import HOURS_COLUMNS
from weather.ducklake import LakeConnection
from weather.errors import ExitCode, StepError
from weather.published import Published
from weather.settings import LakeSettings

MAX_CONCURRENT = 2
MAX_WAITING = 8
"""Limit of running and waiting requests. Further requests are rejected."""

TIMEOUT_SECONDS = 20.0

HOURS = f"""
    {HOURS_COLUMNS}
    WHERE location_id = $location AND hour_timestamp >= $since AND hour_timestamp < $until
    ORDER BY hour_timestamp DESC
"""


class OlderHours:
    """A small pool of lake connections for queries of older hours."""

    def __init__(self, settings: LakeSettings, *, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        """Create the pool without connecting.

        Args:
            settings: the lake.
            timeout_seconds: seconds for waiting and reading together.
        """
        self._timeout_seconds = timeout_seconds
        self._waiting = BoundedSemaphore(MAX_WAITING)
        # Last in, first out: a second connection is opened only when it is needed.
        self._lakes: LifoQueue[LakeConnection] = LifoQueue()
        for _ in range(MAX_CONCURRENT):
            self._lakes.put(LakeConnection(settings))

    def read(self, published: Published, location: str, since: datetime, until: datetime) -> Series:
        """Return a location's hours with since <= hour < until.

        Raises:
            StepError: too many requests are waiting, or the lake cannot be read in time.
        """
        deadline = monotonic() + self._timeout_seconds
        with self._limited():
            try:
                lake = self._lakes.get(timeout=self._timeout_seconds)
            except Empty:
                raise self._timeout() from None
            hours = in_background(partial(self._read, lake, published, location, since, until))
            wait([hours], deadline - monotonic())
            if not hours.done():
                raise self._timeout()
            return hours.result()

    def _read(
        self,
        lake: LakeConnection,
        published: Published,
        location: str,
        since: datetime,
        until: datetime,
    ) -> Series:
        try:
            with (
                lake.attached(published.snapshot_id) as connection,
                lake_reader(connection, published) as reader,
                self._cancelled_after_timeout(reader),
            ):
                return reader.series(
                    HOURS,
                    HourlyWeather,
                    "hour_timestamp",
                    location=location,
                    since=naive_utc(since),
                    until=naive_utc(until),
                )
        finally:
            # After the query, not after the request's timeout: queries must not exceed the pool.
            # Before the result: the next request then finds the connection.
            self._lakes.put(lake)

    @contextmanager
    def _cancelled_after_timeout(self, reader: LakeReader) -> Iterator[None]:
        timer = Timer(self._timeout_seconds, reader.interrupt)
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    @contextmanager
    def _limited(self) -> Iterator[None]:
        if not self._waiting.acquire(blocking=False):
            raise StepError(
                "Too many concurrent requests for older hours. Try again in a few seconds.",
                ExitCode.UNAVAILABLE,
            )
        try:
            yield
        finally:
            self._waiting.release()

    def _timeout(self) -> StepError:
        return StepError(
            f"The lake has not returned older hours within {self._timeout_seconds:g} seconds. "
            "Check that the catalog and the store are running.",
            ExitCode.UNAVAILABLE,
        )
