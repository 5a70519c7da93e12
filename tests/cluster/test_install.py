"""All services are ready, and the namespaces reject pods that are not `restricted`."""

import pytest
from kubernetes import client
from kubernetes.client.exceptions import ApiException

from tests.cluster.namespaces import AIRFLOW, WEATHER
from tests.cluster.system import System

SERVICES = {
    WEATHER: {"weather-api", "weather-store", "weather-postgres", "weather-replay"},
    AIRFLOW: {
        "airflow-api-server",
        "airflow-scheduler",
        "airflow-dag-processor",
        "airflow-triggerer",
        "airflow-statsd",
    },
}


@pytest.mark.parametrize("namespace", [WEATHER, AIRFLOW])
def test_all_services_are_ready(system: System, namespace: str) -> None:
    sets = [
        *system.cluster.apps.list_namespaced_deployment(namespace).items,
        *system.cluster.apps.list_namespaced_stateful_set(namespace).items,
    ]
    ready = {each.metadata.name: each.status.ready_replicas for each in sets}
    assert ready == {each.metadata.name: each.spec.replicas for each in sets}
    assert set(ready) == SERVICES[namespace]
    if namespace == WEATHER:
        assert ready["weather-api"] == 2


@pytest.mark.parametrize("namespace", [WEATHER, AIRFLOW])
def test_an_unrestricted_pod_is_rejected(system: System, namespace: str) -> None:
    labels = system.cluster.core.read_namespace(namespace).metadata.labels
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    container = client.V1Container(name="any", image="any:1")
    pod = client.V1Pod(
        metadata=client.V1ObjectMeta(name="any"), spec=client.V1PodSpec(containers=[container])
    )
    with pytest.raises(ApiException, match=r"violates PodSecurity.*restricted"):
        system.cluster.core.create_namespaced_pod(namespace, pod, dry_run="All")
