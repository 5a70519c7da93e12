"""What the API tells Prometheus."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from api.data.mart import Mart
from api.data.view import View
from api.observability.run_metrics import run_metrics
from weather.window import HOUR


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
