"""schemathesis hooks: valid ranges, and only parameters that can be sent."""

from datetime import date, timedelta
from typing import Any

import schemathesis

from api.routes.parameters import MAX_HOURLY_DAYS


@schemathesis.hook
def map_query(_: schemathesis.HookContext, query: Any) -> Any:
    """Order the two dates of a range, within the hourly limit."""
    try:
        start, end = sorted(date.fromisoformat(query[name]) for name in ("start", "end"))
    except (KeyError, TypeError, ValueError):
        return query
    days = (end - start).days % MAX_HOURLY_DAYS
    return {**query, "start": str(start), "end": str(start + timedelta(days=days))}


@schemathesis.hook
def filter_query(_: schemathesis.HookContext, query: Any) -> bool:
    """Skip generated queries with a value that a URL cannot express."""
    return all(_is_sent(value) for value in (query or {}).values())


def _is_sent(value: Any) -> bool:
    values = value if isinstance(value, list | dict) else [value]
    return any(each is not None for each in values)
