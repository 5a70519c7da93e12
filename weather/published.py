"""The published snapshot and its source: `published.json` and `source.json` in the store."""

from typing import Protocol

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from weather.errors import ExitCode, SourceError, StepError
from weather.reports import RunReport
from weather.source import OPEN_METEO, Source

PUBLISHED_KEY = "transformed/published.json"
MART_KEY = "transformed/daily_weather_stats.parquet"
SOURCE_KEY = "raw/source.json"
"""Object with the sources of the lake, written before a source's first response is stored.

It is below `raw/`, because a rebuild from `raw/` alone must know the sources.
"""


class ReadableStore(Protocol):
    """The part of the store that readers need."""

    def get(self, key: str) -> bytes | None:
        """Return the object's body, or None if there is no such object."""


class SourceStore(ReadableStore, Protocol):
    """The part of the store that `require_source` needs."""

    bucket: str

    def put(self, key: str, body: bytes) -> None:
        """Store an object."""


class Published(BaseModel):
    """Content of `published.json`: a snapshot whose rows passed every test."""

    model_config = ConfigDict(frozen=True)

    snapshot_id: int
    published_at: AwareDatetime
    window_end: AwareDatetime
    """End of the newest hour of the run's window that the snapshot holds; without such an hour, the
    `window_end` published before."""
    run: RunReport | None = None
    """The run's report; None if there was none."""
    source: Source | None = OPEN_METEO
    """Sources of the data, None before the first response; older objects lack this field."""
    lake: str | None = None
    """The lake's id (`weather.ducklake.lake_id`); older objects lack this field."""


def read_published(store: ReadableStore) -> Published | None:
    """Read `published.json`, or None before the first successful run.

    Raises:
        StepError: the object is not valid, or the store fails.
    """
    body = store.get(PUBLISHED_KEY)
    if body is None:
        return None
    try:
        return Published.model_validate_json(body)
    except ValidationError:
        raise StepError(
            f"{PUBLISHED_KEY} in the bucket is not valid. Run weather_pipeline again: its publish "
            "task replaces the object.",
            ExitCode.UNEXPECTED,
        ) from None


def read_source(store: ReadableStore) -> Source | None:
    """Read the sources of the lake's data, or None before the first response.

    Raises:
        StepError: the object is not what `require_source` writes, or the store fails.
    """
    body = store.get(SOURCE_KEY)
    if body is not None:
        try:
            return Source.model_validate_json(body)
        except ValidationError:
            raise StepError(
                f"{SOURCE_KEY} in the bucket is not valid. Delete that object: the next run of "
                "ingest writes it again.",
                ExitCode.SETTING,
            ) from None
    # Lakes of older versions have no source.json.
    try:
        published = read_published(store)
    except StepError as error:
        if error.exit_code == ExitCode.UNAVAILABLE:
            raise
        # On a cluster, ingest may not read this object.
        return None
    return published.source if published else None


def require_source(store: SourceStore, source: Source, address: str) -> None:
    """Raise SourceError if a replay and weather would mix in one lake. Record a new source.

    Args:
        store: the lake's bucket.
        source: the response's source.
        address: the server's address, for the error message.

    Raises:
        SourceError: a replay and weather would mix.
        StepError: the store fails.
    """
    known = read_source(store)
    names = [each.name for each in known.each] if known else []
    if source.name in names:
        return
    if known and (known.replay or source.replay):
        raise SourceError(
            f"The lake in bucket '{store.bucket}' holds data of another source "
            f"({', '.join(names)}) than {address} sends ({source.name}), and a replay never mixes "
            "with weather. Nothing of that response was stored. Set OPEN_METEO_URL and "
            "OPEN_METEO_ARCHIVE_URL to the lake's source, or WEATHER_BUCKET and LAKE_CATALOG to "
            "another lake.",
            ExitCode.SETTING,
        )
    # Two processes may add different sources at once. The next response adds a lost one again.
    if known:
        source = known.model_copy(update={"others": (*known.others, source)})
    store.put(SOURCE_KEY, source.model_dump_json().encode())
