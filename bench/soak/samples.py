"""Samples of CPU time, files and catalog size after each hour, and the samples' growth."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from bench.soak.steps import Outcome

STEADY_FROM = 8 * 24
"""Hours until expiry removes as much as runs add: 7 days of retention and 1 day of grace."""

SHORTEST_STEADY = 4 * 24
"""Number of hours needed to compare two days with two later days."""

MOST_GROWTH = 1.2
"""Limit of `Growth.ratio`. Growth with the lake's age gives 1.4 or more."""


@dataclass(frozen=True)
class Sample:
    """Measurements of an hour's run, and of the lake after it."""

    began: float
    """Start of the hour's run, in seconds of `time.perf_counter`."""
    fault: str
    outcome: Outcome
    """Outcome of the first attempt."""
    seconds: float
    """Duration of all attempts, without the daily upkeep."""
    cpu_seconds: float
    """CPU time, which other programs on the machine do not change."""
    table_files: int
    catalog_bytes: int


@dataclass(frozen=True)
class Growth:
    """One measure in the earlier and the later half of the steady hours."""

    name: str
    earlier: float
    later: float

    @property
    def ratio(self) -> float:
        """The later half's value divided by the earlier half's value."""
        return self.later / self.earlier

    @property
    def is_flat(self) -> bool:
        """True if the growth is within the limit."""
        return self.ratio <= MOST_GROWTH


MEASURES: Sequence[tuple[str, Callable[[Sequence[Sample]], float]]] = (
    ("CPU seconds an hour, median", lambda samples: median(each.cpu_seconds for each in samples)),
    ("table files, most", lambda samples: max(each.table_files for each in samples)),
    ("catalog KiB, most", lambda samples: max(each.catalog_bytes for each in samples) / 1024),
)


def growths(samples: Sequence[Sample]) -> list[Growth]:
    """Return the growth of each measure in the steady hours, or nothing if there are too few."""
    steady = samples[STEADY_FROM:]
    if len(steady) < SHORTEST_STEADY:
        return []
    half = len(steady) // 2
    return [
        Growth(name, measure(steady[:half]), measure(steady[half:])) for name, measure in MEASURES
    ]
