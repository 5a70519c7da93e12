"""What an hour's transform costs with a day, a month and a year in the lake, and the plain way."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from statistics import median

from bench.lake import Lake
from bench.plain_run import PlainRun
from bench.results import Result
from bench.workplace import Workplace
from local.progress import Progress
from weather.settings import DEFAULT_LOOKBACK_HOURS
from weather.window import HOUR, Window, first_hour_from, lookback_window

DAY, MONTH, YEAR = 24, 720, 8760
"""Hours in the lakes."""


def seconds_of(action: Callable[[], None]) -> float:
    """How long the action takes."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def last_whole_hour() -> datetime:
    """The end of the last hour that has passed, in UTC."""
    return first_hour_from(datetime.now(UTC)) - HOUR


def filled_lake(workplace: Workplace, hours: int, end: datetime) -> Lake:
    """A lake that holds that many hours before `end`, its files merged."""
    lake = Lake(workplace, f"hours-{hours}")
    window = Window(end - hours * HOUR, end)
    lake.ingest(window)
    lake.transform(window)
    lake.keep_up()
    return lake


def measure_history(workplace: Workplace, progress: Progress, rounds: int) -> list[Result]:
    """Time the same hour's transform on each lake in turn, several times."""
    end = last_whole_hour()
    begin = end - HOUR
    next_window = lookback_window(end, DEFAULT_LOOKBACK_HOURS)
    lakes = {}
    for hours in (DAY, MONTH, YEAR):
        lakes[hours] = filled_lake(workplace, hours, begin)
        progress.done(f"a lake of {hours:,} hours is filled")
    _replace_raw(lakes[MONTH], begin)
    progress.done(f"{MONTH} hourly raw files are there for the plain run")
    plain = PlainRun(workplace, lakes[MONTH])
    for lake in lakes.values():
        lake.ingest(next_window)
        lake.save()
    plain.transform()
    times: dict[int | str, list[float]] = {hours: [] for hours in lakes}
    times["plain"], times["together"] = [], []
    for number in range(rounds):
        for hours, lake in lakes.items():
            lake.restore()
            times[hours].append(seconds_of(partial(lake.transform, next_window)))
        times["plain"].append(seconds_of(plain.transform))
        lakes[MONTH].restore()
        times["together"].append(
            seconds_of(lambda: lakes[MONTH].build_models_together(next_window))
        )
        latest = ", ".join(f"{name} {each[-1]:.1f} s" for name, each in times.items())
        progress.done(f"transform, round {number + 1} of {rounds}: {latest}")
    return _results({name: median(each) for name, each in times.items()})


def _replace_raw(lake: Lake, end: datetime) -> None:
    """Put hourly runs' raw files in place of the one wide run's, which filled the lake as fast."""
    lake.store.delete(list(lake.store.list("raw/")))
    lake.ingest_here(
        [lookback_window(end - age * HOUR, DEFAULT_LOOKBACK_HOURS) for age in range(MONTH)][::-1]
    )


def _results(seconds: dict[int | str, float]) -> list[Result]:
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
            "the last of these over the first; at most 1.15 is wanted",
        ),
        Result(
            "plain_720_seconds",
            seconds["plain"],
            "s",
            f"a plain dbt run over all raw files, {MONTH} hourly ones and the new one",
        ),
        Result(
            "together_720_seconds",
            seconds["together"],
            "s",
            "our models and tests in one dbt process, as the plain run has it",
        ),
        Result(
            f"plain_over_ours_{MONTH}",
            seconds["plain"] / seconds["together"],
            "x",
            "the plain run over ours, each one dbt process on the same raw files",
        ),
        Result(
            f"plain_over_whole_hour_{MONTH}",
            seconds["plain"] / seconds[MONTH],
            "x",
            "the plain run over ours as the DAG runs it: a process a model, and publish",
        ),
    ]
