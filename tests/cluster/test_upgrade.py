"""Repeat `make cluster` on an installed system without a change."""

from tests.cluster.installation import install_again
from tests.cluster.namespaces import AIRFLOW, WEATHER
from tests.cluster.pod_watch import PodWatch, of_task, running
from tests.cluster.system import System

SECONDS_TO_REACH_A_STEP = 180


def test_an_upgrade_without_changes_restarts_nothing(system: System, pods: PodWatch) -> None:
    system.settle()
    before = services(system)
    run_id = system.trigger("upgrade")
    pods.await_event(
        "the first model runs",
        running(of_task(WEATHER, run_id, "models.stg_weather")),
        SECONDS_TO_REACH_A_STEP,
    )
    assert system.airflow.run(run_id)["state"] == "running"
    install_again(system.cluster)
    system.await_success(run_id)

    assert services(system) == before
    tries = {each["try_number"] for each in system.airflow.task_instances(run_id)}
    assert tries <= {0, 1}, system.airflow.picture(run_id)
    system.assert_nothing_lost_nothing_doubled()


def services(system: System) -> dict[str, object]:
    """Return state that a restart or rollout changes: uids, restarts and generations."""
    found: dict[str, object] = {}
    for namespace in (WEATHER, AIRFLOW):
        for pod in system.cluster.pods(namespace, "!run_id,!job-name"):
            restarts = [each.restart_count for each in pod.status.container_statuses]
            found[f"{namespace}/{pod.metadata.name}"] = (pod.metadata.uid, restarts)
        for each in (
            *system.cluster.apps.list_namespaced_deployment(namespace).items,
            *system.cluster.apps.list_namespaced_stateful_set(namespace).items,
        ):
            found[f"{namespace}/{each.metadata.name}"] = each.metadata.generation
    return found
