"""Cursors: where a page ended, as text that clients hand back as it is."""

from api.data.series import Place

PATTERN = r"^[0-9a-f]{8}([0-9a-f]{2}){0,64}$"
"""Every text of this form is some place, so that no cursor can be half valid."""


def cursor_of(place: Place) -> str:
    """The cursor of the page that ended there."""
    return place.period.to_bytes(4, signed=True).hex() + place.location.hex()


def place_of(cursor: str) -> Place:
    """The place that a cursor of the right form names."""
    place = bytes.fromhex(cursor)
    return Place(int.from_bytes(place[:4], signed=True), place[4:])
