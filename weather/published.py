"""The one snapshot of the lake that readers see, named by a small object in the store."""

from typing import Protocol

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from weather.exit_codes import ExitCode, StepError
from weather.reports import RunReport

PUBLISHED_KEY = "transformed/published.json"
MART_KEY = "transformed/daily_weather_stats.parquet"


class ReadableStore(Protocol):
    """The part of the store that readers need."""

    def get(self, key: str) -> bytes | None:
        """The object's bytes, or None where there is no such object."""


class Published(BaseModel):
    """What `publish` says of the snapshot that passed every test."""

    model_config = ConfigDict(frozen=True)

    snapshot_id: int
    published_at: AwareDatetime
    window_end: AwareDatetime
    """The end of the window of the run that published it."""
    run: RunReport | None = None
    """What that run did; None where it was published without a report."""


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
