"""The API's objects: rollout, probes, spreading over nodes, autoscaler and ingress."""

from tests.chart.conftest import EVERYTHING, Render
from tests.chart.helm import of_kind
from tests.pod_rules import Manifest


def deployment(manifests: list[Manifest]) -> Manifest:
    spec: Manifest = of_kind(manifests, "Deployment")["weather-api"]["spec"]
    return spec


def test_a_rollout_keeps_all_replicas(render: Render) -> None:
    spec = deployment(render())
    assert spec["replicas"] == 2
    assert spec["strategy"] == {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1},
    }


def test_a_rollout_may_wait_an_hour_for_the_first_data(render: Render) -> None:
    """The default is 10 minutes, too short for an installation that pulls images."""
    assert deployment(render())["progressDeadlineSeconds"] == 3600


def test_unset_values_set_no_variable(render: Render) -> None:
    [container] = deployment(render())["template"]["spec"]["containers"]
    names = {each["name"] for each in container["env"]}
    assert names == {"WEATHER_SCHEDULE_HOURS", "WEATHER_FRESH_HOURS"}


def test_the_grace_period_covers_the_drain(render: Render) -> None:
    """`api.__main__` drains for 5 s, and then waits up to 20 s for open requests."""
    from api.__main__ import GRACEFUL_SHUTDOWN_SECONDS

    pod = deployment(render())["template"]["spec"]
    assert pod["terminationGracePeriodSeconds"] > 5 + GRACEFUL_SHUTDOWN_SECONDS


def test_probes_use_readyz_and_healthz(render: Render) -> None:
    [container] = deployment(render())["template"]["spec"]["containers"]
    probes = {
        kind: container[f"{kind}Probe"]["httpGet"]["path"]
        for kind in ("startup", "readiness", "liveness")
    }
    assert probes == {"startup": "/healthz", "readiness": "/readyz", "liveness": "/healthz"}


def test_pods_are_spread_over_nodes_and_evicted_one_by_one(render: Render) -> None:
    manifests = render()
    labels = deployment(manifests)["selector"]["matchLabels"]
    [constraint] = deployment(manifests)["template"]["spec"]["topologySpreadConstraints"]
    assert constraint == {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": labels},
    }
    budget = of_kind(manifests, "PodDisruptionBudget")["weather-api"]["spec"]
    assert budget["maxUnavailable"] == 1
    assert budget["selector"]["matchLabels"] == labels


def test_ingress_and_autoscaler_are_off_by_default(render: Render) -> None:
    manifests = render()
    assert of_kind(manifests, "Ingress") == {}
    assert of_kind(manifests, "HorizontalPodAutoscaler") == {}


def test_an_autoscaler_replaces_the_replica_count(render: Render) -> None:
    manifests = render(EVERYTHING)
    assert "replicas" not in deployment(manifests)
    scaler = of_kind(manifests, "HorizontalPodAutoscaler")["weather-api"]["spec"]
    assert (scaler["minReplicas"], scaler["maxReplicas"]) == (2, 6)
    assert scaler["scaleTargetRef"] == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "name": "weather-api",
    }


def test_an_ingress_routes_to_the_service(render: Render) -> None:
    manifests = render(EVERYTHING)
    ingress = of_kind(manifests, "Ingress")["weather-api"]
    assert ingress["metadata"]["annotations"] == {"cert-manager.io/cluster-issuer": "letsencrypt"}
    assert ingress["spec"]["ingressClassName"] == "nginx"
    assert ingress["spec"]["tls"] == [
        {"hosts": ["weather.example.org"], "secretName": "weather-tls"}
    ]
    [rule] = ingress["spec"]["rules"]
    [path] = rule["http"]["paths"]
    assert rule["host"] == "weather.example.org"
    assert path["backend"] == {"service": {"name": "weather-api", "port": {"name": "http"}}}


def test_an_ingress_may_have_a_wildcard_host(render: Render) -> None:
    named = {"enabled": True, "host": "*.example.org", "tlsSecretName": "weather-tls"}
    ingress = of_kind(render({"api": {"ingress": named}}), "Ingress")["weather-api"]["spec"]
    assert [rule["host"] for rule in ingress["rules"]] == ["*.example.org"]
    assert [each["hosts"] for each in ingress["tls"]] == [["*.example.org"]]


def test_only_a_changed_setting_rolls_the_api(render: Render) -> None:
    def template(*arguments: str) -> Manifest:
        made: Manifest = deployment(render({}, *arguments))["template"]
        return made

    assert template() == template()
    assert template("--set=store.region=eu-west-3") != template()
    assert template("--set=api.replicas=3") == template()
