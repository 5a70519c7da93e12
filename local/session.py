"""What every command of the one-machine runtime begins with: settings, store, source and lake."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from local.credentials import Credentials, S3Keys, load_credentials
from local.environment import OTHER_S3_IDENTITIES, base_environment, with_defaults
from local.folders import State
from local.prepare import prepare
from local.progress import Progress
from local.source import running_source
from local.store import running_store


@dataclass(frozen=True)
class Session:
    """What commands run in: `environment` has every setting, `attribution` whose data it is."""

    environment: Mapping[str, str]
    attribution: str
    credentials: Credentials
    state: State


@contextlib.contextmanager
def running_session(
    outside: Mapping[str, str], state: State, progress: Progress, *, s3_port: int | None = None
) -> Iterator[Session]:
    """All that the pipeline needs, running inside the `with`, S3 on `s3_port` or a free port.

    Settings of `outside` win over everything that would be set here: no store is started when
    they name one, and no replay server when they name a source.
    """
    credentials = load_credentials(state.credentials)
    base = base_environment(outside, credentials, state)
    progress.done("environment ready")
    with (
        _stored(base, credentials.s3, state, s3_port, progress) as stored,
        running_source(stored, state.log("replay")) as source,
    ):
        progress.done(source.news)
        environment = with_defaults(stored, source.environment)
        prepare(environment, credentials, state, progress.done)
        yield Session(environment, source.attribution, credentials, state)


@contextlib.contextmanager
def _stored(
    environment: Mapping[str, str],
    made: S3Keys,
    state: State,
    port: int | None,
    progress: Progress,
) -> Iterator[Mapping[str, str]]:
    """The environment with a store in it: the one that it names, or ours inside the `with`."""
    if address := environment.get("AWS_ENDPOINT_URL"):
        progress.done(f"S3 store: {address}, as AWS_ENDPOINT_URL says")
        yield environment
        return
    keys = S3Keys(
        environment.get("AWS_ACCESS_KEY_ID") or made.access_key_id,
        environment.get("AWS_SECRET_ACCESS_KEY") or made.secret_access_key,
    )
    bucket = environment.get("WEATHER_BUCKET") or "weather"
    log = state.log("s3")
    with running_store(state.store, bucket=bucket, keys=keys, port=port, log=log) as server:
        progress.done(f"S3 store at {server.endpoint}")
        stored = with_defaults(environment, server.environment)
        # They would be sent along with this store's keys, and be refused.
        yield {name: stored[name] for name in stored if name not in OTHER_S3_IDENTITIES}
