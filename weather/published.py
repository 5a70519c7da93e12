"""The one snapshot of the lake that readers see, named by a small object in the store."""

from typing import Protocol

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from weather.errors import ExitCode, StepError
from weather.reports import RunReport
from weather.source import OPEN_METEO, Source

PUBLISHED_KEY = "transformed/published.json"
MART_KEY = "transformed/daily_weather_stats.parquet"
SOURCE_KEY = "raw/source.json"
"""The object that names the source of the lake; the first response that ingest stores decides it.

It is below `raw/`, because a rebuild from `raw/` alone must know the source.
"""


class ReadableStore(Protocol):
    """The part of the store that readers need."""

    def get(self, key: str) -> bytes | None:
        """The object's bytes, or None where there is no such object."""


class SourceStore(ReadableStore, Protocol):
    """The part of the store that `require_source` needs."""

    bucket: str

    def put(self, key: str, body: bytes) -> None:
        """Store an object."""


class Published(BaseModel):
    """What `publish` says of the snapshot that passed every test."""

    model_config = ConfigDict(frozen=True)

    snapshot_id: int
    published_at: AwareDatetime
    window_end: AwareDatetime
    """End of the newest hour of the run's window that the snapshot holds; without such an hour, the
    `window_end` published before."""
    run: RunReport | None = None
    """What that run did; None where it was published without a report."""
    source: Source = OPEN_METEO
    """Whose data these are; objects without this field are older than the field."""
    lake: str | None = None
    """The lake's id (`weather.ducklake.lake_id`); None in objects of older versions."""


def read_published(store: ReadableStore) -> Published | None:
    """What is published now; None before the first run has ended well.

    Raises:
        StepError: the object cannot be read as what `publish` writes.
    """
    body = store.get(PUBLISHED_KEY)
    if body is None:
        return None
    try:
        return Published.model_validate_json(body)
    except ValidationError:
        raise StepError(
            f"{PUBLISHED_KEY} in the bucket is not what publish writes. "
            "Run weather_pipeline again: its last step writes it anew.",
            ExitCode.UNEXPECTED,
        ) from None


def read_source(store: ReadableStore) -> Source | None:
    """Return the source of the lake's data; None before the first response.

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
    # A lake of an older version.
    try:
        published = read_published(store)
    except StepError as error:
        if error.exit_code == ExitCode.UNAVAILABLE:
            raise
        # On a cluster, ingest has no right to read this object.
        return None
    return published.source if published else None


def require_source(store: SourceStore, source: Source, address: str) -> None:
    """Refuse data of another source than the lake's; the first source becomes the lake's.

    Args:
        store: the lake's bucket.
        source: whose data were received.
        address: the server that sent them, for the message.

    Raises:
        StepError: the lake holds data of another source, or the store fails.
    """
    known = read_source(store)
    if known is None:
        store.put(SOURCE_KEY, source.model_dump_json().encode())
    elif known.name != source.name:
        raise StepError(
            f"The lake in bucket '{store.bucket}' holds data of another source ({known.name}) "
            f"than {address} sends ({source.name}). Nothing of that response was stored. Set "
            "OPEN_METEO_URL and OPEN_METEO_ARCHIVE_URL to the lake's source, or WEATHER_BUCKET "
            "and LAKE_CATALOG to another lake.",
            ExitCode.SETTING,
        )
