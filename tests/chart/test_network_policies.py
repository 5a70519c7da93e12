"""NetworkPolicies allow only the listed connections."""

from collections.abc import Iterator
from itertools import product

import pytest

from tests.chart.conftest import EXTERNAL, Render
from tests.chart.helm import of_kind
from tests.chart.network import Place, is_allowed
from tests.pod_rules import Manifest

STEP = {"app.kubernetes.io/part-of": "weather-pipeline"}

PODS = {
    **{
        name: Place({"app.kubernetes.io/component": name})
        for name in ("api", "prepare", "store", "postgres", "replay")
    },
    "ingest": Place({**STEP, "weather/step": "ingest"}),
    "dbt": Place({**STEP, "weather/step": "dbt"}),
    "unknown": Place({"app": "unknown"}),
}
AIRFLOW = Place({"component": "scheduler"}, namespace="airflow")
STRANGER = Place({"app": "stranger"}, namespace="default")
NAMES = Place({"k8s-app": "kube-dns"}, namespace="kube-system")
NAMES_ON_THE_NODE = Place(address="169.254.20.10")
INTERNET = Place(address="203.0.113.7")
INTERNET_6 = Place(address="2001:db8::7")
PRIVATE = Place(address="10.1.2.3")
CLOUD_METADATA = Place(address="169.254.169.254")
DATABASES = Place(address="10.20.1.1")

EVERYONE = {
    **PODS,
    "airflow": AIRFLOW,
    "stranger": STRANGER,
    "internet": INTERNET,
    "private": PRIVATE,
    "metadata": CLOUD_METADATA,
}
PORTS = (22, 80, 443, 5432, 8000, 8080, 9000, 9001)

REPLAY: set[tuple[str, str, int]] = {
    ("api", "store", 9000),
    ("prepare", "store", 9000),
    ("ingest", "store", 9000),
    ("dbt", "store", 9000),
    ("airflow", "store", 9000),
    ("api", "postgres", 5432),
    ("prepare", "postgres", 5432),
    ("dbt", "postgres", 5432),
    ("airflow", "postgres", 5432),
    ("ingest", "replay", 8000),
    ("airflow", "api", 8000),
    ("stranger", "api", 8000),
    ("internet", "api", 8000),
    ("private", "api", 8000),
    ("metadata", "api", 8000),
}
"""Allowed connections with the replay as the source."""

OPEN_METEO = (REPLAY - {("ingest", "replay", 8000)}) | {("ingest", "internet", 443)}


def policies(manifests: list[Manifest]) -> list[Manifest]:
    return list(of_kind(manifests, "NetworkPolicy").values())


def allowed(manifests: list[Manifest]) -> set[tuple[str, str, int]]:
    """Return all allowed connections with at least one end in the namespace."""
    return set(_allowed(policies(manifests)))


def _allowed(named: list[Manifest]) -> Iterator[tuple[str, str, int]]:
    for (source, start), (target, end), port in product(EVERYONE.items(), EVERYONE.items(), PORTS):
        if (source in PODS or target in PODS) and is_allowed(named, start, end, port):
            yield source, target, port


def test_connections_with_the_replay(render: Render) -> None:
    assert allowed(render({"replay": {"enabled": True}})) == REPLAY


def test_connections_with_open_meteo(render: Render) -> None:
    assert allowed(render()) == OPEN_METEO


def test_without_policies_every_connection_is_allowed(render: Render) -> None:
    """Check that the computation depends on the policies."""
    manifests = render({"networkPolicies": {"enabled": False}})
    assert policies(manifests) == []
    ends = len(EVERYONE) ** 2 - len(EVERYONE.keys() - PODS.keys()) ** 2
    assert len(allowed(manifests)) == ends * len(PORTS)


@pytest.mark.parametrize("name", PODS)
def test_every_pod_can_use_only_dns_of_kube_system(render: Render, name: str) -> None:
    named = policies(render())
    for protocol in ("UDP", "TCP"):
        assert is_allowed(named, PODS[name], NAMES, 53, protocol)
        assert is_allowed(named, PODS[name], NAMES_ON_THE_NODE, 53, protocol)
        assert not is_allowed(named, PODS[name], INTERNET, 53, protocol)
    assert not is_allowed(named, PODS[name], NAMES, 443)


def test_ingest_reaches_the_internet_but_no_private_network(
    render: Render,
) -> None:
    named = policies(render())
    reached = [
        is_allowed(named, PODS["ingest"], Place(address=address), 443)
        for address in ("203.0.113.7", "2001:db8::7", "192.168.1.1", "172.20.0.1", "fd00::1")
    ]
    assert reached == [True, True, False, False, False]


def test_a_custom_source_is_reached_at_its_port(render: Render) -> None:
    source = {"url": "http://weather.example.org:8080", "archiveUrl": "http://old.example.org"}
    named = policies(render({"source": source}))
    reached = {port for port in PORTS if is_allowed(named, PODS["ingest"], INTERNET, port)}
    assert reached == {80, 8080}


def test_the_replay_may_replace_only_one_source_url(render: Render) -> None:
    source = {"archiveUrl": "https://old.example.org"}
    named = policies(render({"replay": {"enabled": True}, "source": source}))
    assert is_allowed(named, PODS["ingest"], PODS["replay"], 8000)
    assert is_allowed(named, PODS["ingest"], INTERNET, 443)


def test_external_stores_are_reached_only_by_their_users(render: Render) -> None:
    named = policies(render(EXTERNAL))
    who = (*PODS, "airflow")
    to_store = {name for name in PODS if is_allowed(named, PODS[name], INTERNET, 443)}
    to_postgres = {name for name in PODS if is_allowed(named, PODS[name], DATABASES, 5432)}
    assert to_store == {"api", "prepare", "dbt", "ingest"}
    assert to_postgres == {"api", "prepare", "dbt"}
    assert not any(is_allowed(named, EVERYONE[name], PODS["store"], 9000) for name in who[:-1])
    assert not is_allowed(named, PODS["dbt"], PRIVATE, 5432)


def test_an_external_store_is_reached_at_its_port(render: Render) -> None:
    outside = {
        "minio": {"enabled": False},
        "store": {"endpointUrl": "https://s3.example.org:9000"},
    }
    named = policies(render(outside))
    reached = {port for port in PORTS if is_allowed(named, PODS["dbt"], INTERNET, port)}
    assert reached == {9000}
