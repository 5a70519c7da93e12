"""The schema rejects wrong values, and errors name the wrong value."""

import json
from typing import Any

import pytest
import yaml

from tests.chart.conftest import Render
from tests.chart.helm import CHART, Helm, RenderError

SCHEMA = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
DEFAULTS = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))

REJECTED: list[tuple[str, tuple[str, ...]]] = [
    ("--set-string=image.tag=", ("image.tag is ''", "--set-string")),
    ("--set-string=image.tag=latest", ("image.tag is 'latest'", "fixed version")),
    ("--set-string=image.tag=a/b", ("/image/tag", "does not match")),
    ("--set=image.prefix=Registry/", ("/image/prefix", "does not match")),
    ("--set=image.pullPolicy=Sometimes", ("/image/pullPolicy", "Always")),
    ("--set=minio.image=minio:latest", ("minio.image is 'minio:latest'", "fixed version")),
    ("--set=minio.image=minio", ("/minio/image", "does not match")),
    ("--set=postgres.image=postgres:latest", ("postgres.image is 'postgres:latest'",)),
    ("--set=postgres.storage.size=big", ("/postgres/storage/size", "does not match")),
    ("--set=minio.storage.size=0.5", ("/minio/storage/size", "does not match")),
    ("--set=minio.password=secret", ("/minio", "'password' not allowed")),
    ("--set=store.password=secret", ("/store", "'password' not allowed")),
    ("--set=store.bucket=My_Weather", ("/store/bucket", "does not match")),
    ("--set=store.bucket=airflow-logs", ("/store/bucket", "'not' failed")),
    ("--set=store.endpointUrl=s3.example.org", ("/store/endpointUrl", "does not match")),
    ("--set=store.endpointUrl=https://me:word@s3.example.org", ("/store/endpointUrl", "match")),
    ("--set=source.url=ftp://example.org", ("/source/url", "does not match")),
    ("--set=lookbackHours=0", ("/lookbackHours", "got 0, want 1")),
    ("--set=lookbackHours=2161", ("/lookbackHours", "2,161, want 2,160")),
    ("--set=schedule.everyHours=5", ("/schedule/everyHours", "one of 1, 2, 3, 4, 6, 8, 12, 24")),
    ("--set=schedule.everyHours=0", ("/schedule/everyHours", "one of")),
    ("--set=schedule.upkeepHour=24", ("/schedule/upkeepHour", "got 24, want 23")),
    ("--set=schedule.freshHours=1", ("/schedule/freshHours", "got 1, want 2")),
    ("--set=schedule.freshHours=169", ("/schedule/freshHours", "got 169, want 168")),
    ("--set=schedule.hours=3", ("/schedule", "'hours' not allowed")),
    (
        "--set=schedule.everyHours=8,schedule.upkeepHour=3",
        ("schedule.upkeepHour is 3", "schedule.everyHours is 8", "one of 0, 8, 16, or to null"),
    ),
    (
        "--set=schedule.everyHours=3,schedule.freshHours=3",
        ("schedule.freshHours is 3", "schedule.everyHours is 3", "set freshHours to 4 or more"),
    ),
    (
        "--set=schedule.everyHours=24,lookbackHours=23",
        ("lookbackHours is 23", "schedule.everyHours is 24", "set lookbackHours to 24 or more"),
    ),
    ("--set=api.replicas=0", ("/api/replicas", "got 0, want 1")),
    ("--set=api.replicas=two", ("/api/replicas", "got string, want integer")),
    ('--set-json=api.corsOrigins=["example.org"]', ("/api/corsOrigins", "does not match")),
    ('--set-json=api.corsOrigins=["*", "http://a"]', ("/api/corsOrigins", "does not match")),
    ("--set=api.readyMb=65537", ("/api/readyMb", "65,537, want 65,536")),
    ("--set=api.resources.limits.cpu=lots", ("/api/resources/limits/cpu", "does not match")),
    ("--set=api.resources.limits.memory=512", ("/api/resources/limits/memory", "want string")),
    (
        "--set-json=api.resources.limits.ephemeral-storage=5",
        ("/api/resources/limits/ephemeral-storage", "want string"),
    ),
    (
        "--set=limitRange.max.ephemeral-storage=null",
        ("/limitRange/max", "missing property 'ephemeral-storage'"),
    ),
    ("--set=api.resources.limits=null", ("/api/resources", "missing property 'limits'")),
    ("--set=api.ingress.enabled=true", ("/api/ingress/host", "does not match")),
    (
        '--set-json=api.autoscaling={"enabled": true, "minReplicas": 7}',
        ("api.autoscaling.minReplicas is 7, more than maxReplicas (6)",),
    ),
    ("--set=airflow.namespace=Air_Flow", ("/airflow/namespace", "does not match")),
    ("--set-json=airflow.serviceAccounts=[]", ("/airflow/serviceAccounts", "got 0, want 1")),
    ("--set=airflow.logsKeptDays=0", ("/airflow/logsKeptDays", "got 0, want 1")),
    ("--set-json=networkPolicies.store=[]", ("/networkPolicies/store", "got 0, want 1")),
    ('--set-json=networkPolicies.store=[{"cidr": "10.0.0.0/8"}]', ("'cidr' not allowed",)),
    ("--set=networkPolicies.postgresPort=65536", ("/networkPolicies/postgresPort", "65,535")),
    ('--set-json=quota.hard.pods="many"', ("/quota/hard/pods", "does not match")),
    ("--set=limitRange.max.cpu=null", ("/limitRange/max", "missing property 'cpu'")),
    ("--set=monitoring.namespace=Watch", ("/monitoring/namespace", "does not match")),
    ("--set=monitoring.serviceMonitors.interval=often", ("/serviceMonitors/interval", "match")),
    ("--set=monitoring.rules.runbooks=docs", ("/monitoring/rules/runbooks", "does not match")),
    ("--set=monitoring.dashboards.label=", ("/monitoring/dashboards/label", "does not match")),
    ("--set=monitoring.alerts=true", ("/monitoring", "'alerts' not allowed")),
    ("--set=replicas=3", ("'replicas' not allowed",)),
]


