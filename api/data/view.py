"""What the API knows at one moment, and what keeps it from knowing what is published now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from enum import StrEnum

from api.data.mart import Mart
from api.http.head import Headers
from api.http.ready import ReadyAnswers
from weather import timezones
from weather.locations import Location
from weather.source import OPEN_METEO, Source


class Problem(StrEnum):
    """Why the API does not have what is published now."""

    STARTING = "The API has just started and has not read the published snapshot yet."
    NOTHING_PUBLISHED = "Nothing is published yet."
    NO_STORE = "What is published cannot be read from the S3 store; the API's log says why."
    NO_LAKE = "The published snapshot cannot be read from the lake; the API's log says why."
    DEFECT = "The published snapshot cannot be loaded because of a defect; see the API's log."


STALE = b"x-weather-stale"
"""The header that says what could not be read, where what is served may be old because of it."""


@dataclass(frozen=True)
class View:
    """What the API knows at one moment; never changed, only replaced as a whole."""

    locations: Sequence[Location]
    """The locations of locations.yaml, the default one first."""
    answers: ReadyAnswers
    """The answers that were made from this mart and these locations."""
    mart: Mart | None = None
    """The newest snapshot that could be loaded."""
    problem: Problem | None = Problem.STARTING
    checked_at: datetime | None = None
    """When the last check ended, well or not."""
    reloads: int = 0
    """How many snapshots were loaded since the start."""
    failures: int = 0
    """How many checks failed since the start."""

    @property
    def stale_headers(self) -> Headers:
        """What an answer says that comes from an older snapshot than may be published now."""
        return _STALE[self.problem] if self.mart and self.problem else _CURRENT

    @property
    def source(self) -> Source:
        """Whose data are served; Open-Meteo's while nothing is."""
        return self.mart.published.source if self.mart else OPEN_METEO

    def zone(self, location: str) -> tzinfo:
        """The location's time zone; UTC where it is no longer in locations.yaml."""
        zones = (timezones.zone(each.timezone) for each in self.locations if each.id == location)
        return next(zones, timezones.zone("UTC"))

    def knows(self, location: str) -> bool:
        """Whether the location is in locations.yaml, or has data from when it was."""
        return any(location == each.id for each in self.locations) or (
            self.mart is not None and location in self.mart.days
        )


_CURRENT: Headers = []
_STALE: dict[Problem, Headers] = {
    Problem.STARTING: _CURRENT,
    Problem.NOTHING_PUBLISHED: [(STALE, b"unpublished")],
    Problem.NO_STORE: [(STALE, b"store")],
    Problem.NO_LAKE: [(STALE, b"lake")],
    Problem.DEFECT: [(STALE, b"defect")],
}
