"""Rows of one kind in memory, as columns: newest first, then by location."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc


class Place(NamedTuple):
    """Where a row stands in a series."""

    period: int
    """The row's day, month or hour as Arrow counts it, or its year."""
    location: bytes
    """The id of its location, as bytes, which is how they are ordered."""


class Extent(NamedTuple):
    """What there is of a location in a series."""

    oldest: int
    newest: int
    rows: int


@dataclass(frozen=True)
class Page:
    """Some rows of a series, in its order."""

    rows: pa.RecordBatch
    last: Place | None
    """Where the last one stands, if more come after it."""


class Series:
    """Rows ordered by period, the newest first, then by location; never changed."""

    def __init__(self, rows: pa.RecordBatch, period: str) -> None:
        """Take over rows that are in that order.

        Args:
            rows: they have a column `location`, as a dictionary of ids.
            period: the name of the column that says when.
        """
        self.rows = rows
        self._periods = _integers(self.rows.column(period))
        locations = self.rows.column("location")
        names: list[str] = locations.dictionary.to_pylist()
        self._codes = _integers(locations.indices)
        self._names = [name.encode() for name in names]
        self._positions = dict(zip(names, _positions(locations.indices, len(names)), strict=True))

    def __contains__(self, location: str) -> bool:
        return location in self._positions

    def has_any(self, locations: Sequence[str] | None) -> bool:
        """Whether one of the locations has a row; None asks for any location at all."""
        wanted = self._positions if locations is None else locations
        return any(each in self._positions for each in wanted)

    def extent(self, location: str) -> Extent:
        """From when to when the location has rows, and how many."""
        numbers = self._positions[location]
        return Extent(self._periods[numbers[-1]], self._periods[numbers[0]], len(numbers))

    def page(
        self,
        locations: Sequence[str] | None = None,
        *,
        first: int | None = None,
        last: int | None = None,
        after: Place | None = None,
        limit: int,
    ) -> Page:
        """The first `limit` rows that fit.

        Args:
            locations: the ones wanted; None for all. One that is not there has no rows.
            first: the oldest period wanted, inclusive.
            last: the newest period wanted, inclusive.
            after: only rows that stand after this place.
            limit: the most rows wanted, at least 1.
        """
        start = 0 if last is None else bisect_left(self._periods, -last, key=_negative)
        end = len(self._periods)
        if first is not None:
            end = bisect_right(self._periods, -first, key=_negative)
        if after is not None:
            start = max(start, self._number_after(after))
        if locations is None:
            numbers: Sequence[int] = range(start, max(start, end))
            rows = self.rows.slice(start, min(limit, len(numbers)))
        else:
            numbers = self._numbers(locations, start, end, limit)
            rows = self.rows.take(pa.array(numbers[:limit], pa.int32()))
        has_more = len(numbers) > limit
        return Page(rows, self._place(numbers[limit - 1]) if has_more else None)

    def _numbers(self, locations: Sequence[str], start: int, end: int, limit: int) -> Sequence[int]:
        """The numbers of the locations' rows with start <= number < end, one more than `limit`."""
        found: list[int] = []
        for location in set(locations):
            numbers = self._positions.get(location, ())
            begin = bisect_left(numbers, start)
            found.extend(numbers[begin : min(bisect_left(numbers, end), begin + limit + 1)])
        return sorted(found)[: limit + 1] if len(locations) > 1 else found

    def _number_after(self, place: Place) -> int:
        """The number of the first row that stands after the place."""
        begin = bisect_left(self._periods, -place.period, key=_negative)
        end = bisect_right(self._periods, -place.period, key=_negative)
        return bisect_right(
            range(len(self._periods)), place.location, begin, end, key=self._name_of
        )

    def _place(self, number: int) -> Place:
        return Place(self._periods[number], self._name_of(number))

    def _name_of(self, number: int) -> bytes:
        return self._names[self._codes[number]]


def _integers(column: pa.Array) -> Sequence[int]:
    """A column of whole numbers or moments, as Python sees it without a copy."""
    assert column.offset == 0
    data = memoryview(column.buffers()[1] or b"")
    return data.cast("i" if column.type.bit_width == 32 else "q")[: len(column)]


def _positions(codes: pa.Array, locations: int) -> list[Sequence[int]]:
    """For each code below `locations`, the numbers of its rows in ascending order."""
    # The sort is stable: within a location, the order stays as it was.
    numbers = _integers(pc.array_sort_indices(codes).cast(pa.int32()))
    ends = [0] * (locations + 1)
    for count in pc.value_counts(codes).to_pylist():
        ends[count["values"] + 1] = count["counts"]
    for code in range(locations):
        ends[code + 1] += ends[code]
    return [numbers[ends[code] : ends[code + 1]] for code in range(locations)]


def _negative(period: int) -> int:
    return -period
