"""Locations from locations.yaml."""

from pathlib import Path

import pytest

from tests.weather.locations_files import ENTRY, problem_of, read, replaced, with_value
from weather.locations import (
    Location,
    read_locations,
)
from weather.settings import DEFAULT_LOCATIONS


def test_lyon_is_the_first_default_location() -> None:
    lyon = read_locations(DEFAULT_LOCATIONS)[0]
    assert lyon == Location(
        id="lyon", name="Lyon", latitude=45.75, longitude=4.85, timezone="Europe/Paris"
    )


def test_locations_keep_the_order_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "locations.yaml"
    file.write_text(f"- {ENTRY.replace('lyon', 'b')}\n- {ENTRY.replace('lyon', 'a')}\n")
    assert [each.id for each in read_locations(file)] == ["b", "a"]


LYON = Location(id="lyon", name="Lyon", latitude=45.75, longitude=4.85, timezone="Europe/Paris")


@pytest.mark.parametrize(
    "text",
    [
        f"- {ENTRY}",
        f"\ufeff- {ENTRY}",
        f"---\n- {ENTRY}\n...\n",
        f"[{ENTRY}]",
        f"- {ENTRY}".replace(", ", "\r\n  ").replace("{", "").replace("}", "\r\n"),
        f"- {ENTRY}".replace("45.75", "'45.75'").replace("lyon", '"lyon"'),
        f"- {ENTRY}".replace("45.75", "+45.750").replace("4.85", "4.85e+0"),
        f"- {ENTRY}".replace("Lyon", "!!str Lyon"),
        '[{"timezone":"Europe/Paris","longitude":4.85,"latitude":45.75,"name":"Lyon","id":"lyon"}]',
    ],
)
def test_equivalent_yaml_gives_the_same_location(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text) == [LYON]


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("id", "'no'", "no"),
        ("id", "'010'", "010"),
        ("id", "n", "n"),
        ("name", "'NO'", "NO"),
        ("name", "!!str no", "no"),
        ("name", "São Paulo", "São Paulo"),
        ("name", "'s-Hertogenbosch'", "s-Hertogenbosch"),
        ("name", '"\u0dc1\u0dca\u200d\u0dbb\u0dd3"', "\u0dc1\u0dca\u200d\u0dbb\u0dd3"),
        ("name", "東京", "東京"),
        ("latitude", "-0.0", 0.0),
        ("latitude", "-90", -90.0),
        ("longitude", "180", 180.0),
        ("longitude", ".5", 0.5),
        ("longitude", "1.0e-05", 0.00001),
    ],
)
def test_values_are_read_as_written(
    tmp_path: Path, key: str, value: str, expected: str | float
) -> None:
    (location,) = read(tmp_path, with_value(key, value))
    assert str(getattr(location, key)) == str(expected)


def test_open_meteo_is_the_default_source(tmp_path: Path) -> None:
    (without,) = read(tmp_path, f"- {ENTRY}")
    (named,) = read(tmp_path, replaced("}", ", source: open-meteo}"))
    assert without == named
    assert without.source == "open-meteo"


def test_locations_may_share_name_and_coordinates(tmp_path: Path) -> None:
    first, second = read(tmp_path, f"- {ENTRY}\n- {ENTRY.replace('lyon', 'lyon-2')}")
    assert (first.name, first.latitude) == (second.name, second.latitude)


def test_yaml_merge_keys_are_supported(tmp_path: Path) -> None:
    text = f"- &lyon {ENTRY}\n- {{<<: *lyon, id: lyon-2, latitude: 45.8}}"
    assert read(tmp_path, text)[1] == LYON.model_copy(update={"id": "lyon-2", "latitude": 45.8})
    assert "location 'lyon-2' (line 2): latitude: duplicate key" in problem_of(
        tmp_path, text.replace("latitude: 45.8", "latitude: 45.8, latitude: 45.9")
    )
