"""Time runs of the DAG on a cluster with an installation, from trigger to published, by phase."""

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from statistics import median_low
from typing import Any
from uuid import uuid4

from kubernetes.client.exceptions import ApiException
from kubernetes.config import ConfigException
from tabulate import tabulate
from urllib3.exceptions import HTTPError

from bench.cluster_phases import PHASES, StepTimes, TaskTimes, critical_path, phases_of_path
from bench.results import Result
from local.session import Progress
from tests.cluster.airflow import Airflow
from tests.cluster.connection import Cluster, connect, has_ended
from tests.cluster.forward import forwarded
from tests.cluster.installation import install_again
from tests.cluster.namespaces import AIRFLOW, WEATHER
from tests.cluster.pod_watch import PodWatch, Selection, of_task, running, watched_pods
from tests.cluster.waiting import wait_for
from weather.errors import ExitCode, StepError

MODES = {"model": "cluster_hour", "watcher": "cluster_hour_watcher"}
LAST = "publish"
SECONDS_TO_END = 300.0
SECONDS_TO_KNOW_THE_DAG = 120.0

Phases = dict[str, dict[str, float]]
"""Seconds by task and phase."""


def installed_cluster() -> Cluster | None:
    """Return the cluster if CLUSTER is set and everything is installed."""
    if not os.environ.get("CLUSTER"):
        return None
    try:
        cluster = connect()
        cluster.core.read_namespaced_secret("weather-airflow-login", AIRFLOW)
    except (ConfigException, ApiException, HTTPError):
        return None
    return cluster


def measure_cluster(progress: Progress, rounds: int) -> list[Result]:
    """Time several runs in both of dbt's modes. Report a skip without a cluster."""
    cluster = installed_cluster()
    if cluster is None:
        progress.done("skipped: runs on a cluster; CLUSTER=current measures an installation")
        return []
    results = []
    try:
        for mode, name in MODES.items():
            install_again(cluster, WEATHER_DBT_PODS=mode)
            progress.done(f"on the cluster: WEATHER_DBT_PODS={mode}")
            results += _results(name, _runs(cluster, mode, progress, rounds))
    finally:
        install_again(cluster)
    return results


def _runs(cluster: Cluster, mode: str, progress: Progress, rounds: int) -> list[Phases]:
    runs = []
    with forwarded(AIRFLOW, "airflow-api-server", 8080) as forward:
        airflow = Airflow(forward, cluster.secret("weather-airflow-login", AIRFLOW))
        _wait_for_mode(mode, airflow)
        for number in range(1, rounds + 1):
            runs.append(timed_run(cluster, airflow))
            progress.done(f"round {number} of {rounds}:\n{table_of_phases(runs[-1])}")
    return runs


def timed_run(cluster: Cluster, airflow: Airflow) -> Phases:
    """Trigger a run, wait for its end, and return its seconds by task and phase.

    Raises:
        StepError: the run failed.
    """
    run_id = f"bench-{uuid4().hex[:8]}"
    with watched_pods(cluster) as pods:
        triggered = time.time()
        airflow.trigger(run_id)
        state = airflow.await_end(run_id, SECONDS_TO_END, cluster.picture)
    if state != "success":
        raise StepError(f"run {run_id} is {state}; see its logs in Airflow", ExitCode.UNAVAILABLE)
    return phases_of_run(airflow, pods, run_id, triggered)


def phases_of_run(airflow: Airflow, pods: PodWatch, run_id: str, triggered: float) -> Phases:
    """Return the seconds of a successful run by task and phase.

    Args:
        airflow: has the times of the tasks.
        pods: events of all pods during the run.
        run_id: the run.
        triggered: seconds since the epoch.
    """
    times = {
        instance["task_id"]: found
        for instance in airflow.task_instances(run_id)
        if (found := _times(pods, run_id, instance))
    }
    if published := times[LAST].step:
        # Readers see the hour from here on; later seconds of the task do not count.
        times[LAST] = replace(times[LAST], ended=published.ended)
    return phases_of_path(critical_path(LAST, _upstream(airflow), times), times, triggered)


