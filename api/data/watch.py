"""The published snapshot, watched in the background: requests never wait for store or lake."""

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

from api.data.background import in_background
from api.data.mart import Mart, load_mart
from api.data.view import Problem, View
from api.http.ready import ReadyAnswers
from weather.ducklake import LakeDoor, require_published_lake
from weather.errors import ExitCode, StepError
from weather.locations import Location, read_locations
from weather.published import Published, read_published
from weather.settings import LakeSettings
from weather.storage import Store

SECONDS_BETWEEN_CHECKS = 2.0
SECONDS_BETWEEN_QUESTIONS = 30.0
"""How often the lake is asked whether it can still be opened; the store is at every check."""
SECONDS_TO_ANSWER = 30.0
"""How long the lake may take to answer before it counts as one that cannot be read."""
SECONDS_TO_START = 15.0
SECONDS_TO_STOP = 5.0

log = logging.getLogger("api.watch")


class Watch:
    """Replaces its view whenever another snapshot is published."""

    def __init__(
        self,
        settings: LakeSettings,
        locations_file: Path,
        most_bytes: int,
        *,
        seconds_between_questions: float = SECONDS_BETWEEN_QUESTIONS,
        seconds_to_answer: float = SECONDS_TO_ANSWER,
    ) -> None:
        """Prepare it; neither store nor lake is asked for anything yet.

        Args:
            settings: the lake that is watched.
            locations_file: the locations, read anew with each snapshot.
            most_bytes: memory for answers that are ready.
            seconds_between_questions: how often the lake is asked without need.
            seconds_to_answer: how long its answer may take before it is told as a problem.

        Raises:
            StepError: the settings or the locations are wrong.
        """
        self.view = View(read_locations(locations_file), ReadyAnswers(most_bytes))
        self._most_bytes = most_bytes
        self._settings = settings
        self._locations_file = locations_file
        # One attempt: the next check is the next one.
        self._store = Store(settings, connect_seconds=2, read_seconds=5, attempts=1)
        self._door = LakeDoor(settings)
        self._seconds_between_questions = seconds_between_questions
        self._seconds_to_answer = seconds_to_answer
        self._asked_at = -inf
        self._answer: Future[Mart] | None = None
        self._checked_once = threading.Event()
        self._stopped = threading.Event()

    def start(self) -> None:
        """Check now, and every few seconds from here on; the first check has some to end."""
        # A daemon: a lake that never answers must not keep the process from ending.
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
        self._thread.start()
        self._checked_once.wait(SECONDS_TO_START)

    def stop(self) -> None:
        """Check no more; a check under way has some seconds to end."""
        self._stopped.set()
        self._thread.join(SECONDS_TO_STOP)

    def _run(self) -> None:
        while not self._stopped.is_set():
            self.view = self._checked(self.view)
            self._checked_once.set()
            self._stopped.wait(SECONDS_BETWEEN_CHECKS)

    def _checked(self, view: View) -> View:
        """The view after a check; a check that fails keeps the mart that was there."""
        now = datetime.now(UTC)
        problem = Problem.NO_STORE
        try:
            published = read_published(self._store)
            if published is None:
                self._tell(view, Problem.NOTHING_PUBLISHED, "Run weather_pipeline once.")
                return replace(view, problem=Problem.NOTHING_PUBLISHED, checked_at=now)
            problem = Problem.NO_LAKE
            mart = self._mart(view, published)
            if mart is not view.mart:
                view = self._loaded(view, mart)
            return replace(view, problem=None, checked_at=now)
        except StepError as error:
            self._tell(view, problem, str(error))
        except Exception:
            # Not even a defect may end the checks: another snapshot may load.
            log.exception("The published snapshot cannot be loaded")
            problem = Problem.DEFECT
        return replace(view, problem=problem, checked_at=now, failures=view.failures + 1)

    def _mart(self, view: View, published: Published) -> Mart:
        """What the lake answers; the mart that is there, where it need not be asked.

        Raises:
            StepError: the lake cannot be opened or read, or has not answered yet.
        """
        known = view.mart if view.mart and view.mart.published == published else None
        if self._answer is None:
            is_early = monotonic() < self._asked_at + self._seconds_between_questions
            if known and not view.problem and is_early:
                return known
            self._asked_at = monotonic()
            self._answer = in_background(partial(self._asked, known, published))
        wait([self._answer], max(0, self._asked_at + self._seconds_to_answer - monotonic()))
        if not self._answer.done():
            raise StepError(
                f"The lake has not answered within {self._seconds_to_answer:g} seconds.",
                ExitCode.UNAVAILABLE,
            )
        answer, self._answer = self._answer, None
        return answer.result()

    def _asked(self, known: Mart | None, published: Published) -> Mart:
        # First, because trying to load from a lake that is away would take much CPU time.
        with self._door.opened(published.snapshot_id) as lake:
            require_published_lake(published, lake)
        return known or load_mart(self._settings, published)

    def _loaded(self, view: View, mart: Mart) -> View:
        log.info("Serving snapshot %d of the lake", mart.published.snapshot_id)
        try:
            # Read anew, because a city may have come into it since.
            locations: Sequence[Location] = read_locations(self._locations_file)
        except StepError as error:
            log.warning("%s Until then the locations stay as they were.", error)
            locations = view.locations
        return replace(
            view,
            mart=mart,
            locations=locations,
            answers=ReadyAnswers(self._most_bytes),
            reloads=view.reloads + 1,
        )

    @staticmethod
    def _tell(view: View, problem: Problem, reason: str) -> None:
        # Once, and not at every check of a long outage.
        if view.problem is not problem:
            log.warning("%s %s", problem.partition(";")[0].rstrip("."), reason)
