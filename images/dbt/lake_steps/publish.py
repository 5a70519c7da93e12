"""Name the snapshot of the lake that readers see, once every test has passed."""

from datetime import UTC, datetime

from weather.lake import attached_lake, current_snapshot_id
from weather.published import MART_KEY, PUBLISHED_KEY, Published
from weather.settings import LakeSettings
from weather.store import Store
from weather.window import Window


def publish(settings: LakeSettings, window: Window) -> Published:
    """Write the mart as one plain file, then name the snapshot that it was read from.

    Both are replaced as a whole, the name last: a run killed in between leaves readers with the
    snapshot that they had.
    """
    with attached_lake(settings) as lake:
        snapshot_id = current_snapshot_id(lake)
    with attached_lake(settings, snapshot_id=snapshot_id) as lake:
        lake.execute(
            "COPY (FROM daily_weather_stats ORDER BY location_id, date)"
            f" TO '{settings.bucket_url}/{MART_KEY}' (FORMAT parquet)"
        )
    published = Published(
        snapshot_id=snapshot_id, published_at=datetime.now(UTC), window_end=window.end
    )
    Store(settings).put(PUBLISHED_KEY, published.model_dump_json().encode())
    return published
