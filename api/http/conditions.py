"""Conditional and range requests (RFC 9110, 13 and 14)."""

from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from re import compile as pattern

from api.http.ready import Answer

RANGE = pattern(rb"([0-9]{0,18})-([0-9]{0,18})")

RequestHeaders = Mapping[bytes, bytes]


def is_changed(answer: Answer, headers: RequestHeaders) -> bool:
    """Return whether the response is another one than `If-Match` or `If-Unmodified-Since` names.

    Without such a header, the client takes any.
    """
    wanted = headers.get(b"if-match")
    if wanted is not None:
        tags = _listed(wanted)
        return answer.etag not in tags and tags != {b"*"}
    since = headers.get(b"if-unmodified-since")
    return since is not None and _is_newer(answer.last_modified, since)


def range_of(answer: Answer, headers: RequestHeaders) -> range | None:
    """Return the bytes that `Range` asks for; empty where the body has none of them.

    None means the whole body: no `Range`, one of another unit or form, several ranges, or an
    `If-Range` that names another response. A date cannot match, because it says nothing about
    two responses of one second.
    """
    if headers.get(b"if-range", answer.etag) != answer.etag:
        return None
    unit, _, listed = headers.get(b"range", b"").partition(b"=")
    ranges = [each.strip(b" \t") for each in listed.split(b",")]
    ranges = [each for each in ranges if each]
    asked = RANGE.fullmatch(ranges[0]) if len(ranges) == 1 else None
    if unit.lower() != b"bytes" or asked is None or asked[0] == b"-":
        return None
    length = len(answer.body)
    if not asked[1]:
        return range(max(length - int(asked[2]), 0), length)
    first, last = int(asked[1]), int(asked[2] or length)
    if asked[2] and last < first:
        return None
    return range(first, min(last + 1, length))


def has_it_already(answer: Answer, headers: RequestHeaders) -> bool:
    """Whether the client's copy is the answer; `If-None-Match` wins over `If-Modified-Since`."""
    known = headers.get(b"if-none-match")
    if known is not None:
        return known == answer.etag or _names(known, answer.etag)
    since = headers.get(b"if-modified-since")
    return since is not None and _is_not_newer(answer.last_modified, since)


def _names(known: bytes, etag: bytes) -> bool:
    tags = {tag.removeprefix(b"W/") for tag in _listed(known)}
    return etag in tags or tags == {b"*"}


def _listed(tags: bytes) -> set[bytes]:
    return {tag.strip() for tag in tags.split(b",")}


def _is_not_newer(last_modified: bytes, since: bytes) -> bool:
    if last_modified == since:
        return bool(since)
    try:
        return _moment(last_modified) <= _moment(since)
    except (ValueError, TypeError, OverflowError):
        return False


def _is_newer(last_modified: bytes, since: bytes) -> bool:
    try:
        return _moment(last_modified) > _moment(since)
    except (ValueError, TypeError, OverflowError):
        return False


def _moment(date: bytes) -> float:
    return parsedate_to_datetime(date.decode("latin-1")).timestamp()