def _wait_for_mode(mode: str, airflow: Airflow) -> None:
    """Wait until Airflow has parsed the DAG with WEATHER_DBT_PODS=`mode`."""
    wait_for(
        f"Airflow knows the DAG with WEATHER_DBT_PODS={mode}",
        lambda: airflow.when_available(lambda: bool(_producers(airflow)) == (mode == "watcher")),
        SECONDS_TO_KNOW_THE_DAG,
        airflow.tasks,
    )


def _upstream(airflow: Airflow) -> dict[str, list[str]]:
    """Return the upstream tasks of each task."""
    tasks = airflow.tasks()
    upstream: dict[str, list[str]] = {task["task_id"]: [] for task in tasks}
    for task in tasks:
        for later in task["downstream_task_ids"]:
            upstream[later].append(task["task_id"])
    # In watcher mode one task builds all models, and the models' tasks wait for it.
    for producer in _producers(airflow):
        group = producer.rpartition(".")[0] + "."
        for watching in upstream.keys() - {producer}:
            upstream[watching] += [producer] if watching.startswith(group) else []
    return upstream


def _producers(airflow: Airflow) -> list[str]:
    """Return the task that builds all models, in watcher mode."""
    ids = [task["task_id"] for task in airflow.tasks()]
    return [task_id for task_id in ids if task_id.endswith(".dbt_producer_watcher")]


def _times(pods: PodWatch, run_id: str, instance: Mapping[str, Any]) -> TaskTimes | None:
    """Return the times of a task, or None for a task without a worker."""
    task_id = instance["task_id"]
    worker = of_task(AIRFLOW, run_id, task_id)
    created = pods.events(worker)
    if not created:
        return None
    return TaskTimes(
        worker_created=created[0].at,
        worker_running=pods.events(running(worker))[0].at,
        ended=datetime.fromisoformat(instance["end_date"]).timestamp(),
        step=_step_times(pods, of_task(WEATHER, run_id, task_id)),
    )


def _step_times(pods: PodWatch, step: Selection) -> StepTimes | None:
    created = pods.events(step)
    if not created:
        return None
    ended = pods.events(lambda each: step(each) and has_ended(each.pod))[0]
    seen_running = pods.events(running(step))
    if seen_running:
        return StepTimes(created[0].at, seen_running[0].at, ended.at)
    # A short pod can end before Kubernetes reports it running; the start has whole seconds.
    began = ended.pod.status.container_statuses[0].state.terminated.started_at.timestamp()
    return StepTimes(created[0].at, max(created[0].at, began), ended.at)


def table_of_phases(phases: Phases) -> str:
    """Return a table of the seconds by task and phase, with totals."""
    rows = [
        {
            "task": task,
            **{phase: round(seconds.get(phase, 0), 1) for phase in PHASES},
            "all": round(sum(seconds.values()), 1),
        }
        for task, seconds in [*phases.items(), ("all", _sums(phases))]
    ]
    return str(tabulate(rows, headers="keys", tablefmt="plain", floatfmt=".1f"))


def _sums(phases: Phases) -> dict[str, float]:
    return {phase: sum(task.get(phase, 0) for task in phases.values()) for phase in PHASES}


def _results(name: str, measured: Sequence[Phases]) -> list[Result]:
    """Return the median run, and its seconds by phase."""
    totals = [sum(sum(task.values()) for task in run.values()) for run in measured]
    of_median = measured[totals.index(median_low(totals))]
    return [
        Result(
            f"{name}_seconds",
            median_low(totals),
            "s",
            "a run, from trigger to published",
        ),
        *(
            Result(f"{name}_{phase.replace(' ', '_')}_seconds", seconds, "s", f"of which {phase}")
            for phase, seconds in _sums(of_median).items()
        ),
    ]
