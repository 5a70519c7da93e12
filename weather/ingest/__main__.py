"""`python -m weather.ingest`: take the hours of a window at the locations of a shard."""

import argparse
import json
import logging
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from weather.errors import ExitCode, StepError
from weather.ingest.job import Job
from weather.ingest.patience import DEFAULT_PATIENCE, Patience
from weather.ingest.report import store_report
from weather.ingest.run import Tally, ingest
from weather.locations import read_locations
from weather.settings import PipelineSettings, SourceSettings, StoreSettings, read_settings
from weather.storage import Store
from weather.window import window_of_environment


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise StepError(f"{message}. See python -m weather.ingest --help.", ExitCode.SETTING)


def main(arguments: Sequence[str] | None = None, *, patience: Patience = DEFAULT_PATIENCE) -> int:
    """Run the step and print what it did as one line of JSON; the exit code is an ExitCode."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    logging.getLogger("ingest").setLevel(logging.INFO)
    try:
        _run(arguments, patience)
    except StepError as error:
        print(f"ingest: {error}", file=sys.stderr)
        return error.exit_code
    return ExitCode.OK


def _run(arguments: Sequence[str] | None, patience: Patience) -> None:
    source = read_settings(SourceSettings)
    settings = read_settings(StoreSettings)
    job = _job(arguments)
    store = Store(settings)
    tally = Tally()
    try:
        ingest(job, source, store, tally, patience=patience)
    finally:
        store_report(job, tally, store)
        summary = {
            "hours": job.window.hours,
            "locations": len(job.locations),
            "accepted": tally.accepted,
            "rejected": len(tally.rejected),
            "calls": tally.calls,
            "retries": tally.retries,
            "bytes": tally.received,
        }
        print(json.dumps(summary), flush=True)


def _job(arguments: Sequence[str] | None) -> Job:
    given = _parse(arguments)
    window = window_of_environment(given.start, given.end)
    shard, shards = _whole(given.shard, "WEATHER_SHARD"), _whole(given.shards, "WEATHER_SHARDS")
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
        description="Take the hours of a window at the locations of a shard, and keep every "
        "answer whole in the store. Arguments win over the environment.",
        allow_abbrev=False,
    )
    for name, variable, default, text in (
        ("--start", "WEATHER_WINDOW_START", None, "the first hour, ISO 8601 in UTC"),
        ("--end", "WEATHER_WINDOW_END", None, "the hour after the last one"),
        ("--shard", "WEATHER_SHARD", "0", "which part of the locations, from 0"),
        ("--shards", "WEATHER_SHARDS", "1", "how many parts there are"),
    ):
        parser.add_argument(
            name,
            default=os.environ.get(variable) or default,
            help=f"{text} (environment: {variable})",
        )
    return parser.parse_args(arguments)


def _whole(text: str, name: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise StepError(f"{name}: '{text}' is no whole number.", ExitCode.SETTING) from None


if __name__ == "__main__":
    sys.exit(main())
