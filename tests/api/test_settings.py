"""A wrong setting causes one line of error that names the setting."""

from pathlib import Path

import pytest

from tests.api.lake import Lake
from tests.api.server import start_api
from tests.timeouts import TIMEOUT_SECONDS
from weather.errors import ExitCode

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LAKE_CATALOG", ""),
        ("AWS_ENDPOINT_URL", "not an address"),
        ("WEATHER_LOCATIONS", "no/such/file.yaml"),
        ("WEATHER_SCHEDULE_HOURS", "5"),
    ],
)
def test_an_invalid_setting_is_reported_in_one_line(
    lake: Lake, tmp_path: Path, name: str, value: str
) -> None:
    log = tmp_path / "api.log"
    process = start_api({**lake.environment, name: value}, log)
    assert process.wait(timeout=TIMEOUT_SECONDS) == ExitCode.SETTING
    (line,) = log.read_text().splitlines()
    assert line.startswith("api: ")
    assert name in line
