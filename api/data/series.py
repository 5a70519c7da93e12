"""Rows of all locations in memory as Arrow columns, and pages of these rows."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

EPOCH = date(1970, 1, 1)

CURSOR_PATTERN = r"^[0-9a-f]{8}([0-9a-f]{2}){0,64}$"
"""Regular expression of a cursor. Every match is a valid cursor."""


class Position(NamedTuple):
    """A row's sort key in a series."""

    period: int
    """The row's day, month or hour as Arrow's integer, or its year."""
    location: bytes
    """Id of the location as UTF-8 bytes, because DuckDB sorts ids by their bytes."""

    @classmethod
    def from_cursor(cls, cursor: str) -> "Position":
        """Parse a cursor that matches `CURSOR_PATTERN`."""
        raw = bytes.fromhex(cursor)
        return cls(int.from_bytes(raw[:4], signed=True), raw[4:])

    def to_cursor(self) -> str:
        """Return the cursor of the page that begins after this position."""
        return self.period.to_bytes(4, signed=True).hex() + self.location.hex()


class Extent(NamedTuple):
    """The oldest and the newest period of a location, and its number of rows."""

    oldest: int
    newest: int
    rows: int


@dataclass(frozen=True)
class Page:
    """Rows of a series, in the order of the series."""

    rows: pa.RecordBatch
    last: Position | None
    """Position of the last row if there is a next page, else None."""


class Series:
    """Immutable rows, ordered by period, the newest first, then by location."""

    def __init__(self, rows: pa.RecordBatch, period: str) -> None:
        """Index rows that are already in the series' order.

        Args:
            rows: the rows, with a dictionary column `location`.
            period: name of the column with the period.
        """
        self.rows = rows
        self._periods = _integers(self.rows.column(period))
        locations = self.rows.column("location")
        names: list[str] = locations.dictionary.to_pylist()
        self._codes = _integers(locations.indices)
        self._names = [name.encode() for name in names]
        self._numbers = dict(zip(names, _row_numbers(locations.indices, len(names)), strict=True))

    def __contains__(self, location: str) -> bool:
        return location in self._numbers

    def has_any(self, locations: Sequence[str] | None) -> bool:
        """Return whether one of the locations, or for None any location, has a row."""
        wanted = self._numbers if locations is None else locations
        return any(each in self._numbers for each in wanted)

    def extent(self, location: str) -> Extent:
        """Return the extent of a location that has rows."""
        numbers = self._numbers[location]
        return Extent(self._periods[numbers[-1]], self._periods[numbers[0]], len(numbers))

    def page(
        self,
        locations: Sequence[str] | None = None,
        *,
        first: int | None = None,
        last: int | None = None,
        after: Position | None = None,
        limit: int,
    ) -> Page:
        """Return the first `limit` rows of these locations and periods after a position.

        Args:
            locations: ids of locations; None for all. An unknown location has no rows.
            first: oldest period, inclusive.
            last: newest period, inclusive.
            after: position of the previous page's last row.
            limit: at least 1.
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
            numbers = self._matching(locations, start, end, limit)
            rows = self.rows.take(pa.array(numbers[:limit], pa.int32()))
        has_more = len(numbers) > limit
        return Page(rows, self._position(numbers[limit - 1]) if has_more else None)

    def _matching(
        self, locations: Sequence[str], start: int, end: int, limit: int
    ) -> Sequence[int]:
        """Return the first `limit` + 1 row numbers in [start, end) that belong to the locations."""
        found: list[int] = []
        for location in set(locations):
            numbers = self._numbers.get(location, ())
            begin = bisect_left(numbers, start)
            found.extend(numbers[begin : min(bisect_left(numbers, end), begin + limit + 1)])
        return sorted(found)[: limit + 1] if len(locations) > 1 else found

    def _number_after(self, position: Position) -> int:
        """Return the number of the first row after a position."""
        begin = bisect_left(self._periods, -position.period, key=_negative)
        end = bisect_right(self._periods, -position.period, key=_negative)
        return bisect_right(
            range(len(self._periods)), position.location, begin, end, key=self._name_of
        )

    def _position(self, number: int) -> Position:
        return Position(self._periods[number], self._name_of(number))

    def _name_of(self, number: int) -> bytes:
        return self._names[self._codes[number]]


def _integers(column: pa.Array) -> Sequence[int]:
    """View a column of integers, dates or timestamps without a copy."""
    assert column.offset == 0
    data = memoryview(column.buffers()[1] or b"")
    return data.cast("i" if column.type.bit_width == 32 else "q")[: len(column)]


def _row_numbers(codes: pa.Array, locations: int) -> list[Sequence[int]]:
    """Return the ascending row numbers of each location, by the location's code."""
    # The sort is stable: it keeps the order within a location.
    numbers = _integers(pc.array_sort_indices(codes).cast(pa.int32()))
    ends = [0] * (locations + 1)
    for count in pc.value_counts(codes).to_pylist():
        ends[count["values"] + 1] = count["counts"]
    for code in range(locations):
        ends[code + 1] += ends[code]
    return [numbers[ends[code] : ends[code + 1]] for code in range(locations)]


def _negative(period: int) -> int:
    return -period


def day_number(day: date) -> int:
    """Return Arrow's integer for a date."""
    return (day - EPOCH).days


def date_of(day_number: int) -> date:
    """Return the date of Arrow's integer."""
    return EPOCH + timedelta(days=day_number)
