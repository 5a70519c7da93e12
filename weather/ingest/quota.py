"""Hosts of Open-Meteo, and rate limit and quota of its free service.

Paid plans and other servers have neither.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import httpx

from weather.ingest.job import HOURS_PER_CALL, Call, Job
from weather.ingest.validate import UNITS
from weather.settings import SourceSettings
from weather.source import DEFAULT_SOURCE

FORECAST_HISTORY = timedelta(days=90)
"""Age of the oldest hours requested from the forecast host. The archive has older hours."""

MINUTELY_LIMIT = 600
HOURLY_QUOTA = 5_000
"""Quota of an IP address, from RateLimiter.swift in open-meteo/open-meteo."""

REFERENCE_VARIABLES = 10
REFERENCE_HOURS = 14 * 24


def base_url_of(call: Call, source: SourceSettings, now: datetime) -> str:
    """Choose the host that has the call's hours. Paid plans have separate hosts."""
    is_old = now - call.window.start > FORECAST_HISTORY
    configured = source.open_meteo_archive_url if is_old else source.open_meteo_url
    url = httpx.URL(configured)
    is_free = url.host.endswith(".open-meteo.com") and not url.host.startswith("customer-")
    if source.open_meteo_api_key and is_free:
        return str(url.copy_with(host=f"customer-{url.host}"))
    return configured


def weight(locations: int, hours: int, variables: int) -> float:
    """Compute a call's weight in the quota from its locations, hours and variables.

    The rule is `calculateQueryWeight` in ForecastApiResult.swift of open-meteo/open-meteo.
    """
    width = variables / REFERENCE_VARIABLES
    return locations * max(1.0, width, width * hours / REFERENCE_HOURS)


def is_rate_limited(base_url: str, has_key: bool) -> bool:
    """Return whether requests to this address count against the free service's rate limit."""
    host = urlsplit(base_url).hostname or ""
    return not has_key and (host == "open-meteo.com" or host.endswith(".open-meteo.com"))


def seconds_between_calls(
    locations: int, hours: int, variables: int, base_url: str, has_key: bool
) -> float:
    """Compute the seconds between the starts of two calls, 0 without a rate limit."""
    if not is_rate_limited(base_url, has_key):
        return 0.0
    return 60 * weight(locations, hours, variables) / MINUTELY_LIMIT


def quota_problem(job: Job, source: SourceSettings, now: datetime) -> str | None:
    """Return why a run exceeds the hourly quota, or None.

    Each try of a job starts with its first call, so a run beyond the quota would never end. All
    shards count, because they share the quota.

    Args:
        job: any shard of the run.
        source: the service's addresses and API key.
        now: decides which address has which hours.
    """
    total = run_weight(job, source, now)
    if total <= HOURLY_QUOTA:
        return None
    locations = sum(each.source == DEFAULT_SOURCE for each in job.run_locations)
    hours = hours_within_quota(locations)
    advice = (
        f"Split the window: about {hours:,} h fit for these locations"
        if hours
        else f"Even one hour is too much: list at most {HOURLY_QUOTA:,} locations"
    )
    return (
        f"The window of {job.window.hours:,} h at {locations:,} locations counts as {total:,.0f} "
        f"API calls, and Open-Meteo's free service allows {HOURLY_QUOTA:,} an hour. {advice}. Or "
        "use a paid plan (OPEN_METEO_API_KEY) or a server of your own (OPEN_METEO_URL, "
        "OPEN_METEO_ARCHIVE_URL)."
    )


def run_weight(job: Job, source: SourceSettings, now: datetime) -> float:
    """Compute the weight of a run's calls to the free service, over all shards."""
    run = replace(job, shard=0, shards=1)
    has_key = source.open_meteo_api_key is not None
    return sum(
        weight(len(call.locations), call.window.hours, len(UNITS))
        for call in run.calls()
        if is_rate_limited(base_url_of(call, source, now), has_key)
    )


def hours_within_quota(locations: int) -> int:
    """Compute the number of hours at that many locations that fit into the hourly quota."""
    return int(HOURLY_QUOTA // weight(locations, HOURS_PER_CALL, len(UNITS))) * HOURS_PER_CALL
