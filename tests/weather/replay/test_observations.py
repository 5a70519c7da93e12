"""Observations, and their mapping to coordinates and hours."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weather.replay.observations import (
    FIRST_HOUR,
    HOUR,
    HOURS,
    STATIONS,
    VARIABLES,
    celsius,
    kilometres_an_hour,
    millimetres,
    observations,
    observed_values,
    station_for,
)

ODD_HOUR = datetime(2013, 2, 12, 8, tzinfo=UTC)

hours = st.datetimes(datetime(1950, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC)).map(
    lambda moment: moment.replace(minute=0, second=0, microsecond=0)
)


@pytest.mark.parametrize("station", STATIONS)
@pytest.mark.parametrize("variable", VARIABLES)
def test_hours_of_2013_have_the_recorded_values(station: str, variable: str) -> None:
    assert (
        observed_values(station, variable, FIRST_HOUR, HOURS) == observations()[station][variable]
    )


@given(hours, st.sampled_from(STATIONS), st.sampled_from(VARIABLES))
def test_every_hour_maps_to_an_hour_of_2013(hour: datetime, station: str, variable: str) -> None:
    in_2013 = FIRST_HOUR + (hour - FIRST_HOUR) % (HOURS * HOUR)
    assert observed_values(station, variable, hour, HOURS) == (
        observed_values(station, variable, in_2013, HOURS)
    )


@given(hours, st.integers(-14, 14), st.sampled_from(STATIONS), st.sampled_from(VARIABLES))
def test_an_hour_has_the_same_value_in_every_time_zone(
    hour: datetime, offset: int, station: str, variable: str
) -> None:
    elsewhere = hour.astimezone(timezone(timedelta(hours=offset)))
    assert observed_values(station, variable, elsewhere, HOURS) == (
        observed_values(station, variable, hour, HOURS)
    )


@given(hours, st.integers(0, 3 * HOURS), st.sampled_from(STATIONS), st.sampled_from(VARIABLES))
def test_a_long_period_equals_its_single_hours(
    hour: datetime, later: int, station: str, variable: str
) -> None:
    whole = observed_values(station, variable, hour, later + 1)
    assert len(whole) == later + 1
    assert whole[later:] == observed_values(station, variable, hour + later * HOUR, 1)


@pytest.mark.parametrize(
    ("latitude", "longitude", "station"),
    [(45.75, 4.85, "LGA"), (40.71, -74.01, "EWR"), (22.57, 88.36, "LGA"), (0.0, 0.01, "JFK")],
)
def test_a_coordinate_maps_to_one_station(latitude: float, longitude: float, station: str) -> None:
    assert station_for(latitude, longitude) == station


def test_units_are_converted_to_one_decimal() -> None:
    assert [celsius(32.0), celsius(39.02), celsius(-40.0)] == [0.0, 3.9, -40.0]
    assert [millimetres(0.01), millimetres(1.21)] == [0.3, 30.7]
    assert kilometres_an_hour(10.357019999999999) == 16.7


def test_the_observations_are_complete() -> None:
    values = {
        variable: [value for station in STATIONS for value in observations()[station][variable]]
        for variable in VARIABLES
    }
    assert {variable: len(each) for variable, each in values.items()} == dict.fromkeys(
        VARIABLES, 3 * HOURS
    )
    observed = {
        variable: sum(value is not None for value in each) for variable, each in values.items()
    }
    expected = {
        "temperature_2m": 26_115 - 1,
        "precipitation": 26_115,
        "wind_speed_10m": 26_115 - 4,
    }
    assert {variable: observed[variable] for variable in expected} == expected


def test_the_absurd_wind_is_not_removed() -> None:
    assert observed_values("EWR", "wind_speed_10m", ODD_HOUR, 1) == [1687.2]
    others = [
        value
        for station in STATIONS
        for value in observations()[station]["wind_speed_10m"]
        if value is not None and value > 100
    ]
    assert others == [1687.2]


def test_hours_without_an_observation_are_null() -> None:
    last_hours = datetime(2013, 12, 31, tzinfo=UTC)
    for station in STATIONS:
        for variable in VARIABLES:
            assert observed_values(station, variable, last_hours, 30) == [None] * 30
            assert observed_values(station, variable, last_hours + 30 * HOUR, 1) != [None]
