"""Read TZif files (RFC 8536), independently of zoneinfo and of the code under test."""

import re
import struct
from bisect import bisect_right
from datetime import UTC, date, datetime, timedelta
from importlib import resources

FOOTER_YEARS = range(2000, 2033)
"""Years for which a footer's yearly rule is expanded."""

NAME = r"(?:<[^>]+>|[A-Za-z]+)"
TIME = r"[+-]?\d+(?::\d+)*"
FOOTER = re.compile(
    rf"{NAME}({TIME})(?:{NAME}({TIME})?,M(\d+)\.(\d)\.(\d)(?:/({TIME}))?,"
    rf"M(\d+)\.(\d)\.(\d)(?:/({TIME}))?)?"
)


class Rules:
    """UTC offsets of a zone of the package `tzdata`."""

    def __init__(self, name: str) -> None:
        file = resources.files("tzdata").joinpath("zoneinfo", *name.split("/"))
        self._changes, self._offsets = _read(file.read_bytes())

    def offset(self, moment: int) -> int:
        """Return the offset in seconds at a Unix time."""
        return self._offsets[bisect_right(self._changes, moment)]

    def local_date(self, moment: int) -> date:
        """Return the local date at a Unix time."""
        return (datetime.fromtimestamp(moment, UTC) + timedelta(seconds=self.offset(moment))).date()

    def changes(self, first: int, last: int) -> list[int]:
        """Return the changes of the offset between two Unix times."""
        return [
            change
            for change in self._changes
            if first <= change <= last and self.offset(change - 1) != self.offset(change)
        ]


def zone_names() -> list[str]:
    """Return the names of all zones in the package."""
    return (resources.files("tzdata") / "zones").read_text(encoding="utf-8").split()


def _read(data: bytes) -> tuple[list[int], list[int]]:
    """Return the changes, the offset before the first change, and the offset after each change."""
    position = 0
    for bytes_a_time in (4, 8):
        assert data[position : position + 4] == b"TZif"
        ut, standard, leaps, times, types, characters = struct.unpack_from(
            ">6L", data, position + 20
        )
        position += 44
        start = position
        position += times * (bytes_a_time + 1) + types * 6 + characters
        position += leaps * (bytes_a_time + 4) + standard + ut
    changes = list(struct.unpack_from(f">{times}q", data, start))
    indexes = data[start + times * 8 : start + times * 9]
    kinds = [struct.unpack_from(">l", data, start + times * 9 + 6 * i)[0] for i in range(types)]
    offsets = [kinds[0], *(kinds[index] for index in indexes)]
    footer = FOOTER.fullmatch(data[position:].decode().strip())
    assert footer, data[position:]
    for change, offset in _of_footer(footer):
        if not changes or change > changes[-1]:
            changes.append(change)
            offsets.append(offset)
    return changes, offsets


def _of_footer(footer: re.Match[str]) -> list[tuple[int, int]]:
    if footer[3] is None:
        return []
    standard = -_seconds(footer[1])
    summer = -_seconds(footer[2]) if footer[2] else standard + 3600
    found = []
    for year in FOOTER_YEARS:
        for number, before, after in ((3, standard, summer), (7, summer, standard)):
            month, week, weekday = (int(footer[number + i]) for i in range(3))
            local = _day(year, month, week, weekday) + _seconds(footer[number + 3] or "2")
            found.append((local - before, after))
    return sorted(found)


def _day(year: int, month: int, week: int, weekday: int) -> int:
    """Return midnight of a month's nth weekday in seconds. 0 is Sunday, week 5 the last."""
    first = date(year, month, 1)
    day = first + timedelta(days=(weekday - first.isoweekday()) % 7 + 7 * (week - 1))
    while day.month != month:
        day -= timedelta(days=7)
    return (day - date(1970, 1, 1)).days * 86400


def _seconds(text: str) -> int:
    sign = -1 if text.startswith("-") else 1
    parts = [int(part) for part in text.lstrip("+-").split(":")]
    return sign * sum(part * unit for part, unit in zip(parts, (3600, 60, 1), strict=False))
