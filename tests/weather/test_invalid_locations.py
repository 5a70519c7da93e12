"""Invalid files and values in locations.yaml are reported with file, entry and key."""

from pathlib import Path

import pytest

from tests.weather.locations_files import ENTRY, problem_of, replaced, with_value
from weather.errors import ExitCode, StepError
from weather.locations import (
    read_locations,
)
from weather.source import SOURCES

KEYS = "id, name, latitude, longitude, timezone"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "it lists no location"),
        ("[]", "it lists no location"),
        ("# nothing but a comment\n", "it lists no location"),
        ("lyon", "it is not a list; begin each location with `- id: `"),
        (ENTRY, "it is not a list; begin each location with `- id: `"),
        (f"lyon: {ENTRY}", "it is not a list; begin each location with `- id: `"),
        ("[" * 200_000, "it is nested too deeply"),
        ("- " * 200_000, "it is nested too deeply"),
        ("!!set {lyon}", "it is not a list; begin each location with `- id: `"),
        (f"!!omap [{ENTRY}]", "a list has the tag omap; remove the tag"),
        (
            "- lyon",
            f"location number 1 (line 1): 'lyon' is not a mapping with the keys {KEYS}",
        ),
        (
            f"- {ENTRY}\n-\n",
            f"location number 2 (line 2): '' is not a mapping with the keys {KEYS}",
        ),
        (
            f"- [{ENTRY}]",
            f"location number 1 (line 1): a list is not a mapping with the keys {KEYS}",
        ),
        (
            "- !!python/object:print {}",
            "location number 1 (line 1): a mapping has the tag python/object:print; remove the tag",
        ),
        (f"- {ENTRY}\n- {ENTRY}", "location 'lyon' (line 2): duplicate id, first in line 1"),
        ("- {id: lyon}", "location 'lyon' (line 1): name: the key is missing"),
        ("- {name: Lyon}", "location number 1 (line 1): id: the key is missing"),
        (
            replaced("}", ", country: FR}"),
            f"location 'lyon' (line 1): 'country': unknown key; the keys are {KEYS}, source",
        ),
        (
            replaced("latitude", "lattitude"),
            "location 'lyon' (line 1): 'lattitude': unknown key; did you mean latitude?",
        ),
        (
            replaced("latitude", "Latitude"),
            "location 'lyon' (line 1): 'Latitude': unknown key; did you mean latitude?",
        ),
        (
            replaced("}", ", latitude: 46.75}"),
            "location 'lyon' (line 1): latitude: duplicate key",
        ),
        (
            replaced("}", ', "id": paris}'),
            "location 'lyon' (line 1): id: duplicate key",
        ),
        (
            replaced("}", ", source: rain-gauge}"),
            (
                "location 'lyon' (line 1): source: 'rain-gauge': unknown source; the sources are "
                f"{', '.join(SOURCES)}"
            ),
        ),
        (
            replaced("45.75", "45,75"),
            "location 'lyon' (line 1): '75': unknown key; write decimals after a point",
        ),
    ],
)
def test_an_invalid_file_is_reported_with_the_entry(
    tmp_path: Path, text: str, problem: str
) -> None:
    assert problem_of(tmp_path, text) == problem


