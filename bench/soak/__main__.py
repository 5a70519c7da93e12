"""`python -m bench.soak`: run hours in a row with faults, compare the rows, print a table."""

import argparse
import signal
import sys
import time
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from statistics import median

from tabulate import tabulate

from bench.lake import Lake, last_whole_hour
from bench.sandbox import running_sandbox
from bench.soak.faults import faults_of_hours
from bench.soak.samples import SHORTEST_STEADY, STEADY_FROM, Sample, growths
from bench.soak.steps import Outcome, Steps
from local.session import Progress
from local.supervisor import STOP_SIGNALS, Interrupted
from tests.expected_mart import expected_mart
from weather.ducklake import attached_lake
from weather.errors import StepError
from weather.lake.upkeep import TABLE_FILES
from weather.locations import read_locations
from weather.published import read_published
from weather.schedule import DEFAULT_LOOKBACK_HOURS
from weather.window import HOUR, Window, lookback_window

HOURS, DAY = 500, 24
MART = "FROM daily_weather_stats ORDER BY location_id, date"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the soak test. Return 0 if the rows are right and nothing grows."""
    parser = argparse.ArgumentParser(prog="bench.soak", description=__doc__)
    parser.add_argument("--hours", type=int, default=HOURS)
    parser.add_argument("--seed", type=int, default=1, help="of the faults")
    given = parser.parse_args(arguments)
    try:
        return soak(given.hours, given.seed)
    except StepError as error:
        print(f"soak: {error}", file=sys.stderr)
        return error.exit_code
    except Interrupted as interrupted:
        return interrupted.exit_code


def soak(hours: int, seed: int) -> int:
    """Run the hours up to now on a new lake, compare the lake's rows, and measure growth.

    Raises:
        Interrupted: a signal came; raised after the hour it came in.
    """
    progress = Progress()
    signals: list[int] = []
    for each in STOP_SIGNALS:
        # Not an exception, which dbt would report as an error of the current model.
        signal.signal(each, lambda number, _: signals.append(number))
    windows = [
        lookback_window(last_whole_hour() - age * HOUR, DEFAULT_LOOKBACK_HOURS)
        for age in reversed(range(hours))
    ]
    with running_sandbox() as sandbox:
        lake = Lake(sandbox, "soak")
        steps = Steps(lake, sandbox.log("soak"))
        samples: list[Sample] = []
        for window, fault in zip(windows, faults_of_hours(hours, seed), strict=True):
            samples.append(_sample(steps, lake, window, fault))
            if signals:
                raise Interrupted(signals[0])
            if len(samples) % DAY == 0:
                upkeep = steps.keep_up(
                    last_week=_time_since(samples[-7 * DAY :]), last_day=_time_since(samples[-DAY:])
                )
                progress.done(
                    f"{len(samples)} hours, the last one in {samples[-1].seconds:.1f} s:"
                    f" {samples[-1].table_files} table files,"
                    f" catalog {samples[-1].catalog_bytes // 1024} KiB;"
                    f" upkeep: {upkeep.expired_snapshots} snapshots expired,"
                    f" {upkeep.deleted_files} files deleted"
                )
        different = _differences(steps, lake, Window(windows[0].start, windows[-1].end))
    return _report(samples, different)


def _time_since(samples: Sequence[Sample]) -> timedelta:
    """Return the time since the first of these runs began."""
    return timedelta(seconds=time.perf_counter() - samples[0].began)


def _sample(steps: Steps, lake: Lake, window: Window, fault: str) -> Sample:
    start, worked = time.perf_counter(), time.process_time()
    outcome = steps.run(window, fault)
    if outcome is Outcome.NOT_PUBLISHED and steps.run(window, fault="") is not Outcome.SUCCESS:
        raise StepError(f"{window.key}: the run after the fault '{fault}' failed too")
    return Sample(
        began=start,
        fault=fault,
        outcome=outcome,
        seconds=time.perf_counter() - start,
        cpu_seconds=time.process_time() - worked,
        table_files=sum(1 for _ in lake.store.list(TABLE_FILES)),
        catalog_bytes=Path(steps.settings.lake_catalog.removeprefix("sqlite:")).stat().st_size,
    )


def _differences(steps: Steps, lake: Lake, window: Window) -> list[str]:
    """Return the rows that differ between the published mart and a computation without SQL."""
    published = read_published(lake.store)
    snapshot_id = published.snapshot_id if published else None
    with attached_lake(steps.settings, snapshot_id=snapshot_id) as attached:
        rows = Counter(attached.execute(MART).fetchall())
    locations = read_locations(Path(lake.environment["WEATHER_LOCATIONS"]))
    expected = Counter(expected_mart(locations, window.start, window.end))
    return [
        f"{origin:<9}  {', '.join(map(str, row))}"
        for origin, only_there in (("published", rows - expected), ("computed", expected - rows))
        for row in only_there.elements()
    ]


def _report(samples: Sequence[Sample], different: Sequence[str]) -> int:
    outcomes = Counter(each.outcome for each in samples)
    print(f"{len(samples)} hours, {median(each.seconds for each in samples):.1f} s each (median)")
    print(tabulate([(outcomes[each], str(each)) for each in Outcome], ("hours", "run"), "plain"))
    print()
    grown = growths(samples)
    rows = [
        {
            "measure": each.name,
            "earlier half": round(each.earlier, 2),
            "later half": round(each.later, 2),
            "ratio": round(each.ratio, 2),
            "flat": each.is_flat,
        }
        for each in grown
    ]
    short = f"too short to see growth: at least {STEADY_FROM + SHORTEST_STEADY} hours are needed"
    print(tabulate(rows, headers="keys", tablefmt="plain", floatfmt=".2f") or short)
    print()
    print(f"rows that differ from the independent computation: {len(different)}")
    if different:
        print("\n".join(sorted(different)))
    return 0 if not different and all(each.is_flat for each in grown) else 1


if __name__ == "__main__":
    sys.exit(main())
