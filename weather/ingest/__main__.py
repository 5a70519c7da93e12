"""`python -m weather.ingest`: fetch the hours of a window at the locations of a shard."""

import argparse
import json
import logging
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from weather.errors import ExitCode, StepError
from weather.ingest.fetch import DEFAULT_RETRY_POLICY, RetryPolicy, now_in_utc
from weather.ingest.job import Job, Stats
from weather.ingest.run import ingest
from weather.locations import read_locations
from weather.reports import ShardReport, shard_report_key
from weather.settings import PipelineSettings, SourceSettings, StoreSettings, read_settings
from weather.storage import Store
from weather.window import window_of_environment

log = logging.getLogger("ingest")


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise StepError(f"{message}. See python -m weather.ingest --help.", ExitCode.SETTING)


def main(
    arguments: Sequence[str] | None = None, *, retry_policy: RetryPolicy = DEFAULT_RETRY_POLICY
) -> int:
    """Run the step, print a summary as one line of JSON, and return the exit code."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    log.setLevel(logging.INFO)
    try:
        _run(arguments, retry_policy)
    except StepError as error:
        print(f"ingest: {error}", file=sys.stderr)
        return error.exit_code
    return ExitCode.OK


def _run(arguments: Sequence[str] | None, retry_policy: RetryPolicy) -> None:
    source = read_settings(SourceSettings)
    settings = read_settings(StoreSettings)
    job = _job(arguments)
    store = Store(settings)
    stats = Stats()
    try:
        ingest(job, source, store, stats, retry_policy=retry_policy)
    finally:
        _store_report(job, stats, store)
        summary = {
            "hours": job.window.hours,
            "locations": len(job.locations),
            "accepted": stats.accepted,
            "rejected": len(stats.rejected),
            "calls": stats.calls,
            "retries": stats.retries,
            "bytes": stats.bytes_received,
        }
        print(json.dumps(summary), flush=True)


def _job(arguments: Sequence[str] | None) -> Job:
    parsed = _parse(arguments)
    window = window_of_environment(parsed.start, parsed.end)
    shard = _integer(parsed.shard, "WEATHER_SHARD")
    shards = _integer(parsed.shards, "WEATHER_SHARDS")
    locations = read_locations(read_settings(PipelineSettings).weather_locations)
    try:
        return Job(window, shard, shards, locations)
    except ValueError as error:
        raise StepError(
            f"WEATHER_SHARD, WEATHER_SHARDS: {error}. Shards count from 0.", ExitCode.SETTING
        ) from None


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = _Parser(
        prog="python -m weather.ingest",
        description="Fetch the hours of a window at the locations of a shard, and store every "
        "response unchanged. Arguments override the environment.",
        allow_abbrev=False,
    )
    for name, variable, default, text in (
        ("--start", "WEATHER_WINDOW_START", None, "the first hour, ISO 8601 in UTC"),
        ("--end", "WEATHER_WINDOW_END", None, "the hour after the last one"),
        ("--shard", "WEATHER_SHARD", "0", "this shard's number, from 0"),
        ("--shards", "WEATHER_SHARDS", "1", "number of shards"),
    ):
        parser.add_argument(
            name,
            default=os.environ.get(variable) or default,
            help=f"{text} (environment: {variable})",
        )
    return parser.parse_args(arguments)


def _integer(text: str, name: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise StepError(f"{name}: '{text}' is not an integer.", ExitCode.SETTING) from None


def _store_report(job: Job, stats: Stats, store: Store) -> None:
    """Store the shard's report. Replace the report of an earlier try."""
    report = ShardReport(
        window_start=job.window.start,
        window_end=job.window.end,
        shard=job.shard,
        shards=job.shards,
        finished_at=now_in_utc(),
        hours_asked=job.window.hours * len(job.locations),
        hours_received=stats.hours_accepted,
        hours_rejected=stats.hours_rejected,
        calls=stats.calls,
        retries=dict(stats.retries),
        bytes=stats.bytes_received,
    )
    key = shard_report_key(job.window, job.shard, job.shards)
    try:
        store.put(key, report.model_dump_json().encode())
    except StepError as error:
        # The responses are stored, and the report is only a summary of them.
        log.warning("The report of this shard was not stored. %s", error)


if __name__ == "__main__":
    sys.exit(main())
