"""What a client likes best of what there is, as its headers say."""

from collections.abc import Sequence
from functools import lru_cache

from api.formats import MEDIA_TYPES, Format

HTML = "text/html"
OFFERED = (*MEDIA_TYPES.values(), HTML)
"""All media types that any path has; where a client likes several as much, the one named first."""

ENCODINGS = ("zstd", "br", "gzip")
"""The encodings of answers; where a client likes several as much, the first of these."""

IDENTITY = "identity"

_CACHED = 256
"""How many headers are remembered: browsers and programs send a handful of different ones."""


@lru_cache(_CACHED)
def favourite_media_type(accept: bytes) -> str:
    """The media type that an `Accept` header likes best; JSON where it likes none of them."""
    best, best_quality = MEDIA_TYPES[Format.JSON], 0.0
    for name, quality in _weighed(accept):
        fitting = next((offer for offer in OFFERED if _fits(offer, name)), None)
        if fitting and quality > best_quality:
            best, best_quality = fitting, quality
    return best


@lru_cache(_CACHED)
def favourite_encoding(accept_encoding: bytes) -> str:
    """The encoding that an `Accept-Encoding` header likes best; without one, none."""
    qualities = dict(_weighed(accept_encoding))
    others = qualities.get("*", 0.0)
    best = max(ENCODINGS, key=lambda name: qualities.get(name, others))
    quality = qualities.get(best, others)
    return best if quality > 0 and quality >= qualities.get(IDENTITY, 0.0) else IDENTITY


def _weighed(header: bytes) -> Sequence[tuple[str, float]]:
    """What a header lists, each with its quality from 0 to 1; what cannot be read has 0."""
    parts = (part.split(";") for part in header.decode("latin-1").lower().split(","))
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


def _fits(offer: str, pattern: str) -> bool:
    kind = offer.partition("/")[0]
    return pattern in {offer, f"{kind}/*", "*/*"}
