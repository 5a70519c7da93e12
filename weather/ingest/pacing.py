"""How fast calls may follow each other on Open-Meteo's free service."""

from urllib.parse import urlsplit

WEIGHT_A_MINUTE = 600
REFERENCE_VARIABLES = 10
REFERENCE_HOURS = 14 * 24


def weight(locations: int, hours: int, variables: int) -> float:
    """What the service counts for a call: 1 a location, more for long or wide ones.

    The rule is `calculateQueryWeight` in the server's ForecastApiResult.swift.
    """
    width = variables / REFERENCE_VARIABLES
    return locations * max(1.0, width, width * hours / REFERENCE_HOURS)


def is_free(address: str, has_key: bool) -> bool:
    """Whether the free service's limits hold: paid plans and servers of one's own have none."""
    host = urlsplit(address).hostname or ""
    return not has_key and (host == "open-meteo.com" or host.endswith(".open-meteo.com"))


def seconds_to_next_call(
    locations: int, hours: int, variables: int, address: str, has_key: bool
) -> float:
    """Seconds from the start of a call to the start of the next one; zero without a limit."""
    if not is_free(address, has_key):
        return 0.0
    return 60 * weight(locations, hours, variables) / WEIGHT_A_MINUTE
