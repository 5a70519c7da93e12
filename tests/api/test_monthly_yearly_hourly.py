"""/weather/monthly, /weather/yearly and /weather/hourly."""

from datetime import UTC, date, datetime, timedelta

import pytest

from api.routes.weather import hourly_range
from local.store import S3Server
from tests.api.conftest import MakeLake, Serve
from tests.api.lake import Row, a_day

pytestmark = pytest.mark.slow


def test_months_are_computed_from_days(
    make_lake: MakeLake, s3_server: S3Server, serve: Serve
) -> None:
    february = [date(2024, 2, 1) + timedelta(days=number) for number in range(29)]
    days: list[Row] = [a_day("lyon", day) for day in february]
    days += [
        ("lyon", date(2024, 3, 1), -7.0, 3.0, -1.0, 1.25, 10.0, 24, True),
        ("lyon", date(2024, 3, 2), 0.0, 8.0, 4.0, None, None, 6, False),
        ("lyon", date(2023, 12, 31), None, None, None, 2.0, 20.0, 0, False),
    ]
    lake = make_lake(s3_server, days)
    lake.publish()
    with serve(lake) as client:
        march, whole, december = client.get("/weather/monthly").json()
        assert whole["month"] == "2024-02-01"
        assert (whole["days"], whole["complete_days"], whole["is_complete"]) == (29, 29, True)
        assert whole["total_precipitation_mm"] == 11.6
        assert march == {
            "location": "lyon",
            "month": "2024-03-01",
            "temp_min_c": -7.0,
            "temp_max_c": 8.0,
            # Of 24 hours at -1.0 and 6 at 4.0.
            "temp_avg_c": 0.0,
            "total_precipitation_mm": 1.3,
            "avg_windspeed_kmh": 10.0,
            "hours": 30,
            "days": 2,
            "complete_days": 1,
            "is_complete": False,
        }
        assert december["temp_avg_c"] is None
        years = client.get("/weather/yearly").json()
        assert [(row["year"], row["days"], row["is_complete"]) for row in years] == [
            (2024, 31, False),
            (2023, 1, False),
        ]
        inside = "start=2024-02-29&end=2024-02-29"
        assert client.get(f"/weather/monthly?{inside}").json() == [whole]
        assert client.get(f"/weather/yearly?{inside}").json() == years[:1]
        assert len(client.get("/weather/monthly?limit=2").json()) == 2


def test_hours_come_from_memory_and_from_the_lake(
    make_lake: MakeLake, s3_server: S3Server, serve: Serve
) -> None:
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    new = [now - timedelta(hours=number) for number in range(48)]
    old = [now - timedelta(days=60, hours=number) for number in range(48)]
    days = [
        a_day("lyon", hour.date()) for hour in {each.date(): each for each in new + old}.values()
    ]
    lake = make_lake(s3_server, days)
    lake.write_hours("lyon", *new, *old)
    lake.write_hours("new-york", now)
    lake.publish()

    def hours(query: str = "") -> list[str]:
        response = client.get(f"/weather/hourly{query}")
        assert response.status_code == 200, response.text
        return [row["hour_timestamp"] for row in response.json()]

    def written(moments: list[datetime]) -> list[str]:
        return [moment.strftime("%Y-%m-%dT%H:%M:%SZ") for moment in moments]

    with serve(lake) as client:
        assert hours() == written(new)
        assert hours("?limit=3") == written(new[:3])
        row = client.get("/weather/hourly?limit=1").json()[0]
        assert row["location"] == "lyon"
        assert row["temperature_c"] == 5.5
        assert row["precipitation_mm"] is None
        start = (old[-1] - timedelta(days=1)).date()
        # Local days begin an hour or two before UTC days.
        assert hours(f"?start={start}") == written(new + old)
        assert hours(f"?start={start}&end={start + timedelta(days=6)}") == written(old)
        assert hours(f"?start={start}&end={start}") == []
        assert hours("?start=0001-01-01&end=0001-01-02") == hours("?start=9999-12-31") == []
        assert hours("?end=0001-01-01") == hours("?start=9999-12-30&end=9999-12-31") == []
        wide = client.get("/weather/hourly?start=2024-01-01&end=2025-01-01")
        assert wide.status_code == 422
        assert "366 days" in wide.json()["detail"]
        table = client.get(f"/weather/hourly?start={start}&format=csv").text.splitlines()
        assert len(table) == 1 + len(new + old)


OLDEST, NEWEST = date(2020, 1, 1), date(2025, 11, 20)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("start", "end", "meant"),
    [
        (None, None, (NEWEST - 6 * DAY, NEWEST)),
        (None, date(2025, 1, 7), (date(2025, 1, 1), date(2025, 1, 7))),
        (date(2025, 1, 1), None, (date(2025, 1, 1), NEWEST)),
        (date(2021, 1, 1), None, (date(2021, 1, 1), date(2022, 1, 1))),
        (date(1, 1, 1), date(1, 1, 2), None),
        (date.max, None, None),
        (None, date.max, (NEWEST - 5 * DAY, NEWEST + DAY)),
        (None, date.min, None),
        (NEWEST, date.max, (NEWEST, NEWEST + DAY)),
    ],
)
def test_hourly_defaults_and_limits(
    start: date | None, end: date | None, meant: tuple[date, date] | None
) -> None:
    assert hourly_range(start, end, OLDEST, NEWEST) == meant
