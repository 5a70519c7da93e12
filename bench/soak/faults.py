"""Choose the source's fault for each hour at random, from a seed."""

import random
from collections.abc import Iterator

FAULTY_SHARE = 0.4
"""Share of hours with a fault."""

TRANSIENT = (
    "server_error*1",
    "unavailable*2",
    "bad_gateway*1",
    "gateway_timeout*3",
    "too_many_concurrent*2",
    "minutely_limit*1",
    "html_ok*1",
    "cut_json*2",
    "streaming_error*1",
    "reset*1",
    "hang*1",
)
WHOLE_HOUR = ("unavailable", "hourly_limit", "daily_limit", "unauthorized")
"""Faults that outlast all retries, so that only a later run's lookback fetches the hour."""

ONE_LOCATION_REJECTED = (
    "wrong_units@0",
    "unequal_arrays@1",
    "repeated_hour@2",
    "falling_hours@0",
    "outside_hours@1",
    "not_finite@2",
    "all_null@0",
    "text_value@1",
    "missing_variable@2",
)
WRONG_WEATHER = ("odd_temperature", "impossible_values")
"""Faults that only dbt's tests reject. The steps run again for the same hour afterwards."""

KINDS = (TRANSIENT, WHOLE_HOUR, ONE_LOCATION_REJECTED, WRONG_WEATHER)


def faults_of_hours(hours: int, seed: int) -> Iterator[str]:
    """Yield a fault rule of the replay server for each hour, or an empty text.

    The first and the last hour have none, because no other run gets all of their hours.
    """
    chance = random.Random(seed)  # noqa: S311 - repeatable, and not for secrets
    for hour in range(hours):
        fault = chance.choice(chance.choice(KINDS)) if chance.random() < FAULTY_SHARE else ""
        yield fault if 0 < hour < hours - 1 else ""
