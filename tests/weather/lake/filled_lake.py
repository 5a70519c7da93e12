"""A lake after two runs, and its complete content."""

from datetime import UTC, datetime, timedelta

from tests.pipeline import MODELS, Pipeline
from weather.published import MART_KEY, PUBLISHED_KEY
from weather.window import HOUR, lookback_window

END = datetime(2026, 11, 20, 5, tzinfo=UTC)
NOW = timedelta(0)
LOOKBACK_HOURS = 48


def fill(pipeline: Pipeline) -> None:
    pipeline.fill(*(lookback_window(END + hour * HOUR, LOOKBACK_HOURS) for hour in range(2)))


def everything(pipeline: Pipeline) -> list[object]:
    """Return all rows, snapshots and objects, without the files of the lake's tables."""
    published = pipeline.published()
    assert published is not None
    store = pipeline.store
    return [
        *(pipeline.rows(f"select * from {model} order by all") for model in MODELS),
        pipeline.rows("from lake.snapshots() order by snapshot_id"),
        pipeline.rows(
            "select * from daily_weather_stats order by all", snapshot_id=published.snapshot_id
        ),
        store.get(PUBLISHED_KEY),
        store.get(MART_KEY),
        [(key, store.get(key)) for prefix in ("raw/", "rejected/") for key in store.list(prefix)],
    ]
