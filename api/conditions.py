"""Whether a client has an answer already, as the headers of its request say (RFC 9110, 13)."""

from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from api.ready import Answer


def has_it_already(answer: Answer, headers: Mapping[bytes, bytes]) -> bool:
    """Whether the client's copy is the answer; `If-None-Match` wins over `If-Modified-Since`."""
    known = headers.get(b"if-none-match")
    if known is not None:
        return known == answer.etag or _names(known, answer.etag)
    since = headers.get(b"if-modified-since")
    return since is not None and _is_not_newer(answer.last_modified, since)


def _names(known: bytes, etag: bytes) -> bool:
    tags = {tag.strip().removeprefix(b"W/") for tag in known.split(b",")}
    return etag in tags or tags == {b"*"}


def _is_not_newer(last_modified: bytes, since: bytes) -> bool:
    if last_modified == since:
        return bool(since)
    try:
        return _moment(last_modified) <= _moment(since)
    except (ValueError, TypeError, OverflowError):
        return False


def _moment(date: bytes) -> float:
    return parsedate_to_datetime(date.decode("latin-1")).timestamp()
