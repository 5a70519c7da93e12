"""Make buckets, policies and users, in the order in which none has more rights than it should."""

from dataclasses import dataclass

from weather.store_setup.server import Server
from weather.store_setup.wanted import Wanted

PREFIX = "weather-"
"""Sets our policies apart from MinIO's own."""


@dataclass(frozen=True)
class Made:
    """What was done: the buckets that were not there before, and all that was set."""

    new_buckets: list[str]
    kept_days: dict[str, int]
    users: dict[str, str]
    """The policy of each S3 user."""


def make(wanted: Wanted, server: Server) -> Made:
    """Make what is wanted.

    Raises:
        StepError: MinIO refuses something, or does not answer; what was made until then stays.
    """
    new_buckets = [name for name in wanted.buckets if server.make_bucket(name)]
    for name, days in wanted.kept_days.items():
        server.keep_for_days(name, days)
    users = {}
    for user in wanted.users:
        policy = f"{PREFIX}{user.name}"
        server.put_policy(policy, user.policy)
        server.put_user(user.keys, policy)
        users[user.keys.access_key] = policy
    return Made(new_buckets, wanted.kept_days, users)
