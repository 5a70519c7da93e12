"""Marker object that blocks publishing and backups during a rebuild.

Until a rebuild ends, the lake's tables lack months. The marker survives a killed rebuild. Its key
is in `transformed/`, where dbt's user may write, and outside the folder that `upkeep` cleans.
"""

from weather.errors import ExitCode, StepError
from weather.storage import Store

REBUILD_MARKER_KEY = "transformed/rebuild-unfinished"


def has_rebuild_marker(store: Store) -> bool:
    """Return whether the rebuild marker exists: a rebuild runs, or was killed."""
    return store.get(REBUILD_MARKER_KEY) is not None


def set_rebuild_marker(store: Store) -> None:
    """Store the rebuild marker, before a rebuild writes its first table."""
    store.put(REBUILD_MARKER_KEY, b"")


def remove_rebuild_marker(store: Store) -> None:
    """Delete the rebuild marker, after the tables are complete and tested, or restored."""
    store.delete([REBUILD_MARKER_KEY])


def require_no_rebuild(store: Store) -> None:
    """Raise StepError while the rebuild marker exists.

    Raises:
        StepError: a rebuild has not ended.
    """
    if has_rebuild_marker(store):
        raise StepError(
            f"A rebuild of the lake in bucket '{store.bucket}' has not ended, so its tables may "
            "lack months. Wait until it ends. If it was killed, run rebuild again, or restore a "
            "backup with --replace.",
            ExitCode.SETTING,
        )
