"""What 1,000 locations cost: to ingest, and in the models."""

from functools import partial
from pathlib import Path
from statistics import median

import yaml

from bench.history import last_whole_hour, seconds_of
from bench.lake import Lake
from bench.results import Result
from bench.workplace import Workplace
from local.progress import Progress
from weather.settings import DEFAULT_LOOKBACK_HOURS
from weather.window import HOUR, lookback_window

LOCATIONS = 1000
ZONES = ("Europe/Paris", "America/New_York", "Asia/Kolkata", "UTC")


def write_locations(path: Path, count: int) -> None:
    """Write a locations.yaml of places all over the Earth."""
    places = [
        {
            "id": f"place-{number}",
            "name": f"Place {number}",
            "latitude": round(-60 + 120 * number / count, 2),
            "longitude": round(-180 + 37.3 * number % 360, 2),
            "timezone": ZONES[number % len(ZONES)],
        }
        for number in range(count)
    ]
    path.write_text(yaml.safe_dump(places), encoding="utf-8")


def measure_load(workplace: Workplace, progress: Progress, rounds: int) -> list[Result]:
    """Time ingest and the models in turn, for one new hour after the other."""
    locations = workplace.folder / "locations.yaml"
    write_locations(locations, LOCATIONS)
    lake = Lake(workplace, f"locations-{LOCATIONS}", locations)
    ingested, transformed = [], []
    for age in reversed(range(rounds)):
        window = lookback_window(last_whole_hour() - age * HOUR, DEFAULT_LOOKBACK_HOURS)
        ingested.append(seconds_of(partial(lake.ingest, window)))
        transformed.append(seconds_of(partial(lake.build_models, window)))
        progress.done(
            f"{LOCATIONS:,} locations, round {rounds - age} of {rounds}:"
            f" ingest {ingested[-1]:.1f} s, models {transformed[-1]:.1f} s"
        )
    return [
        Result(
            "ingest_1000_locations_seconds",
            median(ingested),
            "s",
            f"{DEFAULT_LOOKBACK_HOURS} hours at {LOCATIONS:,} locations from the replay to raw/",
        ),
        Result(
            "model_rows_per_second",
            DEFAULT_LOOKBACK_HOURS * LOCATIONS / median(transformed),
            "rows/s",
            f"{DEFAULT_LOOKBACK_HOURS * LOCATIONS:,} hours through the models and their tests",
        ),
    ]
