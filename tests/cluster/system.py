"""The installed system: its runs, its lake, its API."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.cluster.airflow import Airflow
from tests.cluster.connection import Cluster
from tests.cluster.expectation import hours_taken, is_due, window_of_run
from tests.cluster.forward import NoForward, forwarded
from tests.cluster.namespaces import AIRFLOW, WEATHER
from tests.cluster.waiting import wait_for
from tests.expected_mart import Row, expected_mart
from weather.ducklake import attached_lake
from weather.locations import read_locations
from weather.settings import DEFAULT_LOCATIONS, LakeSettings, read_settings
from weather.window import Window

SECONDS_TO_END_A_RUN = 420
SECONDS_TO_SERVE = 60
STEPS = "app.kubernetes.io/part-of=weather-pipeline,weather/step"


@dataclass(frozen=True)
class System:
    """A cluster with both releases installed, and the replay as the source."""

    cluster: Cluster
    airflow: Airflow

    def trigger(self, name: str) -> str:
        """Trigger a run of the hours up to now. Return its id, which is a label of its pods."""
        run_id = f"cluster-test-{name}-{uuid4().hex[:6]}"
        self.airflow.trigger(run_id)
        return run_id

    def await_success(self, run_id: str) -> None:
        """Wait until the run has ended, and assert its success."""
        state = self.airflow.await_end(run_id, SECONDS_TO_END_A_RUN, self.cluster.picture)
        assert state == "success", (
            f"run {run_id} is {state}:\n{self.airflow.picture(run_id)}\n{self.cluster.picture()}"
        )

    def tries(self, run_id: str, task_id: str) -> int:
        """Return the number of tries of a task of the run."""
        [instance] = [
            each for each in self.airflow.task_instances(run_id) if each["task_id"] == task_id
        ]
        return int(instance["try_number"])

    def settle(self) -> None:
        """Wait until no run is active and the next scheduled run is not due."""

        def idle() -> bool:
            active = self.airflow.when_available(
                lambda: self.airflow.runs(state="running") + self.airflow.runs(state="queued")
            )
            return bool(active == []) and not is_due(datetime.now(UTC))

        wait_for(
            "no run is active",
            idle,
            SECONDS_TO_END_A_RUN,
            lambda: f"{self.airflow.runs(state='running')}\n{self.cluster.picture()}",
        )

    def set_faults(self, rules: str) -> None:
        """Set the faults of the replay's next responses. An empty string removes all faults."""
        with forwarded(WEATHER, "weather-replay", 8000) as replay:
            httpx.post(
                f"{replay.url}/replay/faults", content=rules, trust_env=False
            ).raise_for_status()

    def requests_to_source(self) -> int:
        """Return the number of weather requests that the replay received."""
        with forwarded(WEATHER, "weather-replay", 8000) as replay:
            counts = httpx.get(f"{replay.url}/replay/requests", trust_env=False).json()
        return int(counts["requests"])

    @contextmanager
    def lake_settings(self, user: str = "api") -> Iterator[LakeSettings]:
        """Yield settings that reach the cluster's lake by forwarded ports, as `api` or `dbt`."""
        settings = self.cluster.settings("weather-settings")
        store = self.cluster.secret(f"weather-store-{user}")
        catalog = self.cluster.secret(f"weather-lake-{user}")
        with (
            forwarded(WEATHER, "weather-store", 9000) as s3,
            forwarded(WEATHER, "weather-postgres", 5432) as postgres,
            pytest.MonkeyPatch.context() as environment,
        ):
            words = [
                word
                for word in catalog["LAKE_CATALOG"].removeprefix("postgres:").split()
                if not word.startswith(("host=", "port="))
            ]
            here = f"postgres:host=127.0.0.1 port={postgres.port} {' '.join(words)}"
            for name, value in {
                "WEATHER_BUCKET": settings["WEATHER_BUCKET"],
                "AWS_ENDPOINT_URL": s3.url,
                "AWS_REGION": settings["AWS_REGION"],
                "LAKE_CATALOG": here,
                "PGPASSWORD": catalog["PGPASSWORD"],
                **store,
            }.items():
                environment.setenv(name, value)
            yield read_settings(LakeSettings)

    def lake_rows(self, query: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query on the lake."""
        with self.lake_settings() as settings, attached_lake(settings) as lake:
            return lake.execute(query).fetchall()

    def served_rows(self) -> list[Row]:
        """Return the API's rows of all locations, sorted."""
        with forwarded(WEATHER, "weather-api", 80) as api:
            responses = [
                httpx.get(
                    f"{api.url}/weather/summary",
                    params={"location": location.id},
                    trust_env=False,
                )
                for location in read_locations(DEFAULT_LOCATIONS)
            ]
        return sorted(
            _row(day) for response in responses for day in response.raise_for_status().json()
        )

    def serves(self, expected: list[Row]) -> bool:
        """Return whether the API returns these rows."""
        with suppress(httpx.HTTPError, NoForward):
            return self.served_rows() == expected
        return False

    def hours_taken(self) -> Window:
        """Return the window from the first to the last hour of Airflow's successful runs."""
        lookback = int(
            self.cluster.settings("weather-airflow-settings", AIRFLOW)["WEATHER_LOOKBACK_HOURS"]
        )
        runs = self.airflow.runs(state="success")
        return hours_taken(window_of_run(run, lookback) for run in runs)

    def assert_nothing_lost_nothing_doubled(self) -> None:
        """Assert that lake and API have each hour of each run once, with the source's values."""
        self.settle()
        taken = self.hours_taken()
        locations = read_locations(DEFAULT_LOCATIONS)
        expected = expected_mart(locations, taken.start, taken.end)

        assert self.lake_rows("select * from daily_weather_stats order by 1, 2") == expected
        [(rows, keys)] = self.lake_rows(
            "select count(*), count(distinct (location_id, hour_timestamp)) from stg_weather"
        )
        assert rows == keys == taken.hours * len(locations)
        wait_for(
            "the API serves what is expected",
            lambda: self.serves(expected),
            SECONDS_TO_SERVE,
            lambda: _difference(self.served_rows(), expected),
        )

    def remove_failed_steps(self) -> None:
        """Delete the failed steps' pods, which are kept for debugging."""
        self.cluster.core.delete_collection_namespaced_pod(
            WEATHER, label_selector=STEPS, field_selector="status.phase=Failed"
        )


def _row(day: dict[str, Any]) -> Row:
    return (
        day["location"],
        date.fromisoformat(day["date"]),
        day["temp_min_c"],
        day["temp_max_c"],
        day["temp_avg_c"],
        day["total_precipitation_mm"],
        day["avg_windspeed_kmh"],
        day["hours"],
        day["is_complete"],
    )


def _difference(served: list[Row], expected: list[Row]) -> str:
    lines = [f"  served, not expected: {row}" for row in served if row not in expected]
    lines += [f"  expected, not served: {row}" for row in expected if row not in served]
    return "\n".join(lines) or "  the same rows, some of them twice"
