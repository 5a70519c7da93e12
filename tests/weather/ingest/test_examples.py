"""The replay has every value that the other tests need."""

import pytest

from tests.weather.ingest.examples import WINDOW
from weather.replay.observations import STATIONS, VARIABLES, observed_values


@pytest.mark.parametrize("station", STATIONS)
@pytest.mark.parametrize("variable", VARIABLES)
def test_the_replay_has_every_value_of_the_window(station: str, variable: str) -> None:
    assert None not in observed_values(station, variable, WINDOW.start, WINDOW.hours)
