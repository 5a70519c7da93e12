import pytest
from replay.observations import STATIONS, VARIABLES, observed_values

from tests.ingest.examples import WINDOW


@pytest.mark.parametrize("station", STATIONS)
@pytest.mark.parametrize("variable", VARIABLES)
def test_the_replay_has_every_value_of_the_window(station: str, variable: str) -> None:
    assert None not in observed_values(station, variable, WINDOW.start, WINDOW.hours)
