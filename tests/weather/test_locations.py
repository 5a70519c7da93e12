from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ingest.examples import location
from weather.exit_codes import ExitCode, StepError
from weather.locations import (
    CALLS_A_SHARD,
    LOCATIONS_A_CALL,
    Location,
    read_locations,
    shard_count,
    shard_of,
)
from weather.settings import DEFAULT_LOCATIONS

ENTRY = "{id: lyon, name: Lyon, latitude: 45.75, longitude: 4.85, timezone: Europe/Paris}"


def test_lyon_comes_first_among_the_projects_own_locations() -> None:
    lyon = read_locations(DEFAULT_LOCATIONS)[0]
    assert lyon == Location(
        id="lyon", name="Lyon", latitude=45.75, longitude=4.85, timezone="Europe/Paris"
    )


def test_locations_keep_the_order_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "locations.yaml"
    file.write_text(f"- {ENTRY.replace('lyon', 'b')}\n- {ENTRY.replace('lyon', 'a')}\n")
    assert [each.id for each in read_locations(file)] == ["b", "a"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "valid list"),
        ("[]", "it lists no location"),
        ("lyon", "valid list"),
        ("- [", "it is not YAML"),
        ("- !!python/object:os.system {}", "it is not YAML"),
        (f"- {ENTRY}\n- {ENTRY}", "the id 'lyon' stands there twice"),
        ("- {id: lyon}", "0.name: Field required"),
        (f"- {ENTRY}\n- {ENTRY.replace('lyon', 'Lyon 2')}", "1.id: "),
        (f"- {ENTRY.replace('lyon', 'all')}", "'all' means every location"),
        (f"- {ENTRY.replace('45.75', '90.5')}", "0.latitude: "),
        (f"- {ENTRY.replace('45.75', '.nan')}", "0.latitude: "),
        (f"- {ENTRY.replace('4.85', '-181')}", "0.longitude: "),
        (f"- {ENTRY.replace('4.85', 'east')}", "0.longitude: "),
        (f"- {ENTRY.replace('Europe/Paris', 'Europe/Lyon')}", "'Europe/Lyon' is no time zone"),
        (f"- {ENTRY.replace('Europe/Paris', '../passwd')}", "'../passwd' is no time zone"),
        (f"- {ENTRY.replace('Europe/Paris', 'localtime')}", "'localtime' is no time zone"),
        (f"- {ENTRY.replace('}', ', country: FR}')}", "0.country: Extra inputs"),
    ],
)
def test_a_wrong_file_is_one_line_that_names_the_place(
    tmp_path: Path, text: str, words: str
) -> None:
    file = tmp_path / "locations.yaml"
    file.write_text(text)
    with pytest.raises(StepError) as failure:
        read_locations(file)
    message = str(failure.value)
    assert failure.value.exit_code == ExitCode.SETTING
    assert message.startswith(f"WEATHER_LOCATIONS: {file}: ")
    assert words in message
    assert "\n" not in message


def test_a_file_in_another_encoding_is_one_line(tmp_path: Path) -> None:
    file = tmp_path / "locations.yaml"
    file.write_text(f"- {ENTRY.replace('Lyon', 'Évry')}", encoding="latin-1")
    with pytest.raises(StepError, match="it is not UTF-8: ") as failure:
        read_locations(file)
    assert failure.value.exit_code == ExitCode.SETTING


@pytest.mark.parametrize("name", ["missing.yaml", "."])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(StepError, match="WEATHER_LOCATIONS: "):
        read_locations(tmp_path / name)


@given(count=st.integers(0, 300), shards=st.integers(1, 40))
def test_every_location_is_in_one_shard_and_shards_differ_by_one_at_most(
    count: int, shards: int
) -> None:
    locations = [location(number) for number in range(count)]
    parts = [shard_of(locations, shard, shards) for shard in range(shards)]
    assert [each for part in parts for each in part] == locations
    sizes = [len(part) for part in parts]
    assert max(sizes) - min(sizes) <= 1


@given(shards=st.integers(-2, 5), shard=st.integers(-7, 7))
def test_a_shard_that_does_not_exist_is_refused(shards: int, shard: int) -> None:
    if not 0 <= shard < shards:
        with pytest.raises(ValueError, match=f"shard {shard} is not one of"):
            shard_of([location(1)], shard, shards)


@given(count=st.integers(0, 100_000))
def test_a_shard_makes_few_calls_and_is_never_one_more_than_needed(count: int) -> None:
    shards, most = shard_count(count), LOCATIONS_A_CALL * CALLS_A_SHARD
    assert shards * most >= count
    assert shards == 1 or (shards - 1) * most < count


def test_10000_locations_are_4_shards() -> None:
    assert shard_count(10_000) == 4
