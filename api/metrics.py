"""What the API tells Prometheus."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from time import perf_counter

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.watch import View

METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"}
OTHER = "other"
"""The label of methods and paths that clients make up: each name would be a series of its own."""


class RequestMetrics:
    """Requests by route, method and status, and how long they took in seconds."""

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
        )

    def count(self, scope: Scope, status: int, seconds: float) -> None:
        """Count one request, under its route's template."""
        method = scope["method"] if scope["method"] in METHODS else OTHER
        route = getattr(scope.get("route"), "path", OTHER)
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(seconds)


class RequestMetricsMiddleware:
    """Counts every HTTP request, those that end in an error too."""

    def __init__(self, app: ASGIApp, metrics: RequestMetrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and count it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = perf_counter()
        status = 500

        async def send_and_note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, send_and_note)
        finally:
            self.metrics.count(scope, status, perf_counter() - started)


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
        if view.mart:
            snapshot.add_metric([], view.mart.published.snapshot_id)
            now = datetime.now(UTC)
            for location, hour in view.mart.newest_hours.items():
                age.add_metric([location], (now - hour).total_seconds())
        yield from (reloads, failures, checked, snapshot, age)
