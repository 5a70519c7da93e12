"""The work of one ingest process: a shard's locations and hours, split into calls."""

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

from weather.locations import LOCATIONS_PER_CALL, Location, shard_of
from weather.window import Window

HOURS_PER_CALL = 14 * 24
"""Open-Meteo counts a request for more than 14 days as several."""


@dataclass(frozen=True)
class Call:
    """One request, with its retries: a window's hours at up to LOCATIONS_PER_CALL locations."""

    number: int
    window: Window
    locations: Sequence[Location]
    part: str = ""
    """Name of a part of a split call; empty for a whole call."""

    def halves(self) -> list["Call"]:
        """Split the call into two with half of the locations each."""
        middle = (len(self.locations) + 1) // 2
        return [
            replace(self, part=f"{self.part}{name}", locations=locations)
            for name, locations in (
                ("a", self.locations[:middle]),
                ("b", self.locations[middle:]),
            )
        ]

    def without(self, suspects: AbstractSet[str]) -> list["Call"]:
        """Split off the locations with these ids, each into a separate part."""
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
    def calls(self) -> Iterator[Call]:
        """Yield the calls, oldest hours first; windows are split from the job's start."""
        number = 0
        for window in self.window.pieces(HOURS_PER_CALL):
            for first in range(0, len(self.locations), LOCATIONS_PER_CALL):
                yield Call(number, window, self.locations[first : first + LOCATIONS_PER_CALL])
                number += 1
