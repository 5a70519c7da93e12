"""Shards partition the locations."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.weather.ingest.examples import location
from weather.locations import (
    CALLS_PER_SHARD,
    LOCATIONS_PER_CALL,
    shard_count,
    shard_of,
)


@given(count=st.integers(0, 300), shards=st.integers(1, 40))
def test_shards_partition_the_locations_evenly(count: int, shards: int) -> None:
    locations = [location(number) for number in range(count)]
    parts = [shard_of(locations, shard, shards) for shard in range(shards)]
    assert [each for part in parts for each in part] == locations
    sizes = [len(part) for part in parts]
    assert max(sizes) - min(sizes) <= 1


@given(shards=st.integers(-2, 5), shard=st.integers(-7, 7))
def test_a_missing_shard_is_rejected(shards: int, shard: int) -> None:
    if not 0 <= shard < shards:
        with pytest.raises(ValueError, match=f"shard {shard} is not one of"):
            shard_of([location(1)], shard, shards)


@given(count=st.integers(0, 100_000))
def test_shard_count_is_minimal(count: int) -> None:
    shards, most = shard_count(count), LOCATIONS_PER_CALL * CALLS_PER_SHARD
    assert shards * most >= count
    assert shards == 1 or (shards - 1) * most < count


def test_10000_locations_are_4_shards() -> None:
    assert shard_count(10_000) == 4
