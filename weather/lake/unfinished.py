"""The mark of a rebuild that has not ended, for the lake holds only a part of the months then.

The mark is below `transformed/`, which dbt's user may write to, and not below the tables' files,
where upkeep deletes what the catalog does not know. Readers look at neither.
"""

from weather.errors import ExitCode, StepError
from weather.storage import Store

UNFINISHED_KEY = "transformed/rebuild-unfinished"


def is_unfinished(store: Store) -> bool:
    """Whether a rebuild is at work, or was killed at it."""
    return store.get(UNFINISHED_KEY) is not None


def mark_unfinished(store: Store) -> None:
    """Say so, before the first table is written."""
    store.put(UNFINISHED_KEY, b"")


def mark_whole(store: Store) -> None:
    """Take the mark back: every table is whole and tested, or as it was before the rebuild."""
    store.delete([UNFINISHED_KEY])


def require_whole(store: Store) -> None:
    """Let nobody publish or keep a part of the lake.

    Raises:
        StepError: a rebuild has not ended.
    """
    if is_unfinished(store):
        raise StepError(
            f"A rebuild of the lake in bucket '{store.bucket}' has not ended, so the tables may "
            "lack months. Wait for it; if it was killed, run rebuild again, or restore a backup "
            "with --replace.",
            ExitCode.SETTING,
        )
