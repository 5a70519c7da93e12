"""Time zone rules from one pinned source, the package `tzdata`.

Python's `ZoneInfo(name)` prefers the machine's files and PYTHONTZPATH, and DuckDB's rules are
compiled in. Both may be older than the package.
"""

import struct
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from io import BytesIO
from typing import NamedTuple
from zoneinfo import ZoneInfo

from weather.window import HOUR, first_hour_from

FIRST_YEAR = 2000
"""First year with changes of offset in `utc_offsets`. No source has older hours."""

SECONDS_AHEAD = 5 * 366 * 24 * 3600
"""Reach of `utc_offsets` into the future; the lake has no future hours."""

_STEP = 28 * 24 * 3600
"""Seconds between two samples of a zone's offset. No yearly rule has a shorter period."""


class UtcOffset(NamedTuple):
    """A zone's offset from one clock change to the next, in seconds."""

    since: int
    """Start of the period as Unix time."""
    offset: int
    offset_before: int
    """Offset before the period, in the first period the same as `offset`."""


@cache
def zone_names() -> frozenset[str]:
    """Return the names that `tzdata` lists, including backward-compatible names."""
    return frozenset((_package() / "zones").read_text(encoding="utf-8").split())


@cache
def zone(name: str) -> ZoneInfo:
    """Load a time zone from `tzdata`.

    Raises:
        KeyError: `tzdata` does not list the name.
    """
    if name not in zone_names():
        raise KeyError(name)
    return ZoneInfo.from_file(BytesIO(_data(name)), key=name)


def local_date(moment: datetime, zone: tzinfo) -> date:
    """Return the zone's date at a moment."""
    return moment.astimezone(zone).date()


def first_hour_of(day: date, zone: tzinfo) -> datetime:
    """Return the first whole hour in UTC whose local date is not before the day."""
    hour = first_hour_from(datetime.combine(day, time(), zone))
    # A clock change may skip midnight or repeat it.
    while local_date(hour - HOUR, zone) >= day:
        hour -= HOUR
    while local_date(hour, zone) < day:
        hour += HOUR
    return hour


def utc_offsets() -> dict[str, list[UtcOffset]]:
    """Return the offsets of every zone since FIRST_YEAR, the oldest first."""
    until = int(datetime.now(UTC).timestamp()) + SECONDS_AHEAD
    # Half of the names are links to another zone.
    by_rules: dict[bytes, list[UtcOffset]] = {}
    found = {}
    for name in sorted(zone_names()):
        data = _data(name)
        if data not in by_rules:
            by_rules[data] = _utc_offsets(data, until)
        found[name] = by_rules[data]
    return found


def _utc_offsets(data: bytes, until: int) -> list[UtcOffset]:
    there = ZoneInfo.from_file(BytesIO(data))
    start = int(datetime(FIRST_YEAR, 1, 1, tzinfo=UTC).timestamp())
    changes, has_yearly_rule = _listed_changes(data)
    offset = _offset(there, start)
    found = [UtcOffset(start, offset, offset)]

    def add(change: int) -> None:
        before, after = found[-1].offset, _offset(there, change)
        if after != before:
            found.append(UtcOffset(change, after, before))

    for change in changes:
        if change > start:
            add(change)
    moment = max(start, changes[-1]) if changes else start
    while has_yearly_rule and moment < until:
        if _offset(there, moment + _STEP) != found[-1].offset:
            add(_change_between(there, moment, moment + _STEP))
        moment += _STEP
    return found


def _change_between(there: ZoneInfo, start: int, end: int) -> int:
    """Return the minute between `start` and `end` at which the zone's offset changes."""
    offset = _offset(there, end)
    low, high = start // 60, end // 60
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(there, middle * 60) == offset:
            high = middle
        else:
            low = middle
    return high * 60


def _offset(there: ZoneInfo, moment: int) -> int:
    offset = datetime.fromtimestamp(moment, there).utcoffset() or timedelta()
    return offset.days * 86400 + offset.seconds


def _listed_changes(data: bytes) -> tuple[list[int], bool]:
    """Read the changes that a TZif file (RFC 8536) lists, and whether a yearly rule follows."""
    counts = struct.unpack(">6l", data[20:44])
    second = 44 + _size(counts, bytes_a_time=4)
    counts = struct.unpack(">6l", data[second + 20 : second + 44])
    times = struct.unpack_from(f">{counts[3]}q", data, second + 44)
    footer = data[second + 44 + _size(counts, bytes_a_time=8) :]
    return list(times), b"," in footer


def _size(counts: tuple[int, ...], *, bytes_a_time: int) -> int:
    """Return the size in bytes of a TZif data block without its header."""
    is_ut, is_standard, leaps, times, types, characters = counts
    return (
        times * (bytes_a_time + 1)
        + types * 6
        + characters
        + leaps * (bytes_a_time + 4)
        + is_standard
        + is_ut
    )


def _data(name: str) -> bytes:
    return (_package() / "zoneinfo").joinpath(*name.split("/")).read_bytes()


def _package() -> Traversable:
    return resources.files("tzdata")
