"""The head of an answer: its status and its headers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from re import compile as pattern

Headers = list[tuple[bytes, bytes]]

NOT_IN_A_LINE = pattern(rb"[\x00-\x08\x0a-\x1f\x7f]")
"""What would end a header's line, or hide in it (RFC 9110, 5.5)."""


@dataclass(frozen=True, slots=True)
class Head:
    """Status and headers, and the same as they are written.

    Raises:
        ValueError: a header has a line break or another control character.
    """

    status: int
    headers: Headers
    lines: bytes = field(init=False)
    """All but the empty line at the end, for there are headers that only one request gets."""

    def __post_init__(self) -> None:
        """Check it and write it once, for all who are given it."""
        for name, value in self.headers:
            if NOT_IN_A_LINE.search(name) or NOT_IN_A_LINE.search(value):
                raise ValueError(f"A header with a control character: {name!r}: {value!r}")
        first = b"HTTP/1.1 %d %s\r\n" % (self.status, HTTPStatus(self.status).phrase.encode())
        object.__setattr__(self, "lines", first + header_lines(self.headers))


def by_name(headers: Headers) -> Mapping[bytes, bytes]:
    """Headers by their name; the values of one that comes again are joined (RFC 9110, 5.2)."""
    values: dict[bytes, list[bytes]] = {}
    for name, value in headers:
        values.setdefault(name, []).append(value)
    return {name: b", ".join(each) for name, each in values.items()}


def header_lines(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Headers as they are written; that they may be is not checked."""
    return b"".join([b"%s: %s\r\n" % header for header in headers])
