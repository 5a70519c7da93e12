"""Read and validate the users' list of locations, a YAML file."""

import difflib
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from weather.errors import ExitCode, StepError
from weather.source import DEFAULT_SOURCE, SOURCES
from weather.timezones import zone_names

ALL_LOCATIONS = "all"
"""Value of the API's parameter `location` for all locations."""

LOCATIONS_PER_CALL = 100
"""Locations in one request to Open-Meteo, which allows 1,000."""

CALLS_PER_SHARD = 25
"""Calls of one shard: 10,000 locations are 100 calls in four shards."""


def _known_timezone(name: str) -> str:
    if name not in zone_names():
        raise ValueError(f"'{name}' is not a time zone of the IANA database")
    return name


def _known_source(name: str) -> str:
    if name not in SOURCES:
        raise ValueError(f"unknown source; the sources are {', '.join(SOURCES)}")
    return name


def _usable_id(location_id: str) -> str:
    if location_id == ALL_LOCATIONS:
        raise ValueError(f"'{location_id}' means every location and cannot name one")
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", location_id):
        raise ValueError("an id has only a-z and 0-9, with single hyphens between them")
    return location_id


def _readable_name(name: str) -> str:
    if not any(unicodedata.category(character)[0] in "LN" for character in name):
        raise ValueError("a name has at least one letter or digit")
    for character in name:
        is_control = unicodedata.category(character) in ("Cc", "Cf", "Co", "Cs", "Zl", "Zp")
        # Persian and Sinhala names are spelled with zero-width (non-)joiners.
        if character == "\ufffd" or (is_control and character not in "\u200c\u200d"):
            raise ValueError(f"a name has no control characters such as {character!a}")
    if name != name.strip():
        raise ValueError("a name neither begins nor ends with a space")
    return name


class Location(BaseModel):
    """A location with its exact coordinates. Responses have the coordinates of a grid cell."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    id: Annotated[str, Field(max_length=60), AfterValidator(_usable_id)]
    name: Annotated[str, Field(max_length=200), AfterValidator(_readable_name)]
    latitude: float = Field(ge=-90, le=90)
    longitude: float = Field(ge=-180, le=180)
    timezone: Annotated[str, AfterValidator(_known_timezone)]
    source: Annotated[str, AfterValidator(_known_source)] = DEFAULT_SOURCE
    """Key of `weather.source.SOURCES`."""


def read_locations(path: Path) -> list[Location]:
    """Read the users' locations. The first location is the API's default.

    Raises:
        StepError: the file is missing, is not a list of locations, or has an id twice.
    """
    try:
        return _locations(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise _wrong(path, error.strerror or str(error)) from None
    except UnicodeDecodeError as error:
        raise _wrong(path, f"it is not UTF-8: {error}; save it as UTF-8") from None
    except (yaml.YAMLError, RecursionError) as error:
        raise _wrong(path, f"it is not YAML: {error}") from None
    except ValueError as error:
        raise _wrong(path, str(error)) from None


def _locations(text: str) -> list[Location]:
    # libyaml's nodes have the text of each value, its line, and duplicate keys. 10,000 locations
    # take 1.0 s; PyYAML's Python parser takes 4 s.
    # libyaml's stack overflows at some 10,000 levels and kills the process.
    if re.search(r"([\[{]\s*|[-?][ \t]+){50}", text):
        raise ValueError("it is nested too deeply")
    loader = yaml.CSafeLoader(text)
    try:
        root = loader.get_single_node()
        if root is None or (isinstance(root, yaml.SequenceNode) and not root.value):
            raise ValueError("it lists no location")
        if not isinstance(root, yaml.SequenceNode):
            raise ValueError("it is not a list; begin each location with `- id: `")
        _untagged(root, "seq")
        found: dict[str, Location] = {}
        lines: dict[str, int] = {}
        for number, node in enumerate(root.value, start=1):
            entry = _entry(number, node)
            try:
                location = _location(loader, node)
            except ValueError as error:
                raise ValueError(f"{entry}: {error}") from None
            if location.id in found:
                raise ValueError(f"{entry}: duplicate id, first in line {lines[location.id]}")
            found[location.id], lines[location.id] = location, node.start_mark.line + 1
    finally:
        loader.dispose()
    return list(found.values())


def _entry(number: int, node: yaml.Node) -> str:
    """Return an entry's name for messages: its id, or its number from 1 without an id."""
    line = node.start_mark.line + 1
    for key, value in node.value if isinstance(node, yaml.MappingNode) else []:
        if key.value == "id" and isinstance(value, yaml.ScalarNode) and value.value:
            return f"location {_shown(value)} (line {line})"
    return f"location number {number} (line {line})"


