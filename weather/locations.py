"""The locations whose weather is taken, from a YAML file that users write."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
)

from weather.exit_codes import ExitCode, StepError

ALL_LOCATIONS = "all"
"""What the API is asked for to answer with every location."""

LOCATIONS_A_CALL = 100
"""Locations asked for in one call of the service, which takes up to 1,000."""

CALLS_A_SHARD = 25
"""Calls that one shard makes: 10,000 locations are 100 calls in four shards."""


def _known_timezone(name: str) -> str:
    try:
        # This machine's own, and others that a file of the database names on some machines alone.
        if name == "localtime" or name.startswith(("posix", "right/")):
            raise KeyError(name)
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"'{name}' is no time zone of the IANA database") from None
    return name


def _one_place(location_id: str) -> str:
    if location_id == ALL_LOCATIONS:
        raise ValueError(f"'{location_id}' means every location and cannot name one")
    return location_id


class Location(BaseModel):
    """A place, by its own coordinates: the service answers with its grid cell's instead."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Annotated[
        str,
        Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60),
        AfterValidator(_one_place),
    ]
    name: str = Field(min_length=1)
    latitude: float = Field(ge=-90, le=90)
    longitude: float = Field(ge=-180, le=180)
    timezone: Annotated[str, AfterValidator(_known_timezone)]


_LOCATIONS: TypeAdapter[list[Location]] = TypeAdapter(list[Location])


def read_locations(path: Path) -> list[Location]:
    """Read the locations; the first is the default one.

    Raises:
        StepError: the file is missing, is no list of locations, or names an id twice.
    """
    try:
        locations = _LOCATIONS.validate_python(_parse(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise _wrong(path, error.strerror or str(error)) from None
    except UnicodeDecodeError as error:
        raise _wrong(path, f"it is not UTF-8: {error}") from None
    except yaml.YAMLError as error:
        raise _wrong(path, f"it is not YAML: {error}") from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(step) for step in first["loc"]) or "the file"
        raise _wrong(path, f"{place}: {first['msg']}") from None
    ids = [location.id for location in locations]
    repeated = [each for each, times in Counter(ids).items() if times > 1]
    if repeated:
        raise _wrong(path, f"the id '{repeated[0]}' stands there twice")
    if not locations:
        raise _wrong(path, "it lists no location")
    return locations


def _parse(text: str) -> object:
    # libyaml reads 10,000 locations in 1.4 s, Python's own reader in 4.9 s.
    return yaml.load(text, Loader=yaml.CSafeLoader)


def _wrong(path: Path, problem: str) -> StepError:
    return StepError(
        f"WEATHER_LOCATIONS: {path}: {problem}. Correct the file, or name another one.",
        ExitCode.SETTING,
    )


def shard_count(locations: int) -> int:
    """How many shards share that many locations."""
    return max(1, -(-locations // (LOCATIONS_A_CALL * CALLS_A_SHARD)))


def shard_of(locations: Sequence[Location], shard: int, shards: int) -> list[Location]:
    """The locations of one shard: neighbours in the file, as many as in any other or one more.

    Raises:
        ValueError: not 0 <= shard < shards.
    """
    if not 0 <= shard < shards:
        raise ValueError(f"shard {shard} is not one of 0 to {shards - 1}")
    start, end = (len(locations) * edge // shards for edge in (shard, shard + 1))
    return list(locations[start:end])
