import pytest
from hypothesis import given
from hypothesis import strategies as st

from weather.ingest.pacing import seconds_to_next_call, weight

FREE = "https://api.open-meteo.com"


@pytest.mark.parametrize(
    ("locations", "hours", "variables", "expected"),
    [
        (1, 168, 3, 1),
        (100, 336, 3, 100),
        (100, 336, 10, 100),
        (100, 336, 15, 150),
        (1, 28 * 24, 10, 2),
        (1, 28 * 24, 3, 1),
    ],
)
def test_a_call_weighs_what_the_service_counts(
    locations: int, hours: int, variables: int, expected: float
) -> None:
    assert weight(locations, hours, variables) == expected


@given(locations=st.integers(1, 1000), hours=st.integers(1, 5000), variables=st.integers(1, 30))
def test_a_minute_of_calls_keeps_the_limit(locations: int, hours: int, variables: int) -> None:
    seconds = seconds_to_next_call(locations, hours, variables, FREE, has_key=False)
    calls_a_minute = 60 / seconds
    assert calls_a_minute * weight(locations, hours, variables) <= 600 * 1.000001


@pytest.mark.parametrize(
    ("address", "has_key", "expected"),
    [
        (FREE, False, 10),
        ("https://historical-forecast-api.open-meteo.com", False, 10),
        ("https://customer-api.open-meteo.com", True, 0),
        (FREE, True, 0),
        ("http://127.0.0.1:9", False, 0),
        ("https://open-meteo.example.org", False, 0),
        ("https://not-open-meteo.com", False, 0),
    ],
)
def test_only_the_free_service_is_paced(address: str, has_key: bool, expected: float) -> None:
    assert seconds_to_next_call(100, 168, 3, address, has_key) == expected
