"""What every command of the one-machine runtime begins with: settings, store, source and lake."""

import contextlib
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from local.credentials import Credentials, S3Keys, load_credentials
from local.environment import OTHER_S3_IDENTITIES, base_environment, with_defaults
from local.folders import State
from local.prepare import prepare
from local.processes import Service
from local.progress import Progress
from local.source import running_source
from local.store import S3Server, running_store
from weather.published import PUBLISHED_KEY, SOURCE_KEY
from weather.settings import DEFAULT_BUCKET, StoreSettings
from weather.source import REPLAY
from weather.storage import Store


@dataclass(frozen=True)
class Session:
    """What commands run in: `environment` has every setting, `attribution` whose data it is.

    `store` and `replay` are there where the environment from outside names no other.
    """

    environment: Mapping[str, str]
    attribution: str
    credentials: Credentials
    state: State
    store: S3Server | None
    replay: Service | None

    def require_running(self) -> None:
        """Raise StepError with the last lines of its log when one of them has ended by itself."""
        if self.store:
            self.store.require_running(self.state.log("s3"))
        if self.replay:
            self.replay.require_running()


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
    with running_source(base, state.log("replay")) as source:
        progress.done(source.news)
        place = state.of_replay if source.replay else state
        sourced = with_defaults(base, source.environment)
        with _stored(sourced, credentials.s3, place, s3_port, state.log("s3")) as (stored, store):
            progress.done(f"S3 store at {stored['AWS_ENDPOINT_URL']}")
            catalog = place.lake_catalog(
                base.get("AWS_ENDPOINT_URL", ""), base.get("WEATHER_BUCKET") or DEFAULT_BUCKET
            )
            environment = with_defaults(stored, {"LAKE_CATALOG": f"sqlite:{catalog}"})
            if store and store.has_new_bucket and not base.get("LAKE_CATALOG"):
                _set_aside(catalog, store.folder, progress)
            if source.replay:
                mark_replay(environment)
            prepare(environment, credentials, state, progress.done)
            yield Session(environment, source.attribution, credentials, state, store, source.replay)


def mark_replay(environment: Mapping[str, str]) -> None:
    """Name the source of the replay's own lake where an older version has published without."""
    settings = StoreSettings.model_validate(
        {
            name: environment[name.upper()]
            for name in StoreSettings.model_fields
            if environment.get(name.upper())
        }
    )
    store = Store(settings)
    if store.get(SOURCE_KEY) is None and store.get(PUBLISHED_KEY) is not None:
        store.put(SOURCE_KEY, REPLAY.model_dump_json().encode())


def _set_aside(catalog: Path, folder: Path, progress: Progress) -> None:
    """Rename a catalog whose store is lost: the files that it names are nowhere any more."""
    if not catalog.exists():
        return
    kept = catalog.with_name(f"{catalog.name}.{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}")
    for suffix in ("", "-journal", "-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            Path(f"{catalog}{suffix}").rename(f"{kept}{suffix}")
    progress.done(
        f"the store in {folder} was removed, and with it raw/ and all weather before this run:"
        f" an empty lake begins, and the catalog of the old one is kept as {kept.name}"
    )


@contextlib.contextmanager
def _stored(
    environment: Mapping[str, str], made: S3Keys, place: State, port: int | None, log: Path
) -> Iterator[tuple[Mapping[str, str], S3Server | None]]:
    """The environment with a store in it: the one that it names, or ours inside the `with`."""
    if environment.get("AWS_ENDPOINT_URL"):
        yield environment, None
        return
    keys = S3Keys(
        environment.get("AWS_ACCESS_KEY_ID") or made.access_key_id,
        environment.get("AWS_SECRET_ACCESS_KEY") or made.secret_access_key,
    )
    bucket = environment.get("WEATHER_BUCKET") or DEFAULT_BUCKET
    with running_store(place.store, bucket=bucket, keys=keys, port=port, log=log) as server:
        stored = with_defaults(environment, server.environment)
        # They would be sent along with this store's keys, and be refused.
        yield {name: stored[name] for name in stored if name not in OTHER_S3_IDENTITIES}, server
