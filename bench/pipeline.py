"""Time ingest and transform for several lake sizes, and beside a plain dbt project."""

import time
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from statistics import median

from bench.lake import LOCATIONS, Lake, last_whole_hour, write_locations
from bench.results import Result
from bench.sandbox import Sandbox
from local.processes import Command, program, run_step
from local.session import Progress
from weather.schedule import DEFAULT_LOOKBACK_HOURS
from weather.window import HOUR, Window, lookback_window

DAY, MONTH, YEAR = 24, 720, 8760
"""Hours in the lakes."""

PLAIN_PROJECT = Path(__file__).with_name("plain_dbt")


class PlainRun:
    """A dbt project that rebuilds its tables, in a DuckDB file, from all raw files of a lake."""

    def __init__(self, sandbox: Sandbox, lake: Lake) -> None:
        self.database = sandbox.folder / f"plain-{lake.bucket}.duckdb"
        self._log = sandbox.log(f"plain-{lake.bucket}")
        self._environment = {
            **lake.environment,
            "PLAIN_DATABASE": str(self.database),
            "DBT_TARGET_PATH": str(sandbox.folder / "plain-target"),
        }

    def transform(self) -> None:
        """Build both models and run their tests in one dbt process."""
        paths = ["--project-dir", str(PLAIN_PROJECT), "--profiles-dir", str(PLAIN_PROJECT)]
        arguments = [program("dbt"), "build", *paths]
        run_step(Command("the plain dbt run", arguments, self._environment, self._log))


def seconds_of(action: Callable[[], None]) -> float:
    """Return the duration of a call."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def measure_hours(sandbox: Sandbox, progress: Progress, rounds: int) -> list[Result]:
    """Time one hour's transform on lakes with a day, a month and a year of hours."""
    end = last_whole_hour()
    start = end - HOUR
    window = lookback_window(end, DEFAULT_LOOKBACK_HOURS)
    lakes = {}
    for hours in (DAY, MONTH, YEAR):
        lakes[hours] = _filled_lake(sandbox, hours, start)
        progress.done(f"lake of {hours:,} hours filled")
    _split_raw(lakes[MONTH], start)
    progress.done(f"{MONTH} hourly raw files written for the plain run")
    plain = PlainRun(sandbox, lakes[MONTH])
    for lake in lakes.values():
        lake.ingest(window)
        lake.save()
    plain.transform()
    times: dict[int | str, list[float]] = {hours: [] for hours in lakes}
    times["plain"], times["together"] = [], []
    for number in range(rounds):
        for hours, lake in lakes.items():
            lake.restore()
            times[hours].append(seconds_of(partial(lake.transform, window)))
        times["plain"].append(seconds_of(plain.transform))
        lakes[MONTH].restore()
        times["together"].append(seconds_of(partial(lakes[MONTH].build_models_together, window)))
        latest = ", ".join(f"{name} {each[-1]:.1f} s" for name, each in times.items())
        progress.done(f"transform, round {number + 1} of {rounds}: {latest}")
    return _results({name: median(each) for name, each in times.items()})


def _filled_lake(sandbox: Sandbox, hours: int, end: datetime) -> Lake:
    """Return a lake with that many hours before `end`, compacted."""
    lake = Lake(sandbox, f"hours-{hours}")
    window = Window(end - hours * HOUR, end)
    lake.ingest(window)
    lake.transform(window)
    lake.keep_up()
    return lake


def _split_raw(lake: Lake, end: datetime) -> None:
    """Replace the raw file of one wide window by one raw file for each hourly run."""
    lake.store.delete(list(lake.store.list("raw/")))
    lake.ingest_here(
        [lookback_window(end - age * HOUR, DEFAULT_LOOKBACK_HOURS) for age in range(MONTH)][::-1]
    )


def measure_locations(sandbox: Sandbox, progress: Progress, rounds: int) -> list[Result]:
    """Time ingest and models for 1,000 locations, in runs one hour apart with the lookback."""
    file = sandbox.folder / "locations.yaml"
    write_locations(file, LOCATIONS)
    lake = Lake(sandbox, f"locations-{LOCATIONS}", file)
    ingested, transformed = [], []
    for age in reversed(range(rounds)):
        window = lookback_window(last_whole_hour() - age * HOUR, DEFAULT_LOOKBACK_HOURS)
        ingested.append(seconds_of(partial(lake.ingest, window)))
        transformed.append(seconds_of(partial(lake.build_models, window)))
        progress.done(
            f"{LOCATIONS:,} locations, round {rounds - age} of {rounds}:"
            f" ingest {ingested[-1]:.1f} s, models {transformed[-1]:.1f} s"
        )
    hours = DEFAULT_LOOKBACK_HOURS
    return [
        Result(
            "ingest_1000_locations_seconds",
            median(ingested),
            "s",
            f"{hours} hours of {LOCATIONS:,} locations from the replay server to raw/",
        ),
        Result(
            "model_rows_per_second",
            hours * LOCATIONS / median(transformed),
            "rows/s",
            f"{hours * LOCATIONS:,} rows through the models and their tests",
        ),
    ]


def _results(seconds: dict[int | str, float]) -> list[Result]:
    together = seconds["together"]
    return [
        *(
            Result(
                f"transform_{hours}_seconds",
                seconds[hours],
                "s",
                f"one hour's models, tests and publish with {hours:,} hours in the lake",
            )
            for hours in (DAY, MONTH, YEAR)
        ),
        Result(
            f"transform_{YEAR}_over_{DAY}",
            seconds[YEAR] / seconds[DAY],
            "x",
            "the last of these over the first; target: at most 1.15",
        ),
        Result(
            "plain_720_seconds",
            seconds["plain"],
            "s",
            f"a plain dbt project over all raw files, {MONTH} hourly ones and the new one",
        ),
        Result(
            "together_720_seconds",
            together,
            "s",
            "our models and tests in one dbt process, as in the plain project",
        ),
        Result(
            f"plain_over_ours_{MONTH}",
            seconds["plain"] / together,
            "x",
            "the plain project over ours, each one dbt process on the same raw files",
        ),
        Result(
            f"plain_over_whole_hour_{MONTH}",
            seconds["plain"] / seconds[MONTH],
            "x",
            "the plain project over ours as the DAG runs it: a process a model, and publish",
        ),
    ]
