"""Lakes and APIs for the tests of this folder."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from local.store import S3Server
from tests.api.lake import Lake, Row, a_day
from tests.api.server import running_api

LOCATIONS = """
- {id: lyon, name: "Lyon <sur Rhône>", latitude: 45.75, longitude: 4.85, timezone: Europe/Paris}
- {id: new-york, name: New York, latitude: 40.71, longitude: -74.01, timezone: America/New_York}
- {id: kolkata, name: Kolkata, latitude: 22.57, longitude: 88.36, timezone: Asia/Kolkata}
"""

MONDAY, TUESDAY, WEDNESDAY = (date(2025, 11, day) for day in (17, 18, 19))
NEWEST_DAY = date(2025, 11, 20)
LYONS_DAYS = 10

Serve = Callable[[Lake], AbstractContextManager[httpx.Client]]
MakeLake = Callable[[S3Server, Sequence[Row]], Lake]


@pytest.fixture(scope="session")
def make_lake(
    duckdb_extensions: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[MakeLake]:
    """Factory of unpublished lakes with given days, each lake in another bucket."""

    def make(server: S3Server, days: Sequence[Row]) -> Lake:
        folder = tmp_path_factory.mktemp("lake")
        (folder / "locations.yaml").write_text(LOCATIONS, encoding="utf-8")
        (folder / "bob's tmp").mkdir()
        lake = Lake(
            {
                **server.environment,
                "WEATHER_BUCKET": f"api-{uuid4().hex}",
                "WEATHER_LOCATIONS": str(folder / "locations.yaml"),
                "LAKE_CATALOG": f"sqlite:{folder / 'lake.sqlite'}",
                "DUCKDB_EXTENSION_DIRECTORY": str(duckdb_extensions),
                "TMPDIR": str(folder / "bob's tmp"),
            }
        )
        lake.create_bucket()
        lake.create()
        lake.create_tables(*days)
        return lake

    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("DUCKDB_EXTENSION_DIRECTORY", str(duckdb_extensions))
        yield make


@pytest.fixture
def lake(make_lake: MakeLake, s3_server: S3Server) -> Lake:
    """A lake with one day of Lyon and without a published snapshot."""
    return make_lake(s3_server, [a_day("lyon", MONDAY)])


@pytest.fixture
def serve(tmp_path: Path) -> Serve:
    """Factory of running APIs for a lake."""
    return lambda lake: running_api(lake.environment, tmp_path / "api.log")


@pytest.fixture(scope="session")
def filled_lake(make_lake: MakeLake, s3_server: S3Server) -> Lake:
    """A published lake with ten days of Lyon, three of New York and none of Kolkata.

    Lyon's newest day is incomplete. Atlantis, no longer in locations.yaml, has one day.
    """
    days = [NEWEST_DAY - timedelta(days=back) for back in range(LYONS_DAYS)]
    lake = make_lake(
        s3_server,
        [
            *(a_day("lyon", day, temp_max_c=float(day.day)) for day in days[1:]),
            ("lyon", NEWEST_DAY, 1.5, 2.5, 2.0, None, None, 5, False),
            *(a_day("new-york", day) for day in days[:3]),
            a_day("atlantis", MONDAY),
        ],
    )
    lake.write_hours("lyon", datetime.now(UTC) - timedelta(minutes=90))
    lake.publish()
    return lake


@pytest.fixture(scope="session")
def client(filled_lake: Lake, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """Client of an API for the filled lake, which no test changes."""
    with running_api(filled_lake.environment, tmp_path_factory.mktemp("api") / "log") as client:
        yield client