@pytest.mark.parametrize(
    ("key", "value", "problem"),
    [
        # Text that YAML 1.1 reads as another type.
        ("id", "no", "YAML reads no as true or false; write it in quotes: 'no'"),
        ("name", "NO", "YAML reads NO as true or false; write it in quotes: 'NO'"),
        ("name", "yes", "YAML reads yes as true or false; write it in quotes: 'yes'"),
        ("name", "On", "YAML reads On as true or false; write it in quotes: 'On'"),
        ("timezone", "off", "YAML reads off as true or false; write it in quotes: 'off'"),
        ("id", "4711", "YAML reads 4711 as a number; write it in quotes: '4711'"),
        ("id", "010", "YAML reads 010 as a number; write it in quotes: '010'"),
        ("id", "1_000", "YAML reads 1_000 as a number; write it in quotes: '1_000'"),
        ("name", "1:30", "YAML reads 1:30 as a number; write it in quotes: '1:30'"),
        ("name", ".inf", "YAML reads .inf as a number; write it in quotes: '.inf'"),
        ("id", "2026-11-20", "YAML reads 2026-11-20 as a date; write it in quotes: '2026-11-20'"),
        ("id", "", "the value is missing"),
        (
            "name",
            "null",
            "the value is missing; if it is meant as text, write it in quotes: 'null'",
        ),
        ("name", "~", "the value is missing; if it is meant as text, write it in quotes: '~'"),
        ("latitude", "", "the value is missing"),
        ("latitude", "yes", "'yes' is not a number; write decimal degrees, such as -33.87"),
        ("longitude", "true", "'true' is not a number; write decimal degrees, such as -33.87"),
        ("latitude", "1:30", "'1:30' is not a number; write decimal degrees, such as -33.87"),
        ("latitude", "010", "'010' is not a number; write decimal degrees, such as -33.87"),
        ("latitude", "0x2D", "'0x2D' is not a number; write decimal degrees, such as -33.87"),
        ("latitude", "4_5", "'4_5' is not a number; write decimal degrees, such as -33.87"),
        ("latitude", ".nan", "'.nan' is not a number; write decimal degrees, such as -33.87"),
        ("longitude", "-.inf", "'-.inf' is not a number; write decimal degrees, such as -33.87"),
        ("longitude", "east", "'east' is not a number; write decimal degrees, such as -33.87"),
        ("latitude", "45.75N", "'45.75N' is not a number; write decimal degrees, such as -33.87"),
        ("latitude", "٤٥", "'٤٥' is not a number; write decimal degrees, such as -33.87"),
        (
            "latitude",
            "'45,75'",
            "'45,75' is not a number; write the decimals after a point: 45.75",
        ),
        ("latitude", "[45, 75]", "a list is not a single value"),
        ("name", "{en: Lyon}", "a mapping is not a single value"),
        ("name", "!!binary THlvbg==", "'THlvbg==' has the tag binary; remove the tag"),
        ("name", "!city Lyon", "'Lyon' has the tag !city; remove the tag"),
        # Text of the right type, but out of range or malformed.
        ("latitude", "90.5", "90.5: Input should be less than or equal to 90"),
        ("latitude", "-90.1", "-90.1: Input should be greater than or equal to -90"),
        ("longitude", "-181", "-181.0: Input should be greater than or equal to -180"),
        ("longitude", "1e400", "inf: Input should be less than or equal to 180"),
        ("id", "all", "'all': 'all' means every location and cannot name one"),
        (
            "id",
            "Lyon 2",
            "'Lyon 2': an id has only a-z and 0-9, with single hyphens between them",
        ),
        ("id", '"lyon\\n"', "an id has only a-z and 0-9, with single hyphens between them"),
        ("id", "x" * 61, "String should have at most 60 characters"),
        ("name", '""', "'': a name has at least one letter or digit"),
        ("name", '" "', "' ': a name has at least one letter or digit"),
        ("name", '"\u200b"', "'\\u200b': a name has at least one letter or digit"),
        ("name", '"--"', "'--': a name has at least one letter or digit"),
        ("name", '" Lyon"', "' Lyon': a name neither begins nor ends with a space"),
        ("name", '"Lyon\u00a0"', "'Lyon\\xa0': a name neither begins nor ends with a space"),
        ("name", '"Ly\\0on"', "'Ly\\x00on': a name has no control characters such as '\\x00'"),
        ("name", '"Ly\\ton"', "'Ly\\ton': a name has no control characters such as '\\t'"),
        ("name", '"Ly\\eon"', "a name has no control characters such as '\\x1b'"),
        ("name", '"Ly\u202eon"', "a name has no control characters such as '\\u202e'"),
        ("name", '"Ly\u200bon"', "a name has no control characters such as '\\u200b'"),
        ("name", '"Ly\u2028on"', "a name has no control characters such as '\\u2028'"),
        ("name", '"\ufeffLyon"', "a name has no control characters such as '\\ufeff'"),
        ("name", '"Ly\ufffdn"', "a name has no control characters such as '\\ufffd'"),
        ("name", "x" * 201, "String should have at most 200 characters"),
        ("timezone", "Europe/Lyon", "'Europe/Lyon' is not a time zone"),
        ("timezone", "../passwd", "'../passwd' is not a time zone"),
        ("timezone", "localtime", "'localtime' is not a time zone"),
        ("timezone", '"Europe/Paris\\0"', "'Europe/Paris\\x00' is not a time zone"),
    ],
)
def test_an_invalid_value_is_reported_with_entry_and_key(
    tmp_path: Path, key: str, value: str, problem: str
) -> None:
    found = problem_of(tmp_path, with_value(key, value))
    written = value.strip("\"'") if key == "id" and value else "lyon"
    if "\\" not in written and value:
        assert found.startswith(f"location '{written}' (line 1): {key}: "), found
    assert problem in found


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("- [", "did not find expected node content"),
        (f"- {ENTRY}\n\t- {ENTRY}", "found character that cannot start any token"),
        (f"- {ENTRY}\n---\n- {ENTRY}", "expected a single document"),
        ("- *lyon", "found undefined alias"),
        (replaced("Lyon", "Ly\0on"), "control characters are not allowed"),
        (replaced("Lyon", '"\\ud800"'), "invalid Unicode character escape code"),
    ],
)
def test_a_file_that_is_not_yaml_is_reported_in_one_line(
    tmp_path: Path, text: str, problem: str
) -> None:
    found = problem_of(tmp_path, text)
    assert found.startswith("it is not YAML: ")
    assert problem in found


def test_swapped_latitude_and_longitude_are_suggested(tmp_path: Path) -> None:
    text = "{id: sydney, name: Sydney, latitude: 151.21, longitude: -33.87, timezone: UTC}"
    assert problem_of(tmp_path, f"- {ENTRY}\n- {text}") == (
        "location 'sydney' (line 2): latitude: 151.21: Input should be less than or equal to 90; "
        "latitude and longitude may be swapped"
    )


def test_a_file_in_another_encoding_is_rejected(tmp_path: Path) -> None:
    file = tmp_path / "locations.yaml"
    file.write_text(replaced("Lyon", "Évry"), encoding="latin-1")
    with pytest.raises(StepError, match=r"it is not UTF-8: .*; save it as UTF-8") as failure:
        read_locations(file)
    assert failure.value.exit_code == ExitCode.SETTING


@pytest.mark.parametrize("name", ["missing.yaml", "."])
def test_an_unreadable_file_is_reported(tmp_path: Path, name: str) -> None:
    with pytest.raises(StepError, match="WEATHER_LOCATIONS: "):
        read_locations(tmp_path / name)
