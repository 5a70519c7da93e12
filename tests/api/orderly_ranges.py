"""A hook of schemathesis: ranges run forwards and are not too long, which OpenAPI cannot say."""

from datetime import date, timedelta
from typing import Any

import schemathesis

from api.queries import DAYS_OF_HOURS


@schemathesis.hook
def map_query(_: schemathesis.HookContext, query: Any) -> Any:
    """Put the two dates of a range in order, and no further apart than hours may be asked for."""
    try:
        start, end = sorted(date.fromisoformat(query[name]) for name in ("start", "end"))
    except (KeyError, TypeError, ValueError):
        return query
    days = (end - start).days % DAYS_OF_HOURS
    return {**query, "start": str(start), "end": str(start + timedelta(days=days))}