def _location(loader: yaml.CSafeLoader, node: yaml.Node) -> Location:
    if not isinstance(node, yaml.MappingNode):
        raise ValueError(f"{_shown(node)} is not a mapping with the keys {', '.join(_REQUIRED)}")
    _untagged(node, "map")
    keys = [key.value if isinstance(key, yaml.ScalarNode) else None for key, _ in node.value]
    for key in keys:
        if keys.count(key) > 1:
            raise ValueError(f"{key}: duplicate key")
    if "<<" in keys:
        loader.flatten_mapping(node)
    fields: dict[str, str | float] = {}
    for key, value in node.value:
        name = _known_key(key)
        try:
            fields[name] = _value(value, is_number=name in _NUMBERS)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
    missing = [key for key in _REQUIRED if key not in fields]
    if missing:
        raise ValueError(f"{missing[0]}: the key is missing")
    try:
        return Location.model_validate(fields)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key, value = str(first["loc"][0]), first["input"]
        reason = first.get("ctx", {}).get("error") or first["msg"]
        raise ValueError(f"{key}: {_short(repr(value))}: {reason}{_swapped(key, fields)}") from None


_KEYS = list(Location.model_fields)
_REQUIRED = [key for key, field in Location.model_fields.items() if field.is_required()]
_NUMBERS = [key for key, field in Location.model_fields.items() if field.annotation is float]
_NUMBER = re.compile(r"[-+]?(0|[1-9][0-9]*|(?=\.[0-9]))(\.[0-9]*)?([eE][-+]?[0-9]+)?")
_MEANINGS = {"bool": "true or false", "null": "nothing", "timestamp": "a date"}


def _known_key(key: yaml.Node) -> str:
    if key.value in _KEYS:
        return str(key.value)
    if str(key.value).isdecimal():
        raise ValueError(f"{_shown(key)}: unknown key; write decimals after a point")
    near = difflib.get_close_matches(str(key.value), _KEYS, n=1)
    hint = f"did you mean {near[0]}?" if near else f"the keys are {', '.join(_KEYS)}"
    raise ValueError(f"{_shown(key)}: unknown key; {hint}")


def _value(node: yaml.Node, *, is_number: bool) -> str | float:
    """Read a value from its text, because YAML takes `no` for false and `010` for 8."""
    if not isinstance(node, yaml.ScalarNode):
        raise ValueError(f"{_shown(node)} is not a single value")
    kind, text = _untagged(node, "str", "int", "float", *_MEANINGS), str(node.value)
    if kind == "null":
        hint = f"; if it is meant as text, write it in quotes: '{text}'" if text else ""
        raise ValueError(f"the value is missing{hint}")
    if is_number and _NUMBER.fullmatch(text):
        return float(text) + 0.0  # -0.0 is 0.0
    if is_number:
        hint = "write decimal degrees, such as -33.87"
        if re.fullmatch(r"[-+]?[0-9]+,[0-9]+", text):
            hint = f"write the decimals after a point: {text.replace(',', '.')}"
        raise ValueError(f"{_shown(node)} is not a number; {hint}")
    if kind != "str":
        meaning = _MEANINGS.get(kind, "a number")
        raise ValueError(f"YAML reads {text} as {meaning}; write it in quotes: '{text}'")
    return text


def _untagged(node: yaml.Node, *kinds: str) -> str:
    kind = str(node.tag).removeprefix("tag:yaml.org,2002:")
    if kind not in kinds:
        raise ValueError(f"{_shown(node)} has the tag {kind}; remove the tag")
    return kind


def _swapped(key: str, fields: dict[str, str | float]) -> str:
    if key != "latitude" or abs(float(fields["longitude"])) > 90:
        return ""
    return "; latitude and longitude may be swapped"


def _shown(node: yaml.Node) -> str:
    if isinstance(node, yaml.ScalarNode):
        return _short(repr(str(node.value)))
    return "a mapping" if isinstance(node, yaml.MappingNode) else "a list"


def _short(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:76]} ..."


def _wrong(path: Path, problem: str) -> StepError:
    problem = "".join(
        each if each.isprintable() or each.isspace() else ascii(each)[1:-1] for each in problem
    )
    return StepError(
        f"WEATHER_LOCATIONS: {path}: {problem}. Correct the file, or name another one.",
        ExitCode.SETTING,
    )


def shard_count(locations: int) -> int:
    """Return the number of shards for that many locations."""
    return max(1, -(-locations // (LOCATIONS_PER_CALL * CALLS_PER_SHARD)))


def shard_of(locations: Sequence[Location], shard: int, shards: int) -> list[Location]:
    """Return one shard's locations. The sizes of shards differ by at most one location.

    Raises:
        ValueError: not 0 <= shard < shards.
    """
    if not 0 <= shard < shards:
        raise ValueError(f"shard {shard} is not one of 0 to {shards - 1}")
    start, end = (len(locations) * edge // shards for edge in (shard, shard + 1))
    return list(locations[start:end])
