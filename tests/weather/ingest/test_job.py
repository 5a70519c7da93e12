"""Calls of a job: every location and hour once, within the limits."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tests.weather.ingest.examples import location, windows
from weather.ingest.job import HOURS_PER_CALL, Job
from weather.locations import LOCATIONS_PER_CALL
from weather.window import Window


@given(window=windows(), count=st.integers(0, 350))
def test_every_location_and_hour_is_in_one_call(window: Window, count: int) -> None:
    locations = [location(number) for number in range(count)]
    calls = Job(window, 0, 1, locations).calls()
    requested = sorted((call.window.start, each.id) for call in calls for each in call.locations)
    starts = [piece.start for piece in window.pieces(HOURS_PER_CALL)]
    assert requested == sorted((start, each.id) for start in starts for each in locations)


@given(window=windows())
def test_pieces_cover_the_window_in_order(window: Window) -> None:
    pieces = list(window.pieces(HOURS_PER_CALL))
    assert pieces[0].start == window.start
    assert pieces[-1].end == window.end
    assert all(one.end == next_.start for one, next_ in pairwise(pieces))
    assert all(piece.hours == HOURS_PER_CALL for piece in pieces[:-1])
    assert 1 <= pieces[-1].hours <= HOURS_PER_CALL


@given(window=windows(), count=st.integers(1, 350))
def test_calls_are_numbered_from_0_and_within_the_limits(window: Window, count: int) -> None:
    calls = Job(window, 0, 1, [location(number) for number in range(count)]).calls()
    assert [call.number for call in calls] == list(range(len(calls)))
    assert all(1 <= len(call.locations) <= LOCATIONS_PER_CALL for call in calls)
    assert all(call.window.hours <= HOURS_PER_CALL for call in calls)


@given(window=windows())
def test_a_shard_without_locations_makes_no_call(window: Window) -> None:
    assert Job(window, 1, 2, []).calls() == []
