"""Load new snapshots in a background thread, so that requests never wait for the store."""

import logging
import threading
from collections.abc import Sequence
from concurrent.futures import Future, wait
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from math import inf
from pathlib import Path
from time import monotonic

from api.data.lake import in_background
from api.data.served import LoadProblem, ServedData
from api.data.snapshot import Snapshot, load_snapshot
from api.http.cache import ResponseCache
from weather.ducklake import LakeConnection, require_published_lake
from weather.errors import ExitCode, StepError
from weather.locations import Location, read_locations
from weather.published import Published, read_published
from weather.settings import LakeSettings
from weather.storage import Store

CHECK_INTERVAL_SECONDS = 2.0
LAKE_CHECK_INTERVAL_SECONDS = 30.0
"""Seconds between checks that the lake can still be read; the store is read at every check."""
LAKE_TIMEOUT_SECONDS = 30.0
START_TIMEOUT_SECONDS = 15.0
STOP_TIMEOUT_SECONDS = 5.0

log = logging.getLogger("api.watcher")


class SnapshotWatcher:
    """Background thread that replaces `served` after another snapshot is published."""

    def __init__(
        self,
        settings: LakeSettings,
        locations_file: Path,
        max_cache_bytes: int,
        *,
        lake_check_interval_seconds: float = LAKE_CHECK_INTERVAL_SECONDS,
        lake_timeout_seconds: float = LAKE_TIMEOUT_SECONDS,
    ) -> None:
        """Read the locations, but neither the store nor the lake.

        Args:
            settings: the lake.
            locations_file: the locations, read again with each snapshot.
            max_cache_bytes: memory for cached responses.
            lake_check_interval_seconds: seconds between checks of the lake.
            lake_timeout_seconds: seconds until a check of the lake fails.

        Raises:
            StepError: the settings or the locations are wrong.
        """
        self.served = ServedData(read_locations(locations_file), ResponseCache(max_cache_bytes))
        self._max_cache_bytes = max_cache_bytes
        self._settings = settings
        self._locations_file = locations_file
        # The next check is the retry.
        self._store = Store(settings, connect_seconds=2, read_seconds=5, attempts=1)
        self._lake = LakeConnection(settings)
        self._lake_check_interval_seconds = lake_check_interval_seconds
        self._lake_timeout_seconds = lake_timeout_seconds
        self._lake_checked_at = -inf
        self._lake_check: Future[Snapshot] | None = None
        self._checked_once = threading.Event()
        self._stopped = threading.Event()

    def start(self) -> None:
        """Start checking, and wait a limited time for the first check."""
        # A daemon thread, because a lake that never responds must not keep the process running.
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
        self._thread.start()
        self._checked_once.wait(START_TIMEOUT_SECONDS)

    def stop(self) -> None:
        """Stop checking, and wait a limited time for a running check."""
        self._stopped.set()
        self._thread.join(STOP_TIMEOUT_SECONDS)

    def _run(self) -> None:
        while not self._stopped.is_set():
            self.served = self._checked(self.served)
            self._checked_once.set()
            self._stopped.wait(CHECK_INTERVAL_SECONDS)

    def _checked(self, served: ServedData) -> ServedData:
        """Check for a new snapshot once. After a failure, return the loaded snapshot."""
        now = datetime.now(UTC)
        problem = LoadProblem.NO_STORE
        try:
            published = read_published(self._store)
            if published is None:
                problem = LoadProblem.NOTHING_PUBLISHED
                self._log_change(served, problem, "Run weather_pipeline once.")
                return replace(served, problem=problem, checked_at=now)
            problem = LoadProblem.NO_LAKE
            snapshot = self._checked_snapshot(served, published)
            if snapshot is not served.snapshot:
                served = self._with_snapshot(served, snapshot)
            return replace(served, problem=None, checked_at=now)
        except StepError as error:
            self._log_change(served, problem, str(error))
        except Exception:
            # Checks continue, because the next snapshot may load.
            log.exception("The published snapshot cannot be loaded")
            problem = LoadProblem.DEFECT
        return replace(served, problem=problem, checked_at=now, failures=served.failures + 1)

    def _checked_snapshot(self, served: ServedData, published: Published) -> Snapshot:
        """Return the loaded snapshot, or load a newer snapshot. Check the lake if a check is due.

        Raises:
            StepError: the lake cannot be read, or has not responded yet.
        """
        snapshot = served.snapshot
        loaded = snapshot if snapshot and snapshot.published == published else None
        if self._lake_check is None:
            is_early = monotonic() < self._lake_checked_at + self._lake_check_interval_seconds
            if loaded and not served.problem and is_early:
                return loaded
            self._lake_checked_at = monotonic()
            self._lake_check = in_background(partial(self._read_lake, loaded, published))
        deadline = self._lake_checked_at + self._lake_timeout_seconds
        wait([self._lake_check], max(0, deadline - monotonic()))
        if not self._lake_check.done():
            raise StepError(
                f"The lake has not responded within {self._lake_timeout_seconds:g} seconds.",
                ExitCode.UNAVAILABLE,
            )
        check, self._lake_check = self._lake_check, None
        return check.result()

    def _read_lake(self, loaded: Snapshot | None, published: Published) -> Snapshot:
        # The cheap check first: loading from an unreachable lake takes much CPU time.
        with self._lake.attached(published.snapshot_id) as lake:
            require_published_lake(published, lake)
        return loaded or load_snapshot(self._settings, published)

    def _with_snapshot(self, served: ServedData, snapshot: Snapshot) -> ServedData:
        log.info("Serving snapshot %d of the lake", snapshot.published.snapshot_id)
        try:
            # A location may have been added.
            locations: Sequence[Location] = read_locations(self._locations_file)
        except StepError as error:
            log.warning("%s The API continues with the previous locations.", error)
            locations = served.locations
        return replace(
            served,
            snapshot=snapshot,
            locations=locations,
            responses=ResponseCache(self._max_cache_bytes),
            reloads=served.reloads + 1,
        )

    @staticmethod
    def _log_change(served: ServedData, problem: LoadProblem, reason: str) -> None:
        """Log a problem once, not at every check of a long outage."""
        if served.problem is not problem:
            log.warning("%s %s", problem.partition(";")[0].rstrip("."), reason)
