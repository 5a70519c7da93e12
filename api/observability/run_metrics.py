"""What the run that published the served snapshot says of itself, for Prometheus.

Gauges, because each run's numbers take the place of the last one's; none where there is no report.
"""

from collections.abc import Iterator, Mapping

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from weather.published import Published
from weather.reports import IngestReport, RunReport

_OF_THE_RUN = "of the last published run"


def run_metrics(published: Published) -> Iterator[Metric]:
    """When the run published, which hours it took, and what its steps did."""
    yield _gauge(
        "weather_run_published_timestamp_seconds",
        "When the served snapshot was published.",
        published.published_at.timestamp(),
    )
    yield _gauge(
        "weather_run_window_end_timestamp_seconds",
        f"The end of the window {_OF_THE_RUN}.",
        published.window_end.timestamp(),
    )
    if published.run:
        yield from _lake_metrics(published.run)
        if published.run.ingest:
            yield from _ingest_metrics(published.run.ingest)


def _lake_metrics(run: RunReport) -> Iterator[Metric]:
    yield _gauges(
        "weather_run_rows_written", f"Rows new or changed {_OF_THE_RUN}.", "table", run.rows_written
    )
    yield _gauges(
        "weather_run_values_kept",
        f"Known values that responses {_OF_THE_RUN} lack or have impossible.",
        "variable",
        run.values_kept,
    )
    tests = GaugeMetricFamily(
        "weather_run_tests",
        f"Tests of dbt {_OF_THE_RUN}, by how they ended.",
        labels=("model", "status"),
    )
    for model, counts in run.tests.items():
        for status, count in counts.items():
            tests.add_metric([model, status], count)
    yield tests


def _ingest_metrics(ingest: IngestReport) -> Iterator[Metric]:
    yield _gauges(
        "weather_run_hours",
        f"Hours {_OF_THE_RUN}, each counted once for each location.",
        "result",
        {
            "asked": ingest.hours_asked,
            "received": ingest.hours_received,
            "rejected": ingest.hours_rejected,
        },
    )
    yield _gauge(
        "weather_run_received_bytes", f"Bodies of all answers {_OF_THE_RUN}.", ingest.bytes
    )
    yield _gauge(
        "weather_run_calls",
        f"Calls to the source that brought answers {_OF_THE_RUN}.",
        ingest.calls,
    )
    yield _gauges(
        "weather_run_retries",
        f"Tries beyond a call's first {_OF_THE_RUN}.",
        "reason",
        ingest.retries,
    )


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=value)


def _gauges(name: str, text: str, label: str, values: Mapping[str, float]) -> Metric:
    gauge = GaugeMetricFamily(name, text, labels=(label,))
    for value_of_label, value in values.items():
        gauge.add_metric([value_of_label], value)
    return gauge
