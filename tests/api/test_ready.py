"""The memory of ready answers is bounded."""

from api.http.cache import (
    ENTRY_OVERHEAD_BYTES,
    CacheKey,
    CompleteResponse,
    ResponseCache,
    ResponseHead,
)


def key(number: int) -> CacheKey:
    return (b"/", f"{number:04}".encode(), "application/json", "identity")


def answer(size: int) -> CompleteResponse:
    return CompleteResponse(ResponseHead(200, []), b"x" * size, "/", b'"1"')


def test_those_asked_for_longest_ago_make_room() -> None:
    room = 3 * (1000 + ENTRY_OVERHEAD_BYTES + 5)
    ready = ResponseCache(room)
    for number in range(3):
        ready.put(key(number), answer(1000))
    assert ready.get(key(0)) is not None
    ready.put(key(3), answer(1000))
    assert [number for number in range(4) if ready.get(key(number))] == [0, 2, 3]
    assert ready.bytes <= room


def test_one_that_is_larger_than_all_room_is_not_kept() -> None:
    ready = ResponseCache(10_000)
    ready.put(key(1), answer(20_000))
    assert ready.get(key(1)) is None
    assert len(ready) == ready.bytes == 0


def test_one_put_twice_counts_once() -> None:
    ready = ResponseCache(100_000)
    ready.put(key(1), answer(1000))
    once = ready.bytes
    ready.put(key(1), answer(1000))
    assert (len(ready), ready.bytes) == (1, once)
