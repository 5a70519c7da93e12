"""Prometheus metrics of requests, of the served data, and of the run that published the data."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import accumulate

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from api.data.served import ServedData
from api.data.snapshot import Snapshot
from weather.published import Published
from weather.reports import IngestReport, RunReport
from weather.window import HOUR

METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"}
OTHER = "other"
"""Label of nonstandard methods, because each label value creates another time series."""

BUCKETS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)
"""Histogram buckets in seconds; a cached response takes less than a millisecond."""

_EDGES = [*map(floatToGoString, BUCKETS), "+Inf"]

_OF_THE_RUN = "of the last published run"


class RequestMetrics(Collector):
    """Counts requests by route, method and status, and their durations.

    Prometheus's own counters lock, which takes a tenth of a cached response's time. Here only the
    event loop counts and collects.
    """

    def __init__(self) -> None:
        self._tallies: defaultdict[tuple[str, str, int, str], _Tally] = defaultdict(_Tally)

    def count(self, method: str, route: str, status: int, outcome: str, seconds: float) -> None:
        """Count a request."""
        key = (method if method in METHODS else OTHER, route, status, outcome)
        tally = self._tallies[key]
        tally.counts[bisect_left(BUCKETS, seconds)] += 1
        tally.seconds += seconds

    def collect(self) -> Iterator[Metric]:
        """Yield the current metrics."""
        requests: defaultdict[tuple[str, str, str], int] = defaultdict(int)
        durations: defaultdict[tuple[str, str], _Tally] = defaultdict(_Tally)
        outcomes: defaultdict[str, int] = defaultdict(int)
        for (method, route, status, outcome), tally in self._tallies.items():
            number = sum(tally.counts)
            requests[method, route, str(status)] += number
            outcomes[outcome] += number
            durations[method, route].add(tally)
        counted = CounterMetricFamily(
            "http_requests", "Requests completed.", labels=("method", "route", "status")
        )
        for labels, number in requests.items():
            counted.add_metric(labels, number)
        lasted = HistogramMetricFamily(
            "http_request_duration_seconds",
            "Time from the request's head to the end of the response.",
            labels=("method", "route"),
        )
        for route_labels, tally in durations.items():
            lasted.add_metric(route_labels, tally.cumulative(), tally.seconds)
        hits = CounterMetricFamily(
            "weather_answers",
            "Responses from the cache (`ready`) and responses rendered for a request (`made`).",
            labels=("answer",),
        )
        for outcome, number in outcomes.items():
            hits.add_metric([outcome], number)
        yield from (counted, lasted, hits)


class _Tally:
    """Requests with the same labels, by duration bucket."""

    __slots__ = ("counts", "seconds")

    def __init__(self) -> None:
        self.counts = [0] * len(_EDGES)
        self.seconds = 0.0

    def add(self, other: "_Tally") -> None:
        """Add the requests of another tally."""
        self.counts = [mine + its for mine, its in zip(self.counts, other.counts, strict=True)]
        self.seconds += other.seconds

    def cumulative(self) -> Sequence[tuple[str, float]]:
        """Return the number of requests up to each bucket's edge."""
        return list(zip(_EDGES, accumulate(self.counts), strict=True))


