"""Which faults the source has in which hour, drawn at random from a seed."""

import random
from collections.abc import Iterator

FAULTY_SHARE = 0.4
"""Of the hours."""

HEALED_BY_ANOTHER_TRY = (
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
NO_ANSWER = ("unavailable", "hourly_limit", "daily_limit", "unauthorized")
"""The whole hour long: a later run takes the hour as one of those before its own."""

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
"""Right in their form, so that only dbt's tests find them; the hour is run again after them."""

KINDS = (HEALED_BY_ANOTHER_TRY, NO_ANSWER, ONE_LOCATION_REJECTED, WRONG_WEATHER)


def faults_of_hours(hours: int, seed: int) -> Iterator[str]:
    """A rule of the replay server for each hour; empty for an hour without a fault.

    The first and the last hour have none: what only they take would be missing in the end.
    """
    chance = random.Random(seed)  # noqa: S311 - to be repeated, and guards no secret
    for hour in range(hours):
        fault = chance.choice(chance.choice(KINDS)) if chance.random() < FAULTY_SHARE else ""
        yield fault if 0 < hour < hours - 1 else ""