@pytest.mark.parametrize(("argument", "words"), REJECTED, ids=[each for each, _ in REJECTED])
def test_an_invalid_value_is_rejected_with_its_place(
    render: Render, argument: str, words: tuple[str, ...]
) -> None:
    with pytest.raises(RenderError) as error:
        render({}, argument)
    for word in words:
        assert word in str(error.value)


def test_a_tag_is_required(helm: Helm) -> None:
    with pytest.raises(RenderError, match=r"image\.tag is ''"):
        helm.rendered(CHART, "weather", "weather")


def test_a_tag_read_as_a_number_is_rejected(helm: Helm) -> None:
    with pytest.raises(RenderError, match="/image/tag': got number, want string"):
        helm.rendered(CHART, "weather", "weather", values={"image": {"tag": 123456789012}})


ACCEPTED = [
    "--set-string=image.tag=v1.2.3-rc.1",
    "--set=image.prefix=registry.example.org:5000/team/weather-",
    "--set=image.prefix=",
    f"--set=postgres.image=registry.example.org:5000/postgres@sha256:{'0' * 64}",
    "--set=store.endpointUrl=http://s3.example.org:9000",
    "--set-json=api.resources.limits.cpu=1.5",
    "--set-string=api.resources.limits.cpu=1.5",
    "--set=minio.storage.size=1.5Ti",
    '--set-json=image.pullSecrets=["registry"]',
    '--set-json=api.corsOrigins=["*"]',
    "--set=schedule.everyHours=24,lookbackHours=24",
    "--set=schedule.everyHours=8,schedule.upkeepHour=0",
    "--set=schedule.everyHours=3,schedule.freshHours=4",
]


@pytest.mark.parametrize("argument", ACCEPTED)
def test_a_valid_value_is_accepted(render: Render, argument: str) -> None:
    assert render({}, argument)


def test_the_schema_describes_exactly_the_values() -> None:
    """Helm adds `global` to the values of every chart."""
    assert _names(SCHEMA, SCHEMA["definitions"]) - {"global"} == _keys(DEFAULTS)


def _names(schema: dict[str, Any], definitions: dict[str, Any]) -> set[str]:
    """Return the dotted names of the schema's values, without keys that users choose."""
    if reference := schema.get("$ref"):
        schema = definitions[reference.rpartition("/")[2]]
    names = set()
    for name, each in schema.get("properties", {}).items():
        below = _names(each, definitions)
        names |= {f"{name}.{rest}" for rest in below} or {name}
    return names


def _keys(values: Any) -> set[str]:
    free = {"hard", "annotations"}
    if not isinstance(values, dict):
        return set()
    return {
        key
        for name, each in values.items()
        for key in ({f"{name}.{rest}" for rest in _keys(each)} if name not in free else set())
        or {name}
    }


def test_schema_objects_reject_unknown_keys() -> None:
    free = {
        "global",
        "hard",
        "annotations",
        "labels",
        "ipBlock",
        "namespaceSelector",
        "podSelector",
    }

    def open_ones(name: str, schema: Any) -> set[str]:
        if not isinstance(schema, dict):
            return set()
        here = {name} if schema.get("type") == "object" else set()
        here = set() if schema.get("additionalProperties") is False or name in free else here
        return here.union(*(open_ones(key, each) for key, each in schema.items()))

    assert open_ones("", SCHEMA) == set()
