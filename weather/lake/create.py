"""Make an empty lake where there is none."""

from weather.ducklake import attached_lake
from weather.settings import LakeSettings


def create(settings: LakeSettings) -> None:
    """Create the catalog, once, before the first run: two processes must not do it at a time.

    An existing lake is left as it is.
    """
    with attached_lake(settings, create=True) as lake:
        # Rows kept in the catalog itself would be rows that no Parquet reader finds.
        lake.execute("CALL lake.set_option('data_inlining_row_limit', 0)")
