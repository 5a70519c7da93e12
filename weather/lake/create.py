"""Create the lake."""

from weather.ducklake import attached_lake
from weather.settings import LakeSettings


def create(settings: LakeSettings) -> None:
    """Create an empty lake, or leave an existing one as it is.

    Two processes must not create the same lake at once.
    """
    with attached_lake(settings, create=True) as lake:
        # Parquet readers would not find rows that DuckLake inlines into the catalog.
        lake.execute("CALL lake.set_option('data_inlining_row_limit', 0)")
