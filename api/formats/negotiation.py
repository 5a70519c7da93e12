"""Content negotiation by `Accept` and `Accept-Encoding` (RFC 9110, 12.5)."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import lru_cache


class Format(StrEnum):
    """The formats of rows."""

    JSON = "json"
    CSV = "csv"
    PARQUET = "parquet"
    ARROW = "arrow"


MEDIA_TYPES: Mapping[Format, str] = {
    Format.JSON: "application/json",
    Format.CSV: "text/csv",
    Format.PARQUET: "application/vnd.apache.parquet",
    Format.ARROW: "application/vnd.apache.arrow.stream",
}

HTML = "text/html"

Offers = tuple[str, ...]

ROWS: Offers = tuple(MEDIA_TYPES.values())
"""The media types of rows."""

FRONT_PAGE: Offers = (MEDIA_TYPES[Format.JSON], HTML)
"""The media types of `/`, the only path with a page."""

ENCODINGS = ("zstd", "br", "gzip")
"""The content encodings, in the server's order of preference."""

IDENTITY = "identity"

MAX_ITEMS = 50
"""Limit of the media types or encodings read from a header. Browsers send about ten."""

_CACHED_HEADERS = 256


@lru_cache(_CACHED_HEADERS)
def best_media_type(accept: bytes, offers: Offers) -> str:
    """Return the offer with the highest quality in `Accept`, or the first offer.

    Of offers with the same quality, the one that `Accept` names first wins.
    """
    ranks = {
        name: (quality, -position if quality > 0 else 0)
        for position, (name, quality) in enumerate(_qualities(accept))
    }
    return max(offers, key=lambda offer: _rank(offer, ranks))


@lru_cache(_CACHED_HEADERS)
def best_encoding(accept_encoding: bytes) -> str:
    """Return the encoding with the highest quality in `Accept-Encoding`, or `identity`."""
    qualities = dict(_qualities(accept_encoding))
    others = qualities.get("*", 0.0)
    best = max(ENCODINGS, key=lambda name: qualities.get(name, others))
    quality = qualities.get(best, others)
    return best if quality > 0 and quality >= qualities.get(IDENTITY, 0.0) else IDENTITY


def _qualities(header: bytes) -> Sequence[tuple[str, float]]:
    """Return the listed names with their qualities from 0 to 1. An invalid quality counts as 0.

    The number of items is limited, because this runs in the event loop.
    """
    listed = header.decode("latin-1").lower().split(",", MAX_ITEMS)[:MAX_ITEMS]
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


def _rank(offer: str, ranks: Mapping[str, tuple[float, int]]) -> tuple[float, int]:
    """Return the rank of the most specific media range that matches (RFC 9110, 12.5.1)."""
    kind = offer.partition("/")[0]
    ranges = (offer, f"{kind}/*", "*/*")
    return next((ranks[each] for each in ranges if each in ranks), (0.0, 0))
