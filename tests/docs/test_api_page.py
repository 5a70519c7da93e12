"""The API page's examples print the shown output, and the page is complete."""

import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from api.data.row_models import DailyWeather
from bench.lake import Lake
from bench.sandbox import Sandbox
from local.store import S3Server
from tests.api.server import running_api
from tests.docs.examples import Example, examples_of
from tests.docs.run_example import printed_by
from weather.window import Window

pytestmark = pytest.mark.slow

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")

WINDOW = Window(datetime(2026, 9, 1, tzinfo=UTC), datetime(2026, 11, 20, 5, tzinfo=UTC))
"""The hours of the page's rows. The replay server always returns the same values."""


@pytest.fixture(scope="module")
def client(
    s3_server: S3Server,
    replay: str,
    duckdb_extensions: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[httpx.Client]:
    """Yield a client of an API with the pipeline's data."""
    folder = tmp_path_factory.mktemp("docs")
    (folder / "duckdb").symlink_to(duckdb_extensions)
    lake = Lake(Sandbox(folder, s3_server, replay), "docs")
    lake.ingest(WINDOW)
    lake.build_models_together(WINDOW)
    lake.publish(WINDOW)
    with running_api(lake.environment, folder / "api.log") as client:
        yield client


@pytest.fixture
def home(tmp_path: Path, duckdb_extensions: Path) -> Path:
    """Return a home with DuckDB's extensions, as after `INSTALL`."""
    (tmp_path / ".duckdb").mkdir()
    (tmp_path / ".duckdb" / "extensions").symlink_to(duckdb_extensions)
    return tmp_path


@pytest.mark.parametrize(
    "example", list(examples_of(PAGE)), ids=lambda example: f"line {example.line}"
)
def test_an_example_prints_the_shown_output(
    example: Example, client: httpx.Client, home: Path
) -> None:
    if "curl " in example.code and not shutil.which("curl"):
        pytest.skip("curl not found: put it on PATH")
    assert printed_by(example, str(client.base_url).rstrip("/"), home) == example.output


def test_the_page_names_every_path_and_parameter(client: httpx.Client) -> None:
    described = client.get("/openapi.json").json()["paths"]
    rows = {
        path: re.findall(r"`(\w+)`", parameters)
        for path, parameters in re.findall(r"^\| `(/[\w/]+)` \| [^|]+ \| (.*) \|$", PAGE, re.M)
    }
    for path in ("/weather/monthly", "/weather/yearly"):
        rows[path] = rows["/weather/summary"]
    data_paths = {path for path in described if path.startswith(("/weather", "/locations"))}
    assert set(rows) == data_paths
    for path in data_paths:
        parameters = {each["name"] for each in described[path]["get"]["parameters"]}
        assert parameters == set(rows[path]) - {"all"}, path


def test_the_page_explains_every_column_of_a_day() -> None:
    table = PAGE.partition("| column | unit | meaning |")[2].partition("\n\n")[0]
    explained = re.findall(r"`(\w+)`", "\n".join(re.findall(r"^\|([^|]+)\|", table, re.M)))
    assert explained == list(DailyWeather.model_fields)
