"""The steps of the DAG's hourly run, in one process."""

import logging
import os
from contextlib import redirect_stderr, redirect_stdout
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

import httpx

from bench.lake import BUILD, Lake
from local.processes import describe_log
from weather.errors import ExitCode, StepError
from weather.ingest.__main__ import main as ingest
from weather.ingest.fetch import RetryPolicy
from weather.ingest.http_json import Timeouts
from weather.lake.__main__ import main as lake_step
from weather.lake.upkeep import Maintenance, maintain
from weather.settings import LakeSettings, read_settings
from weather.window import Window

RETRY_POLICY = RetryPolicy(
    first_backoff=0.05, longest_backoff=0.2, minute=0.2, timeouts=Timeouts(connect=2, read=1)
)
"""The retries of a real run, with short waits."""


class Outcome(StrEnum):
    """Outcome of an hour's run."""

    SUCCESS = "success"
    INGEST_FAILED = "published, but ingest failed"
    NOT_PUBLISHED = "not published, run again"


class Steps:
    """The steps on one lake, with their output in a log."""

    def __init__(self, lake: Lake, log: Path) -> None:
        """Prepare the steps, and set this process's environment."""
        os.environ |= lake.environment
        self.settings = read_settings(LakeSettings)
        self._source = lake.environment["OPEN_METEO_URL"]
        self._log = log
        logging.basicConfig(filename=log, format="%(message)s", force=True)

    def run(self, window: Window, fault: str) -> Outcome:
        """Run all steps while the source has a fault. The models run even if ingest fails.

        Raises:
            StepError: publish fails, which no fault of the source may cause.
        """
        from dbt.cli.main import dbtRunner

        httpx.post(f"{self._source}/replay/faults", content=fault).raise_for_status()
        os.environ["WEATHER_WINDOW_START"] = window.start.isoformat()
        os.environ["WEATHER_WINDOW_END"] = window.end.isoformat()
        with self._log.open("a") as log, redirect_stdout(log), redirect_stderr(log):
            ingested = ingest(["--shard", "0", "--shards", "1"], retry_policy=RETRY_POLICY)
            if not dbtRunner().invoke(["--quiet", *BUILD[1:]]).success:
                return Outcome.NOT_PUBLISHED
            published = lake_step(["publish"])
        if published:
            raise StepError(f"publish failed; {describe_log(self._log)}")
        return Outcome.SUCCESS if ingested == ExitCode.OK else Outcome.INGEST_FAILED

    def keep_up(self, *, last_week: timedelta, last_day: timedelta) -> Maintenance:
        """Run the daily upkeep, with retention times scaled to the duration of this test."""
        return maintain(self.settings, kept=last_week, grace=last_day)
