"""The loaded snapshot with its cached responses, and the reason why it may be stale."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from enum import StrEnum
from functools import cached_property

from api.data.snapshot import Snapshot
from api.http.cache import Headers, ResponseCache
from weather import timezones
from weather.locations import Location
from weather.source import OPEN_METEO, SOURCES, Source


class LoadProblem(StrEnum):
    """The reason why the published snapshot is not loaded."""

    STARTING = "The API has just started and has not loaded the published snapshot yet."
    NOTHING_PUBLISHED = "Nothing is published yet."
    NO_STORE = "The S3 store cannot be read; see the API's log."
    NO_LAKE = "The published snapshot cannot be read from the lake; see the API's log."
    DEFECT = "The published snapshot cannot be loaded because of a defect; see the API's log."


STALE = b"x-weather-stale"
"""Header with the reason why a response may be stale."""


@dataclass(frozen=True)
class ServedData:
    """Snapshot, locations and cached responses, immutable: a reload replaces the object."""

    locations: Sequence[Location]
    """The locations of locations.yaml, the default location first."""
    responses: ResponseCache
    """The cached responses of this snapshot and these locations."""
    snapshot: Snapshot | None = None
    """The newest snapshot that was loaded."""
    problem: LoadProblem | None = LoadProblem.STARTING
    checked_at: datetime | None = None
    """End of the last check, successful or not."""
    reloads: int = 0
    """Number of snapshots loaded since the start."""
    failures: int = 0
    """Number of failed checks since the start."""

    @property
    def stale_headers(self) -> Headers:
        """The headers of a response that may be older than the published snapshot."""
        return _STALE[self.problem] if self.snapshot and self.problem else _CURRENT

    def sources(self, locations: Sequence[str] | None = None) -> Sequence[Source]:
        """Return the sources of some locations' data, or of all data.

        Before a snapshot is loaded, the source is Open-Meteo.
        """
        published = self.snapshot.published if self.snapshot else None
        lake = (published and published.source) or OPEN_METEO
        if locations is None or lake.replay or not self.snapshot:
            return lake.each
        keys = self._source_keys
        # The source of a removed location is not known any more.
        if not keys.keys() >= set(locations):
            return lake.each
        return [SOURCES[key] for key in dict.fromkeys(keys[each] for each in locations)]

    @cached_property
    def _source_keys(self) -> Mapping[str, str]:
        return {location.id: location.source for location in self.locations}

    def zone(self, location: str) -> tzinfo:
        """Return the location's time zone, or UTC for an unlisted location."""
        zones = (timezones.zone(each.timezone) for each in self.locations if each.id == location)
        return next(zones, timezones.zone("UTC"))

    def knows(self, location: str) -> bool:
        """Return whether locations.yaml lists the location, or the snapshot has data of it."""
        return any(location == each.id for each in self.locations) or (
            self.snapshot is not None and location in self.snapshot.days
        )


_CURRENT: Headers = []
_STALE: dict[LoadProblem, Headers] = {
    LoadProblem.STARTING: _CURRENT,
    LoadProblem.NOTHING_PUBLISHED: [(STALE, b"unpublished")],
    LoadProblem.NO_STORE: [(STALE, b"store")],
    LoadProblem.NO_LAKE: [(STALE, b"lake")],
    LoadProblem.DEFECT: [(STALE, b"defect")],
}