class DataMetrics(Collector):
    """Metrics of the served data, computed at each scrape."""

    def __init__(self, served: Callable[[], ServedData]) -> None:
        self._served = served

    def collect(self) -> Iterator[Metric]:
        """Yield the current metrics."""
        served = self._served()
        reloads = CounterMetricFamily("weather_reloads", "Snapshots loaded since the start.")
        reloads.add_metric([], served.reloads)
        failures = CounterMetricFamily(
            "weather_reload_failures", "Failed checks for a new snapshot, failed loads included."
        )
        failures.add_metric([], served.failures)
        checked = GaugeMetricFamily(
            "weather_last_check_timestamp_seconds",
            "Time of the last check for a new snapshot, successful or not.",
        )
        if served.checked_at:
            checked.add_metric([], served.checked_at.timestamp())
        snapshot_id = GaugeMetricFamily("weather_snapshot_id", "Id of the served snapshot.")
        age = GaugeMetricFamily(
            "weather_data_age_seconds",
            "Time since the newest hour with a value.",
            labels=("location",),
        )
        cached = GaugeMetricFamily("weather_ready_bytes", "Memory of the cached responses.")
        cached.add_metric([], served.responses.bytes)
        if served.snapshot:
            snapshot_id.add_metric([], served.snapshot.published.snapshot_id)
            now = datetime.now(UTC)
            for location, hour in served.snapshot.newest_hours.items():
                age.add_metric([location], (now - hour).total_seconds())
            yield from _run_metrics(served.snapshot.published)
            yield from _completeness(served, served.snapshot)
        yield from (reloads, failures, checked, snapshot_id, age, cached)


def _completeness(served: ServedData, snapshot: Snapshot) -> Iterator[Metric]:
    """Yield due and present hours of every configured location. Without data, both are 0."""
    labels = ("location", "period")
    due = GaugeMetricFamily(
        "weather_hours_due",
        "Hours of a period up to the newest hour that a published run covered.",
        labels=labels,
    )
    present = GaugeMetricFamily(
        "weather_hours_present", "Hours of the same period that have a value.", labels=labels
    )
    for period, counts in snapshot.hours_present.items():
        for location in served.locations:
            values = [location.id, f"{period.days}d"]
            due.add_metric(values, period / HOUR)
            present.add_metric(values, counts.get(location.id, 0))
    yield from (due, present)


def _run_metrics(published: Published) -> Iterator[Metric]:
    """Yield gauges of the run that published the snapshot, only a few without a run report."""
    yield _gauge(
        "weather_run_published_timestamp_seconds",
        "When the served snapshot was published.",
        published.published_at.timestamp(),
    )
    yield _gauge(
        "weather_run_window_end_timestamp_seconds",
        f"End of the window {_OF_THE_RUN}.",
        published.window_end.timestamp(),
    )
    if published.run:
        yield from _lake_metrics(published.run)
        if published.run.ingest:
            yield from _ingest_metrics(published.run.ingest)


def _lake_metrics(run: RunReport) -> Iterator[Metric]:
    yield _gauges(
        "weather_run_rows_written", f"New or changed rows {_OF_THE_RUN}.", "table", run.rows_written
    )
    yield _gauges(
        "weather_run_values_kept",
        f"Known values that are missing or impossible in the responses {_OF_THE_RUN}.",
        "variable",
        run.values_kept,
    )
    tests = GaugeMetricFamily(
        "weather_run_tests",
        f"dbt tests {_OF_THE_RUN}, by status.",
        labels=("model", "status"),
    )
    for model, counts in run.tests.items():
        for status, count in counts.items():
            tests.add_metric([model, status], count)
    yield tests


def _ingest_metrics(ingest: IngestReport) -> Iterator[Metric]:
    yield _gauges(
        "weather_run_hours",
        f"Hours of all locations that ingest requested, received and rejected {_OF_THE_RUN}.",
        "result",
        {
            "asked": ingest.hours_asked,
            "received": ingest.hours_received,
            "rejected": ingest.hours_rejected,
        },
    )
    yield _gauge(
        "weather_run_received_bytes", f"Bytes of all response bodies {_OF_THE_RUN}.", ingest.bytes
    )
    yield _gauge(
        "weather_run_calls", f"Requests to the source with a response {_OF_THE_RUN}.", ingest.calls
    )
    yield _gauges(
        "weather_run_retries", f"Retried requests {_OF_THE_RUN}.", "reason", ingest.retries
    )


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=value)


def _gauges(name: str, text: str, label: str, values: Mapping[str, float]) -> Metric:
    gauge = GaugeMetricFamily(name, text, labels=(label,))
    for value_of_label, value in values.items():
        gauge.add_metric([value_of_label], value)
    return gauge
