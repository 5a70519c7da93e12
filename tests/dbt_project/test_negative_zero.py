"""No table has -0.0, neither from the service nor from rounding."""

from datetime import UTC, datetime
from math import copysign

from tests.dbt_project.responses import RawResponse, same, store
from tests.pipeline import Pipeline
from weather.window import HOUR, Window

START = datetime(2026, 1, 10, tzinfo=UTC)
WINDOW = Window(START, START + 24 * HOUR)

TEMPERATURES = {
    "rounded": same(-0.04, 24),
    "mean": [*same(-0.1, 8), *same(0.0, 16)],
    "sent": same(-0.0, 24),
    "extremes": [-0.0, *same(0.0, 22), -0.04],
    "real": same(-0.06, 24),
}
EXPECTED = {
    "rounded": (0.0, 0.0, 0.0),
    "mean": (-0.1, 0.0, 0.0),
    "sent": (0.0, 0.0, 0.0),
    "extremes": (0.0, 0.0, 0.0),
    "real": (-0.1, -0.1, -0.1),
}
"""Lowest, highest and mean temperature by location."""


def test_no_table_has_negative_zero(pipeline: Pipeline) -> None:
    responses = [
        RawResponse(
            location,
            WINDOW.end,
            {
                "temperature_2m": temperatures,
                "precipitation": same(-0.0, 24),
                "wind_speed_10m": same(-0.0, 24),
            },
            START,
        )
        for location, temperatures in TEMPERATURES.items()
    ]
    store(pipeline, WINDOW, responses)
    assert pipeline.transform()

    days = pipeline.rows("select * from daily_weather_stats where date = '2026-01-10'")
    assert {row[0]: row[2:5] for row in days} == EXPECTED
    hours = pipeline.rows("select * from stg_weather")
    numbers = [value for row in days + hours for value in row if isinstance(value, float)]
    assert len(numbers) == len(TEMPERATURES) * (5 + 24 * 3)
    assert [value for value in numbers if value == 0 and copysign(1, value) < 0] == []
