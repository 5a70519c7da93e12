"""The chart's statsd exporter maps Airflow's metrics to names with labels."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from airflow._shared.observability.metrics import stats
from airflow._shared.observability.metrics.base_stats_logger import NoStatsLogger
from airflow._shared.observability.metrics.statsd_logger import get_statsd_logger
from prometheus_client.parser import text_string_to_metric_families

from tests.monitoring.sources import PROJECT

VALUES = yaml.safe_load((PROJECT / "helm-values" / "airflow.yaml").read_text(encoding="utf-8"))
TASK = {"dag_id": "weather_pipeline", "task_id": "models.stg_weather"}
RUN = {"dag_id": "weather_pipeline", "run_type": "scheduled"}


@dataclass(frozen=True)
class Exporter:
    """A running exporter: its statsd port and its metrics URL."""

    port: int
    url: str

    def metrics(self) -> str:
        return httpx.get(f"{self.url}/metrics", trust_env=False).text


def free_port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@pytest.fixture
def exporter(tmp_path: Path) -> Iterator[Exporter]:
    program = os.environ.get("STATSD_EXPORTER") or shutil.which("statsd_exporter")
    if program is None:
        pytest.skip("statsd_exporter not found: put it on PATH or set STATSD_EXPORTER")
    mapping = tmp_path / "mappings.yml"
    mapping.write_text(yaml.safe_dump({"mappings": VALUES["statsd"]["overrideMappings"]}))
    statsd_port, http_port = free_port(socket.SOCK_DGRAM), free_port(socket.SOCK_STREAM)
    process = subprocess.Popen(
        [
            program,
            f"--statsd.mapping-config={mapping}",
            f"--statsd.listen-udp=127.0.0.1:{statsd_port}",
            "--statsd.listen-tcp=",
            f"--web.listen-address=127.0.0.1:{http_port}",
            "--log.level=error",
        ]
    )
    running = Exporter(statsd_port, f"http://127.0.0.1:{http_port}")
    try:
        wait_for_metric(running, "statsd_exporter_build_info")
        yield running
    finally:
        process.terminate()
        process.wait(60)


def wait_for_metric(exporter: Exporter, words: str) -> str:
    deadline = time.monotonic() + 60
    metrics = ""
    while words not in metrics:
        assert time.monotonic() < deadline, metrics
        time.sleep(0.1)
        try:
            metrics = exporter.metrics()
        except httpx.TransportError:
            continue
    return metrics


class Client:
    """Fake of the package `statsd`, which only Airflow's image has."""

    def __init__(self, host: str, port: int, prefix: str, ipv6: bool) -> None:
        self.address = (host, port)
        self.prefix = prefix

    def incr(self, stat: str, count: int, rate: float) -> None:
        self._send(stat, f"{count}|c")

    def gauge(self, stat: str, value: float, rate: float, delta: bool) -> None:
        self._send(stat, f"{value}|g")

    def timing(self, stat: str, milliseconds: float) -> None:
        self._send(stat, f"{milliseconds:.6f}|ms")

    def _send(self, stat: str, value: str) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(f"{self.prefix}.{stat}:{value}".encode(), self.address)


@pytest.fixture
def airflow_sends(exporter: Exporter) -> Iterator[None]:
    """Make Airflow's own code send metrics to the exporter, by the chart's values."""
    settings = VALUES["config"]["metrics"]
    client: Any = get_statsd_logger(
        stats_class=Client,
        host="127.0.0.1",
        port=exporter.port,
        prefix="airflow",
        influxdb_tags_enabled=settings["statsd_influxdb_enabled"] == "True",
        statsd_influxdb_enabled=settings["statsd_influxdb_enabled"] == "True",
    )
    stats.initialize(
        factory=lambda: client, export_legacy_names=settings["legacy_names_on"] == "True"
    )
    yield
    stats.initialize(factory=NoStatsLogger, export_legacy_names=True)


def test_exported_names_and_labels_match_the_rules(exporter: Exporter, airflow_sends: None) -> None:
    stats.timing("task.scheduled_duration", 1500.0, tags={**TASK, "queue": "default"})
    stats.timing("task.queued_duration", 2500.0, tags={**TASK, "queue": "default"})
    stats.timing("task.duration", 4000.0, tags=TASK)
    stats.incr("ti.finish", tags={**TASK, "state": "up_for_retry"})
    stats.timing("dagrun.duration.success", 42000.0, tags=RUN)
    stats.timing("dagrun.duration.failed", 7000.0, tags=RUN)
    stats.gauge("executor.queued_tasks", 3, tags={"executor_class_name": "KubernetesExecutor"})
    metrics = wait_for_metric(exporter, "airflow_executor_queued_tasks")

    queue = {"queue": "default"}
    assert samples(metrics) == {
        *histogram("airflow_task_duration_seconds", 1.5, **TASK, **queue, phase="scheduled"),
        *histogram("airflow_task_duration_seconds", 2.5, **TASK, **queue, phase="queued"),
        *histogram("airflow_task_duration_seconds", 4, **TASK, phase="running"),
        *histogram("airflow_run_duration_seconds", 42, **RUN, state="success"),
        *histogram("airflow_run_duration_seconds", 7, **RUN, state="failed"),
        sample("airflow_task_ends_total", 1, **TASK, state="up_for_retry"),
        sample("airflow_executor_queued_tasks", 3, executor_class_name="KubernetesExecutor"),
    }


Sample = tuple[str, float, frozenset[tuple[str, str]]]


def sample(name: str, value: float, **labels: str) -> Sample:
    return name, value, frozenset(labels.items())


def histogram(name: str, seconds: float, **labels: str) -> list[Sample]:
    """Return the sum of a duration that was sent once."""
    return [sample(f"{name}_sum", seconds, **labels), sample(f"{name}_count", 1, **labels)]


def samples(metrics: str) -> set[Sample]:
    """Return Airflow's metrics without buckets."""
    return {
        sample(each.name, each.value, **each.labels)
        for family in text_string_to_metric_families(metrics)
        for each in family.samples
        if each.name.startswith("airflow_") and not each.name.endswith("_bucket")
    }
