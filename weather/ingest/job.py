"""The work of one ingest process: the calls for a shard's locations and hours, and counts."""

from collections import Counter
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

from weather.locations import LOCATIONS_PER_CALL, Location, shard_of
from weather.source import DEFAULT_SOURCE
from weather.window import Window

HOURS_PER_CALL = 14 * 24
"""Limit of the hours in a call. Open-Meteo counts more than 14 days as several calls."""


NAMED_REJECTIONS = 3
"""Rejected locations that the error message names; the others are counted."""


@dataclass(frozen=True)
class Call:
    """One request to a source, with its retries: a window's hours at some locations."""

    number: int
    window: Window
    locations: Sequence[Location]
    part: str = ""
    """Name of a part of a split call; empty for a whole call."""

    def halves(self) -> list["Call"]:
        """Split the call into two calls with half of the locations each."""
        middle = (len(self.locations) + 1) // 2
        return [
            replace(self, part=f"{self.part}{name}", locations=locations)
            for name, locations in (
                ("a", self.locations[:middle]),
                ("b", self.locations[middle:]),
            )
        ]

    def without(self, suspects: AbstractSet[str]) -> list["Call"]:
        """Split the call: one part for each location with one of these ids, one for all others."""
        others = [each for each in self.locations if each.id not in suspects]
        if len(others) == len(self.locations):
            return [self]
        apart = [[each] for each in self.locations if each.id in suspects]
        return [
            replace(self, part=f"{number}", locations=locations)
            for number, locations in enumerate([others, *apart])
            if locations
        ]


@dataclass(frozen=True)
class Job:
    """A window of hours at the locations of one shard.

    Raises:
        ValueError: not 0 <= shard < shards.
    """

    window: Window
    shard: int
    shards: int
    run_locations: Sequence[Location]
    """Locations of all shards."""
    locations: Sequence[Location] = field(init=False)
    """Locations of this shard."""

    def __post_init__(self) -> None:
        locations = shard_of(self.run_locations, self.shard, self.shards)
        object.__setattr__(self, "locations", locations)

    @property
    def sources(self) -> list[str]:
        """The sources of this shard, in the order of their first locations."""
        return list(dict.fromkeys(location.source for location in self.locations))

    def calls(
        self,
        source: str = DEFAULT_SOURCE,
        locations_per_call: int = LOCATIONS_PER_CALL,
        hours_per_call: int = HOURS_PER_CALL,
        *,
        first_number: int = 0,
    ) -> list[Call]:
        """Return a source's calls, oldest hours first. Windows are split from the job's start."""
        locations = [each for each in self.locations if each.source == source]
        parts = [
            (window, locations[first : first + locations_per_call])
            for window in self.window.pieces(hours_per_call)
            for first in range(0, len(locations), locations_per_call)
        ]
        return [Call(number, *part) for number, part in enumerate(parts, start=first_number)]


@dataclass
class Stats:
    """Counts of a run so far."""

    accepted: int = 0
    rejected: list[str] = field(default_factory=list)
    """Rejected responses as `<location id>: <reason>`."""
    calls: int = 0
    retries: Counter[str] = field(default_factory=Counter)
    hours_accepted: int = 0
    """Hours in accepted responses, summed over the locations."""
    hours_rejected: int = 0
    bytes_received: int = 0
    """Bytes of all response bodies."""

    def rejection(self, folder: str) -> str | None:
        """Return the error message about rejected responses, or None without rejected responses."""
        if not self.rejected:
            return None
        named = "; ".join(self.rejected[:NAMED_REJECTIONS])
        more = len(self.rejected) - NAMED_REJECTIONS
        return (
            f"Validation rejected {len(self.rejected)} of {len(self.rejected) + self.accepted} "
            f"responses: {named}{f'; and {more} more' if more > 0 else ''}. The {self.accepted} "
            f"others are stored. See {folder}, and run the task again later."
        )
