"""The API's own objects: rolled without a gap, spread over nodes, reached as its user likes."""

from tests.chart.conftest import EVERYTHING, Render
from tests.chart.helm import of_kind
from tests.pod_rules import Manifest


def deployment(manifests: list[Manifest]) -> Manifest:
    spec: Manifest = of_kind(manifests, "Deployment")["weather-api"]["spec"]
    return spec


def test_it_is_rolled_without_a_pod_less(render: Render) -> None:
    spec = deployment(render())
    assert spec["replicas"] == 2
    assert spec["strategy"] == {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1},
    }


def test_it_may_wait_for_its_first_data_as_long_as_an_installation_takes(render: Render) -> None:
    """By default a rollout has failed after 10 minutes, of which images take some."""
    assert deployment(render())["progressDeadlineSeconds"] == 3600


def test_what_is_not_set_is_left_to_the_api(render: Render) -> None:
    [container] = deployment(render())["template"]["spec"]["containers"]
    names = {each["name"] for each in container["env"]}
    assert names == {"WEATHER_SCHEDULE_HOURS", "WEATHER_FRESH_HOURS"}


def test_it_has_time_to_drain(render: Render) -> None:
    """`api.__main__`: 5 s of draining, then 20 s for what is open."""
    from api.__main__ import GRACEFUL_SHUTDOWN_SECONDS

    pod = deployment(render())["template"]["spec"]
    assert pod["terminationGracePeriodSeconds"] > 5 + GRACEFUL_SHUTDOWN_SECONDS


def test_it_is_ready_only_with_data_and_alive_without(render: Render) -> None:
    [container] = deployment(render())["template"]["spec"]["containers"]
    probes = {
        kind: container[f"{kind}Probe"]["httpGet"]["path"]
        for kind in ("startup", "readiness", "liveness")
    }
    assert probes == {"startup": "/healthz", "readiness": "/readyz", "liveness": "/healthz"}


def test_its_pods_are_spread_over_nodes_and_leave_them_one_by_one(render: Render) -> None:
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


def test_neither_ingress_nor_autoscaler_is_there_unasked(render: Render) -> None:
    manifests = render()
    assert of_kind(manifests, "Ingress") == {}
    assert of_kind(manifests, "HorizontalPodAutoscaler") == {}


def test_an_autoscaler_alone_decides_how_many_pods_there_are(render: Render) -> None:
    manifests = render(EVERYTHING)
    assert "replicas" not in deployment(manifests)
    scaler = of_kind(manifests, "HorizontalPodAutoscaler")["weather-api"]["spec"]
    assert (scaler["minReplicas"], scaler["maxReplicas"]) == (2, 6)
    assert scaler["scaleTargetRef"] == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "name": "weather-api",
    }


def test_an_ingress_leads_to_the_service(render: Render) -> None:
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


def test_an_ingress_may_be_for_all_names_below_one(render: Render) -> None:
    named = {"enabled": True, "host": "*.example.org", "tlsSecretName": "weather-tls"}
    ingress = of_kind(render({"api": {"ingress": named}}), "Ingress")["weather-api"]["spec"]
    assert [rule["host"] for rule in ingress["rules"]] == ["*.example.org"]
    assert [each["hosts"] for each in ingress["tls"]] == [["*.example.org"]]


def test_a_changed_setting_rolls_the_api_and_an_unchanged_one_does_not(render: Render) -> None:
    def template(*arguments: str) -> Manifest:
        made: Manifest = deployment(render({}, *arguments))["template"]
        return made

    assert template() == template()
    assert template("--set=store.region=eu-west-3") != template()
    assert template("--set=api.replicas=3") == template()
