"""A failed data test stops a run before publish and reports location, hour and value."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.pipeline import Pipeline
from tests.replay_server import set_faults
from weather.published import PUBLISHED_KEY
from weather.window import lookback_window

END = datetime(2026, 11, 20, 5, tzinfo=UTC)
HOUR = timedelta(hours=1)

STAGED = """
insert into stg_weather by name
select
    'lyon' as location_id,
    {hour} as hour_timestamp,
    {temperature} as temperature_c,
    {rain} as precipitation_mm,
    {wind} as windspeed_kmh,
    {fetched} as fetched_at
"""
DAY = """
insert into daily_weather_stats by name
select
    'lyon' as location_id,
    {date} as date,
    1 as temp_min_c,
    2 as temp_max_c,
    1.5 as temp_avg_c,
    {rain} as total_precipitation_mm,
    {wind} as avg_windspeed_kmh,
    {hours} as hours,
    {complete} as is_complete
"""


@pytest.fixture
def hour_done(pipeline: Pipeline) -> Pipeline:
    """A pipeline with one published run."""
    pipeline.fill(lookback_window(END, 168))
    return pipeline


def staged(**values: str) -> str:
    row = {
        "hour": "timestamp '2026-11-20 05:00'",
        "temperature": "1",
        "rain": "0",
        "wind": "1",
        "fetched": "now()::timestamp",
    }
    return STAGED.format(**{**row, **values})


def day(**values: str) -> str:
    row = {"date": "date '2026-01-01'", "rain": "0", "wind": "1", "hours": "24", "complete": "true"}
    return DAY.format(**{**row, **values})


BAD_ROWS = [
    (staged(temperature="-60.1"), "temperature_c_is_between_60_below_and_60", "-60.1"),
    (staged(temperature="60.1"), "temperature_c_is_between_60_below_and_60", "60.1"),
    (staged(rain="-0.1"), "precipitation_mm_is_not_negative", "-0.1"),
    (staged(wind="-2"), "windspeed_kmh_is_not_negative", "-2.0"),
    (staged(hour="null"), "not_null_stg_weather_hour_timestamp", "None"),
    (staged(fetched="null"), "not_null_stg_weather_fetched_at", "None"),
    (
        staged(hour="timestamp '2026-11-20 04:00'"),
        "one_row_a_key_stg_weather_location_id__hour_timestamp__ref_stg_weather_",
        "2026-11-20 04:00:00, rows_of_this_key=2",
    ),
    (day(rain="-1"), "total_precipitation_mm_is_not_negative", "-1.0"),
    (day(wind="-1"), "avg_windspeed_kmh_is_not_negative", "-1.0"),
    (day(hours="25"), "hours_at_most_day_length_daily_weather_stats_", "hours=25"),
    (day(hours="null"), "not_null_daily_weather_stats_hours", "None"),
    (day(complete="null"), "not_null_daily_weather_stats_is_complete", "None"),
    (
        day(date="date '2026-11-19'"),
        "one_row_a_key_daily_weather_stats_location_id__date__ref_daily_weather_stats_",
        "2026-11-19, rows_of_this_key=2",
    ),
    (
        (
            "insert into rejected_weather (location_id, hour_timestamp, variable, value, reason)"
            " values ('lyon', null, 'x', 1, 'because')"
        ),
        "not_null_rejected_weather_hour_timestamp",
        "None",
    ),
]
"""SQL that inserts invalid rows, with the failing data test and a part of the failure."""


def test_each_data_test_fails_on_a_bad_row_and_reports_it(
    hour_done: Pipeline, capfd: pytest.CaptureFixture[str]
) -> None:
    assert hour_done.test("test_type:data")
    assert "FAIL" not in capfd.readouterr().out
    for statement, _, _ in BAD_ROWS:
        hour_done.execute(statement)
    assert not hour_done.test("test_type:data")
    failures = [line for line in capfd.readouterr().out.splitlines() if " FAIL " in line]
    for _, test, named in BAD_ROWS:
        assert any(f"FAIL {test}: " in line and named in line for line in failures), test


def test_a_temperature_below_the_documented_range_warns(
    hour_done: Pipeline, capfd: pytest.CaptureFixture[str]
) -> None:
    hour_done.execute(staged(temperature="-31"))
    assert hour_done.test("stg_weather")
    output = capfd.readouterr().out
    assert "WARN temperature_c_is_as_the_source_document_expects: location_id=lyon" in output
    assert "temperature_c=-31.0" in output


def test_a_location_that_lags_behind_the_window_warns(
    pipeline: Pipeline, capfd: pytest.CaptureFixture[str]
) -> None:
    pipeline.run_hour(END - 4 * HOUR)
    pipeline.take(lookback_window(END, 168))
    pipeline.execute(staged(hour="timestamp '2026-11-20 00:00'"))
    assert pipeline.test("newest_hour_is_recent_stg_weather_3")
    assert "WARN newest_hour_is_recent_stg_weather_3: location_id=lyon" in capfd.readouterr().out


def test_an_odd_temperature_stops_the_run_until_revised(
    hour_done: Pipeline, replay: str, capfd: pytest.CaptureFixture[str]
) -> None:
    before = hour_done.published()
    hour_done.take(lookback_window(END + HOUR, 168))
    set_faults(replay, "odd_temperature@0*1")
    assert hour_done.ingest() == 0
    assert not hour_done.transform()
    line = next(line for line in capfd.readouterr().out.splitlines() if "FAIL temperature" in line)
    assert "location_id=lyon, hour_timestamp=2026-11-" in line
    assert "temperature_c=-75.0" in line
    assert hour_done.published() == before

    hour_done.run_hour(END + HOUR)
    assert hour_done.published() != before


def test_failed_rows_are_tested_again_by_a_run_of_a_later_window(
    hour_done: Pipeline, replay: str
) -> None:
    hour_done.take(lookback_window(END - 400 * HOUR, 24))
    set_faults(replay, "odd_temperature@0*1")
    assert hour_done.ingest() == 0
    assert not hour_done.transform()

    hour_done.take(lookback_window(END + HOUR, 24))
    assert hour_done.ingest() == 0
    assert not hour_done.transform()

    hour_done.run(lookback_window(END - 400 * HOUR, 24))


def test_rows_of_a_new_catalog_are_tested(hour_done: Pipeline) -> None:
    before = hour_done.published()
    assert before is not None
    hour_done.execute(staged(temperature="60.1"))
    of_the_old_catalog = before.model_copy(update={"snapshot_id": 10_000})
    hour_done.store.put(PUBLISHED_KEY, of_the_old_catalog.model_dump_json().encode())
    assert not hour_done.test("temperature_c_is_between_60_below_and_60")


def test_many_impossible_values_stop_the_run(
    hour_done: Pipeline, replay: str, capfd: pytest.CaptureFixture[str]
) -> None:
    before = hour_done.published()
    hour_done.take(lookback_window(END + HOUR, 168))
    set_faults(replay, "impossible_values*1")
    assert hour_done.ingest() == 0
    assert not hour_done.transform()
    line = next(
        line for line in capfd.readouterr().out.splitlines() if "FAIL few_values_rejected" in line
    )
    assert "variable=windspeed_kmh, value=2000.0, rejected_percent=" in line
    assert hour_done.published() == before
    assert hour_done.rows("select max(windspeed_kmh) < 410 from stg_weather") == [(True,)]

    hour_done.run_hour(END + HOUR)
    assert hour_done.rows("select distinct value from rejected_weather") == [(2000.0,)]
    assert hour_done.published() != before


def test_published_impossible_values_are_counted_again(hour_done: Pipeline, replay: str) -> None:
    hours = lookback_window(END + HOUR, 24)
    for _ in range(2):
        hour_done.take(hours)
        set_faults(replay, "impossible_values*1")
        assert hour_done.ingest() == 0
        assert not hour_done.transform()
        hour_done.run(hours)


def test_several_impossible_values_of_an_hour_count_once(hour_done: Pipeline) -> None:
    hour_done.execute(
        "insert into stg_weather by name select 'lyon' as location_id,"
        " timestamp '2020-01-01' + to_hours(number) as hour_timestamp,"
        " 1 as temperature_c, 0 as precipitation_mm,"
        " case when number > 0 then 1 end as windspeed_kmh, now()::timestamp as fetched_at"
        " from range(200) as hours(number)"
    )
    hour_done.execute(
        "insert into rejected_weather by name select 'lyon' as location_id,"
        " timestamp '2020-01-01' as hour_timestamp, 'windspeed_kmh' as variable,"
        " 1000 + number as value, 'because' as reason from range(40) as numbers(number)"
    )
    assert hour_done.test("test_name:few_values_rejected")
