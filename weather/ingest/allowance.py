"""How much a run may ask of Open-Meteo's free service."""

from dataclasses import replace
from datetime import datetime

from weather.ingest.job import HOURS_A_CALL, Job
from weather.ingest.open_meteo import UNITS, address_of
from weather.ingest.pacing import is_free, weight
from weather.settings import SourceSettings

WEIGHT_AN_HOUR = 5_000
"""The limit in the server's RateLimiter.swift, for all calls of an address in an hour."""


def excess_of(job: Job, source: SourceSettings, now: datetime) -> str | None:
    """Why the run that a job belongs to is too much for the free service, or None.

    Each try of a job begins with its first call, so one beyond an hour's limit would never end.
    All shards count, because they share the limit. Calls of a paid plan or of a server of one's
    own do not.

    Args:
        job: any shard of the run.
        source: the hosts, and the key of a paid plan.
        now: the time that tells which host has which hours.
    """
    asked = run_weight(job, source, now)
    if asked <= WEIGHT_AN_HOUR:
        return None
    locations = len(job.run_locations)
    fitting = fitting_hours(locations)
    remedy = (
        f"Split the window: about {fitting:,} h fit for these locations"
        if fitting
        else f"Even one hour is too much: list at most {WEIGHT_AN_HOUR:,} locations"
    )
    return (
        f"The window of {job.window.hours:,} h at {locations:,} locations weighs {asked:,.0f}, and "
        f"Open-Meteo's free service takes {WEIGHT_AN_HOUR:,} an hour. {remedy}. Or use a paid plan "
        "(OPEN_METEO_API_KEY) or a server of your own (OPEN_METEO_URL, OPEN_METEO_ARCHIVE_URL)."
    )


def run_weight(job: Job, source: SourceSettings, now: datetime) -> float:
    """What the free service counts for all shards of a job's run."""
    run = replace(job, shard=0, shards=1)
    has_key = source.open_meteo_api_key is not None
    return sum(
        weight(len(call.locations), call.window.hours, len(UNITS))
        for call in run.calls
        if is_free(address_of(call, source, now), has_key)
    )


def fitting_hours(locations: int) -> int:
    """How many hours at that many locations the free service answers within an hour's limit."""
    return int(WEIGHT_AN_HOUR // weight(locations, HOURS_A_CALL, len(UNITS))) * HOURS_A_CALL
