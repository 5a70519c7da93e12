"""Write and read locations.yaml."""

import re
from pathlib import Path

import pytest

from weather.errors import ExitCode, StepError
from weather.locations import (
    Location,
    read_locations,
)

ENTRY = "{id: lyon, name: Lyon, latitude: 45.75, longitude: 4.85, timezone: Europe/Paris}"


def read(tmp_path: Path, text: str) -> list[Location]:
    file = tmp_path / "locations.yaml"
    file.write_text(text, encoding="utf-8", newline="")
    return read_locations(file)


def problem_of(tmp_path: Path, text: str) -> str:
    """Return the message about a file, without the common start and end."""
    with pytest.raises(StepError) as failure:
        read(tmp_path, text)
    message = str(failure.value)
    assert failure.value.exit_code == ExitCode.SETTING
    assert message.isprintable()
    start = f"WEATHER_LOCATIONS: {tmp_path / 'locations.yaml'}: "
    assert message.startswith(start)
    assert message.endswith(". Correct the file, or name another one.")
    return message.removeprefix(start).removesuffix(". Correct the file, or name another one.")


def with_value(key: str, value: str) -> str:
    """Return an entry as YAML in which a key has this value."""
    return "- " + re.sub(rf"{key}: [^,}}]+", lambda _: f"{key}: {value}", ENTRY)


def replaced(old: str, new: str) -> str:
    return "- " + ENTRY.replace(old, new)
