"""The steps of an hour's run as the DAG has them, in one process that starts only once."""

import logging
import os
from contextlib import redirect_stderr, redirect_stdout
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

import httpx
from dbt.cli.main import dbtRunner

from bench.lake import BUILD, Lake
from local.processes import describe_log
from weather.errors import ExitCode, StepError
from weather.ingest.__main__ import main as ingest
from weather.ingest.fetch import RetryPolicy
from weather.ingest.open_meteo import Timeouts
from weather.lake.__main__ import main as lake_step
from weather.lake.upkeep import Maintenance, maintain
from weather.settings import LakeSettings, read_settings
from weather.window import Window

RETRY_POLICY = RetryPolicy(
    first_backoff=0.05, longest_backoff=0.2, minute=0.2, timeouts=Timeouts(connect=2, read=1)
)
"""As many tries as a real run has, and no time lost between them."""


class Ending(StrEnum):
    """How an hour's run ended."""

    WELL = "ended well"
    INGEST_FAILED = "published what arrived; ingest red"
    NOT_PUBLISHED = "not published; run again"


class Steps:
    """Runs the steps on a lake; their output goes to a file."""

    def __init__(self, lake: Lake, log: Path) -> None:
        """Take over the process's environment."""
        os.environ |= lake.environment
        self.settings = read_settings(LakeSettings)
        self._source = lake.environment["OPEN_METEO_URL"]
        self._log = log
        logging.basicConfig(filename=log, format="%(message)s", force=True)

    def run(self, window: Window, fault: str) -> Ending:
        """A whole run while the source has a fault, whose models run whatever ingest brought.

        Raises:
            StepError: publish fails, which no fault of the source may bring about.
        """
        httpx.post(f"{self._source}/replay/faults", content=fault).raise_for_status()
        os.environ["WEATHER_WINDOW_START"] = window.start.isoformat()
        os.environ["WEATHER_WINDOW_END"] = window.end.isoformat()
        with self._log.open("a") as log, redirect_stdout(log), redirect_stderr(log):
            ingested = ingest(["--shard", "0", "--shards", "1"], retry_policy=RETRY_POLICY)
            if not dbtRunner().invoke(["--quiet", *BUILD[1:]]).success:
                return Ending.NOT_PUBLISHED
            published = lake_step(["publish"])
        if published:
            raise StepError(f"publish failed; {describe_log(self._log)}")
        return Ending.WELL if ingested == ExitCode.OK else Ending.INGEST_FAILED

    def keep_up(self, *, last_week: timedelta, last_day: timedelta) -> Maintenance:
        """The day's upkeep, told how long the lake's last week and last day have taken here."""
        return maintain(self.settings, kept=last_week, grace=last_day)
