"""What was measured after each hour, and whether it stays flat."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from bench.soak.steps import Ending

STEADY_FROM = 8 * 24
"""Hours after which as many snapshots and files go as come: 7 days kept, and a day of grace."""

SHORTEST_STEADY = 4 * 24
"""Hours: two days to compare with two days."""

MOST_GROWTH = 1.2
"""Of the later half over the earlier one: what grows with the lake's age has 1.4 or more."""


@dataclass(frozen=True)
class Sample:
    """An hour's run, and the lake after it."""

    began: float
    """By the clock of `time.perf_counter`, in seconds."""
    fault: str
    ending: Ending
    """Of its first try."""
    seconds: float
    """All tries together; not the day's upkeep."""
    cpu_seconds: float
    """Of these, what this process has worked: other programs make it wait."""
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
        """The later over the earlier."""
        return self.later / self.earlier

    @property
    def is_flat(self) -> bool:
        """Whether it has grown no more than chance explains."""
        return self.ratio <= MOST_GROWTH


MEASURES: Sequence[tuple[str, Callable[[Sequence[Sample]], float]]] = (
    ("CPU seconds an hour, median", lambda samples: median(each.cpu_seconds for each in samples)),
    ("table files, most", lambda samples: max(each.table_files for each in samples)),
    ("catalog KiB, most", lambda samples: max(each.catalog_bytes for each in samples) / 1024),
)


def growths(samples: Sequence[Sample]) -> list[Growth]:
    """How each measure has grown since the lake is steady; nothing where that is too short."""
    steady = samples[STEADY_FROM:]
    if len(steady) < SHORTEST_STEADY:
        return []
    half = len(steady) // 2
    return [
        Growth(name, measure(steady[:half]), measure(steady[half:])) for name, measure in MEASURES
    ]
