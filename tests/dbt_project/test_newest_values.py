"""A missing value never replaces a known value, in any order of responses."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import permutations, product
from typing import NamedTuple

from tests.dbt_project.responses import RawResponse, store
from tests.pipeline import Pipeline
from weather.lake.__main__ import main as lake_step
from weather.window import HOUR, Window

HOUR_TESTED = datetime(2026, 3, 1, 10, tzinfo=UTC)
FIRST_FETCH = datetime(2026, 3, 1, 12, 7, tzinfo=UTC)

ABSENT, IMPOSSIBLE = None, 1687.2
FETCHES = 3
PATTERNS = list(product(("value", "absent", "impossible"), repeat=FETCHES))
ORDERS = list(permutations(range(FETCHES)))


class Case(NamedTuple):
    """Values in one location's responses at each fetch, and the responses' order of arrival."""

    order: tuple[int, ...]
    temperature: Sequence[str]
    wind: Sequence[str]

    @property
    def location(self) -> str:
        """Unique name of the case, as the location's id."""
        names = ["".join(each[0] for each in kinds) for kinds in (self.temperature, self.wind)]
        return "-".join(["".join(map(str, self.order)), *names])

    def response(self, fetch: int) -> RawResponse:
        """Return the response of a fetch. Only the first fetch has a value of rain."""
        return RawResponse(
            self.location,
            FIRST_FETCH + fetch * HOUR,
            {
                "temperature_2m": [number(self.temperature[fetch], fetch)],
                "precipitation": [0.5 if fetch == 0 else None],
                "wind_speed_10m": [number(self.wind[fetch], fetch)],
            },
            HOUR_TESTED,
        )


# Wind takes another pattern than temperature, so that a row mixes values of several fetches.
CASES = [
    Case(order, kinds, PATTERNS[(number * 7 + 5) % len(PATTERNS)])
    for order in ORDERS
    for number, kinds in enumerate(PATTERNS)
]


def number(kind: str, fetch: int) -> float | None:
    return {"value": 10.0 + fetch, "absent": ABSENT, "impossible": IMPOSSIBLE}[kind]


def newest(kinds: Sequence[str], fetches: Sequence[int]) -> int | None:
    """Return the last fetch that has a value."""
    return max((fetch for fetch in fetches if kinds[fetch] == "value"), default=None)


def expected_hours(arrived: int) -> set[tuple[object, ...]]:
    """Return the rows of stg_weather after that many responses of each case."""
    rows: set[tuple[object, ...]] = set()
    for case in CASES:
        fetches = case.order[:arrived]
        values = [
            None if (fetch := newest(kinds, fetches)) is None else 10.0 + fetch
            for kinds in (case.temperature, case.wind)
        ]
        rain = 0.5 if 0 in fetches else None
        moment = FIRST_FETCH + max(fetches) * HOUR
        rows.add((case.location, values[0], rain, values[1], moment.replace(tzinfo=None)))
    return rows


def expected_kept() -> set[tuple[object, ...]]:
    """Return the rows of kept_values: each value from an older fetch than the newest."""
    last = FETCHES - 1
    kept = {(case.location, "precipitation_mm", 0) for case in CASES}
    for case in CASES:
        for variable, kinds in (("temperature_c", case.temperature), ("windspeed_kmh", case.wind)):
            fetch = newest(kinds, range(FETCHES))
            if fetch is not None and fetch != last:
                kept.add((case.location, variable, fetch))
    return {
        (location, variable, (FIRST_FETCH + fetch * HOUR).replace(tzinfo=None))
        for location, variable, fetch in kept
    }


HOURS = "select * exclude (hour_timestamp) from stg_weather"
KEPT = "select * exclude (hour_timestamp) from kept_values"
ALL = "from {} order by all"
TABLES = ("stg_weather", "kept_values", "rejected_weather", "daily_weather_stats")


def test_the_order_of_arrival_does_not_matter(pipeline: Pipeline) -> None:
    for arrival in range(FETCHES):
        window = Window(HOUR_TESTED - (arrival + 1) * HOUR, HOUR_TESTED + HOUR)
        store(pipeline, window, [case.response(case.order[arrival]) for case in CASES])
        assert pipeline.transform("stg_weather")
        assert set(pipeline.rows(HOURS)) == expected_hours(arrival + 1)
    assert pipeline.rows("select count(*) from stg_weather") == [(len(CASES),)]
    assert sorted(pipeline.rows(KEPT)) == sorted(expected_kept())


def test_a_rebuild_equals_the_runs(pipeline: Pipeline) -> None:
    """The cases have no impossible values, because many impossible values would stop a run."""
    cases = [case for case in CASES if "impossible" not in (*case.temperature, *case.wind)]
    for arrival in range(FETCHES):
        window = Window(HOUR_TESTED - (arrival + 1) * HOUR, HOUR_TESTED + HOUR)
        store(pipeline, window, [case.response(case.order[arrival]) for case in cases])
        assert pipeline.transform()
    assert pipeline.publish() == 0
    before = {table: pipeline.rows(ALL.format(table)) for table in TABLES}
    assert before["kept_values"]
    assert lake_step(["rebuild"]) == 0
    assert {table: pipeline.rows(ALL.format(table)) for table in TABLES} == before


def test_a_day_keeps_values_missing_in_newer_responses(
    pipeline: Pipeline,
) -> None:
    start = datetime(2026, 3, 1, tzinfo=UTC)
    window = Window(start, start + 24 * HOUR)
    full = [float(hour) for hour in range(24)]
    gap = [None] * 6 + full[6:]

    def run(fetched: int, temperature: Sequence[float | None]) -> None:
        variables = {
            "temperature_2m": temperature,
            "precipitation": [1.0] * 24,
            "wind_speed_10m": [10.0] * 24,
        }
        moment = window.end + timedelta(minutes=fetched)
        store(pipeline, window, [RawResponse("lyon", moment, variables, start)])
        assert pipeline.transform()
        assert pipeline.publish() == 0

    run(7, full)
    # A lake of an older version lacks the table.
    pipeline.execute("drop table kept_values")
    day = pipeline.rows("from daily_weather_stats where date = '2026-03-01'")
    assert day[0][2:5] == (0.0, 23.0, 11.5)
    for minute in (8, 9):
        run(minute, gap)
        assert pipeline.rows("from daily_weather_stats where date = '2026-03-01'") == day
        published = pipeline.published()
        assert published is not None
        assert published.run is not None
        assert published.run.values_kept == {"temperature_c": 6}
        assert published.run.tests["stg_weather"]["warn"] >= 1
    run(10, full)
    assert pipeline.rows("from kept_values") == []
