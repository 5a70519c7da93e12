"""dbt, the API and Python compute the same local days, by the rules of `tzdata`."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from jinja2 import Environment

from tests.tzif import Rules, zone_names
from weather import timezones

pytestmark = pytest.mark.slow

MACROS = Path("dbt_project/macros/local_day.sql")

HOUR = 3600
FIRST = int(datetime(2020, 1, 1, tzinfo=UTC).timestamp())
LAST = int(datetime(2030, 12, 31, tzinfo=UTC).timestamp())
AROUND = 30
"""Hours before and after each clock change, enough for complete days around the change."""

EPOCH = datetime(1970, 1, 1)


def hours_of_interest(rules: Rules) -> list[int]:
    """Return the hours around a zone's clock changes and around both ends of the supported time."""
    hours: set[int] = set()
    for moment in (FIRST, *rules.changes(FIRST, LAST), LAST):
        whole = moment // HOUR
        hours.update(range(whole - AROUND, whole + AROUND))
    return sorted(hours)


@pytest.fixture(scope="module")
def rules() -> dict[str, Rules]:
    return {name: Rules(name) for name in zone_names()}


@pytest.fixture(scope="module")
def database(rules: dict[str, Rules]) -> Iterator[duckdb.DuckDBPyConnection]:
    """DuckDB with dbt's time zone rules and the hours of interest."""
    from weather.lake.dbt_plugin import add_utc_offsets

    with duckdb.connect() as connection:
        add_utc_offsets(connection)
        connection.execute("create table given (timezone varchar, hours bigint[])")
        for name, of_zone in rules.items():
            connection.execute(f"insert into given values ('{name}', {hours_of_interest(of_zone)})")
        connection.execute(
            "create table hours as select timezone,"
            " make_timestamp(unnest(hours) * 3600 * 1000000) as hour_timestamp from given"
        )
        yield connection


def macro(name: str, relation: str) -> str:
    macros = Environment(autoescape=False).from_string(MACROS.read_text(encoding="utf-8")).module
    return str(getattr(macros, name)(relation))


def test_local_dates_are_the_same_in_dbt_the_api_and_python(
    rules: dict[str, Rules], database: duckdb.DuckDBPyConnection
) -> None:
    in_sql = database.execute(macro("local_dates", "hours")).fetchall()
    assert len(in_sql) > 250_000
    wrong: dict[str, tuple[object, ...]] = {}
    for name, hour, day, day_of_rain in in_sql:
        moment = (hour - EPOCH) // timedelta(seconds=1)
        expected = rules[name].local_date(moment)
        in_python = timezones.local_date(hour.replace(tzinfo=UTC), timezones.zone(name))
        expected_of_rain = rules[name].local_date(moment - HOUR)
        if not (day == in_python == expected and day_of_rain == expected_of_rain):
            wrong.setdefault(name, (hour, expected, day, in_python, expected_of_rain, day_of_rain))
    assert wrong == {}


def test_days_have_the_same_hours_in_dbt_the_api_and_python(
    rules: dict[str, Rules], database: duckdb.DuckDBPyConnection
) -> None:
    expected: dict[tuple[str, date], list[int]] = defaultdict(list)
    for name, of_zone in rules.items():
        for hour in hours_of_interest(of_zone):
            expected[name, of_zone.local_date(hour * HOUR)].append(hour)
    whole = {
        (name, day): hours
        for (name, day), hours in expected.items()
        if all((name, day + timedelta(days=step)) in expected for step in (-1, 1))
    }
    lengths = Counter(len(hours) for hours in whole.values())
    assert lengths[23] > 1000 < lengths[25]
    database.execute("create or replace table days (timezone varchar, date date)")
    database.execute(
        "insert into days values " + ",".join(f"('{name}', '{day}')" for name, day in whole)
    )
    in_sql = {
        (name, day): hours
        for name, day, hours in database.execute(macro("day_lengths", "days")).fetchall()
    }
    assert in_sql == {key: len(hours) for key, hours in whole.items()}
    for (name, day), hours in whole.items():
        first, end = (
            timezones.first_hour_of(day + timedelta(days=step), timezones.zone(name))
            for step in (0, 1)
        )
        assert [first.timestamp() // HOUR, end.timestamp() // HOUR] == [hours[0], hours[-1] + 1], (
            name,
            day,
        )


def test_a_zone_missing_in_tzdata_is_reported(database: duckdb.DuckDBPyConnection) -> None:
    database.execute(
        "create or replace table other as"
        " select 'Europe/Lyon' as timezone, timestamp '2026-01-01' as hour_timestamp"
    )
    with pytest.raises(duckdb.Error, match="No time zone rules for Europe/Lyon at 2026-01-01"):
        database.execute(macro("local_dates", "other"))
