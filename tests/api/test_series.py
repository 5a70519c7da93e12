"""Pages of a series equal a simple computation."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from api.data.row_models import DailyWeather
from api.data.series import Position, day_number
from tests.api.weather_rows import a_row, in_order, series_of

FIRST = date(2025, 1, 1)
NAMES = ("bergen", "lyon", "new-york", "oslo-1", "oslo")

stored = st.sets(st.tuples(st.sampled_from(NAMES), st.integers(0, 12)), max_size=40)
named = st.none() | st.lists(st.sampled_from([*NAMES, "nowhere"]), min_size=1, max_size=4)
ends = st.none() | st.integers(-2, 14)


def made(places: set[tuple[str, int]]) -> list[DailyWeather]:
    return [a_row(name, FIRST + timedelta(days=number)) for name, number in places]


@given(places=stored, locations=named, first=ends, last=ends, limit=st.integers(1, 50))
def test_joined_pages_equal_all_rows(
    places: set[tuple[str, int]],
    locations: list[str] | None,
    first: int | None,
    last: int | None,
    limit: int,
) -> None:
    rows = made(places)
    days = [None if end is None else day_number(FIRST) + end for end in (first, last)]
    series = series_of(rows)
    found = []
    after = None
    while True:
        page = series.page(locations, first=days[0], last=days[1], after=after, limit=limit)
        assert page.rows.num_rows <= limit
        found += page.rows.to_pylist()
        if page.last is None:
            break
        assert page.rows.num_rows == limit
        after = Position.from_cursor(page.last.to_cursor())
    wanted = [
        row.model_dump()
        for row in in_order(rows)
        if (locations is None or row.location in locations)
        and (days[0] is None or day_number(row.date) >= days[0])
        and (days[1] is None or day_number(row.date) <= days[1])
    ]
    assert found == wanted


@given(places=stored, name=st.sampled_from(NAMES), number=st.integers(-2, 14))
def test_a_page_starts_after_any_cursor(
    places: set[tuple[str, int]], name: str, number: int
) -> None:
    after = Position(day_number(FIRST) + number, name.encode())
    page = series_of(made(places)).page(after=after, limit=100)
    assert page.rows.to_pylist() == [
        row.model_dump()
        for row in in_order(made(places))
        if (-day_number(row.date), row.location) > (-after.period, name)
    ]


@given(places=stored)
def test_extent_has_first_last_and_count(places: set[tuple[str, int]]) -> None:
    series = series_of(made(places))
    for name in NAMES:
        days = [day_number(FIRST) + number for location, number in places if location == name]
        assert (name in series) == bool(days)
        if days:
            assert series.extent(name) == (min(days), max(days), len(days))


@given(period=st.integers(-(2**31), 2**31 - 1), location=st.binary(max_size=64))
def test_cursors_round_trip(period: int, location: bytes) -> None:
    assert Position.from_cursor(Position(period, location).to_cursor()) == Position(
        period, location
    )
