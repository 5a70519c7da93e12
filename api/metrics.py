"""What the API tells Prometheus."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from api.mart import Mart
from api.run_metrics import run_metrics
from api.watch import View
from weather.window import HOUR

METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"}
OTHER = "other"
"""The label of methods that clients make up: each name would be a series of its own."""

BUCKETS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5)
"""In seconds; an answer that is ready takes less than a millisecond."""


class RequestMetrics:
    """Requests by route, method and status, how long they took, and where answers came from."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Counter(
            "http_requests",
            "Requests answered.",
            ("method", "route", "status"),
            registry=registry,
        )
        self._seconds = Histogram(
            "http_request_duration_seconds",
            "Time from a request to the end of its answer.",
            ("method", "route"),
            registry=registry,
            buckets=BUCKETS,
        )
        self._answers = Counter(
            "weather_answers",
            "Answers that were ready, and answers that were made for the request.",
            ("answer",),
            registry=registry,
        )
        self._series: dict[tuple[str, str, int, str], tuple[Counter, Histogram, Counter]] = {}

    def count(self, method: str, route: str, status: int, outcome: str, seconds: float) -> None:
        """Count one request, under its route's template."""
        key = (method if method in METHODS else OTHER, route, status, outcome)
        series = self._series.get(key)
        if series is None:
            # Remembered, because looking up a series takes longer than counting.
            method, route, status, outcome = key
            series = self._series[key] = (
                self._requests.labels(method, route, str(status)),
                self._seconds.labels(method, route),
                self._answers.labels(outcome),
            )
        requests, durations, answers = series
        requests.inc()
        durations.observe(seconds)
        answers.inc()


class ViewCollector(Collector):
    """What is served and how old it is, reckoned when Prometheus asks."""

    def __init__(self, view: Callable[[], View]) -> None:
        self._view = view

    def collect(self) -> Iterator[Metric]:
        """The metrics of this moment."""
        view = self._view()
        reloads = CounterMetricFamily("weather_reloads", "Snapshots loaded since the start.")
        reloads.add_metric([], view.reloads)
        failures = CounterMetricFamily(
            "weather_reload_failures", "Checks for a new snapshot, or loads of one, that failed."
        )
        failures.add_metric([], view.failures)
        checked = GaugeMetricFamily(
            "weather_last_check_timestamp_seconds",
            "When the published snapshot was last looked for, well or not.",
        )
        if view.checked_at:
            checked.add_metric([], view.checked_at.timestamp())
        snapshot = GaugeMetricFamily("weather_snapshot_id", "The lake's snapshot that is served.")
        age = GaugeMetricFamily(
            "weather_data_age_seconds",
            "Time since the newest hour with a value.",
            labels=("location",),
        )
        held = GaugeMetricFamily(
            "weather_ready_bytes", "Memory that answers take which are ready to be handed out."
        )
        held.add_metric([], view.answers.bytes)
        if view.mart:
            snapshot.add_metric([], view.mart.published.snapshot_id)
            now = datetime.now(UTC)
            for location, hour in view.mart.newest_hours.items():
                age.add_metric([location], (now - hour).total_seconds())
            yield from run_metrics(view.mart.published)
            yield from _completeness(view, view.mart)
        yield from (reloads, failures, checked, snapshot, age, held)


def _completeness(view: View, mart: Mart) -> Iterator[Metric]:
    """Hours due and hours there, of every location that is taken: one without any has none."""
    labels = ("location", "period")
    due = GaugeMetricFamily(
        "weather_hours_due",
        "Hours of a period up to the newest one that a published run was to bring.",
        labels=labels,
    )
    present = GaugeMetricFamily(
        "weather_hours_present", "Of these, the hours that have a value.", labels=labels
    )
    for period, counts in mart.hours_present.items():
        for location in view.locations:
            named = [location.id, f"{period.days}d"]
            due.add_metric(named, period / HOUR)
            present.add_metric(named, counts.get(location.id, 0))
    yield from (due, present)
