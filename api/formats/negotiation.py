"""What a client likes best of what there is, as its headers say."""

from collections.abc import Mapping, Sequence
from functools import lru_cache

from api.formats.formats import MEDIA_TYPES, Format

HTML = "text/html"

Offers = tuple[str, ...]

ROWS: Offers = tuple(MEDIA_TYPES.values())
"""The media types of rows."""

FRONT_PAGE: Offers = (MEDIA_TYPES[Format.JSON], HTML)
"""The media types of `/`, the only path that has a page."""

ENCODINGS = ("zstd", "br", "gzip")
"""The encodings of answers; where a client likes several as much, the first of these."""

IDENTITY = "identity"

MOST_NAMED = 50
"""How many types or encodings of a header are looked at: browsers name about ten."""

_CACHED = 256
"""How many headers are remembered: browsers and programs send a handful of different ones."""


@lru_cache(_CACHED)
def favourite_media_type(accept: bytes, offers: Offers) -> str:
    """The offer that an `Accept` header likes best; the first where it likes none of them.

    Of those that it likes as much, it is the one that it names first.
    """
    liking = {
        name: (quality, -place if quality > 0 else 0)
        for place, (name, quality) in enumerate(_weighed(accept))
    }
    return max(offers, key=lambda offer: _liking_of(offer, liking))


@lru_cache(_CACHED)
def favourite_encoding(accept_encoding: bytes) -> str:
    """The encoding that an `Accept-Encoding` header likes best; without one, none."""
    qualities = dict(_weighed(accept_encoding))
    others = qualities.get("*", 0.0)
    best = max(ENCODINGS, key=lambda name: qualities.get(name, others))
    quality = qualities.get(best, others)
    return best if quality > 0 and quality >= qualities.get(IDENTITY, 0.0) else IDENTITY


def _weighed(header: bytes) -> Sequence[tuple[str, float]]:
    """What a header lists, each with its quality from 0 to 1; what cannot be read has 0.

    Only so many, because it is read where all other requests wait.
    """
    listed = header.decode("latin-1").lower().split(",", MOST_NAMED)[:MOST_NAMED]
    parts = (part.split(";") for part in listed)
    return [(name.strip(), _quality(parameters)) for name, *parameters in parts]


def _quality(parameters: Sequence[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return min(max(float(value), 0.0), 1.0)
            except ValueError:
                return 0.0
    return 1.0


def _liking_of(offer: str, liking: Mapping[str, tuple[float, int]]) -> tuple[float, int]:
    """How much it is liked: the most specific range that fits says so (RFC 9110, 12.5.1)."""
    kind = offer.partition("/")[0]
    ranges = (offer, f"{kind}/*", "*/*")
    return next((liking[each] for each in ranges if each in liking), (0.0, 0))
