"""A pod's credentials allow only the accesses of its step or of the API."""

import json
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from tests.cluster.conftest import WatchedRun
from tests.cluster.forward import forwarded
from tests.cluster.installation import installed_image
from tests.cluster.namespaces import WEATHER
from tests.cluster.short_pod import short_pod
from tests.cluster.system import System
from weather.published import MART_KEY

PROGRAM = Path(__file__).with_name("access_client.py").read_text(encoding="utf-8")
TRACE = "written-by-a-test-of-rights"
A_RAW_OBJECT = "(an object below raw/)"

ALLOWED = "allowed"
DENIED = "AccessDenied"
DENIED_BY_POSTGRES = "permission denied"

Tries = dict[tuple[str, str], str]

INGEST: Tries = {
    ("put", f"raw/{TRACE}"): ALLOWED,
    ("put", f"rejected/{TRACE}"): ALLOWED,
    ("get", MART_KEY): DENIED,
    ("list", "transformed/"): DENIED,
    ("put", f"transformed/{TRACE}"): DENIED,
    ("delete", f"raw/{TRACE}"): DENIED,
    ("delete", MART_KEY): DENIED,
}
DBT: Tries = {
    ("list", "raw/"): ALLOWED,
    ("get", A_RAW_OBJECT): ALLOWED,
    ("put", f"raw/{TRACE}"): DENIED,
    ("delete", A_RAW_OBJECT): DENIED,
    ("put", f"rejected/{TRACE}"): DENIED,
    ("put", f"transformed/{TRACE}"): ALLOWED,
    ("get", f"transformed/{TRACE}"): ALLOWED,
    ("delete", f"transformed/{TRACE}"): ALLOWED,
}
API: Tries = {
    ("get", MART_KEY): ALLOWED,
    ("put", MART_KEY): DENIED,
    ("put", f"transformed/{TRACE}"): DENIED,
    ("put", f"raw/{TRACE}"): DENIED,
    ("put", TRACE): DENIED,
    ("delete", MART_KEY): DENIED,
    ("get", A_RAW_OBJECT): DENIED,
    ("list", "raw/"): DENIED,
    ("sql", "select count(*) from daily_weather_stats"): ALLOWED,
    ("sql", "create table intruder (i integer)"): DENIED_BY_POSTGRES,
    ("sql", "delete from daily_weather_stats"): DENIED_BY_POSTGRES,
}


@pytest.fixture(scope="module")
def a_raw_object(system: System, finished_run: WatchedRun) -> Iterator[str]:
    """Return the key of an object below raw/, and delete the tests' objects afterwards."""
    root = system.cluster.secret("weather-store-root")
    bucket = system.cluster.settings("weather-settings")["WEATHER_BUCKET"]
    with forwarded(WEATHER, "weather-store", 9000) as forward:
        store = boto3.client(
            "s3",
            endpoint_url=forward.url,
            aws_access_key_id=root["MINIO_ROOT_USER"],
            aws_secret_access_key=root["MINIO_ROOT_PASSWORD"],
            region_name="us-east-1",
        )
        [found] = store.list_objects_v2(Bucket=bucket, Prefix="raw/", MaxKeys=1)["Contents"]
        yield found["Key"]
        for prefix in ("raw/", "rejected/", "transformed/", ""):
            store.delete_object(Bucket=bucket, Key=f"{prefix}{TRACE}")


@pytest.mark.parametrize(
    ("image", "secrets", "step", "expected"),
    [
        ("ingest", ["weather-store-ingest"], "ingest", INGEST),
        ("dbt", ["weather-store-dbt", "weather-lake-dbt"], "dbt", DBT),
        ("dbt", ["weather-store-api", "weather-lake-api"], "dbt", API),
    ],
    ids=["ingest", "dbt", "api"],
)
def test_credentials_allow_only_the_needed_actions(
    system: System,
    a_raw_object: str,
    image: str,
    secrets: list[str],
    step: str,
    expected: Tries,
) -> None:
    tries = [
        (action, a_raw_object if target is A_RAW_OBJECT else target) for action, target in expected
    ]
    with short_pod(
        system.cluster,
        WEATHER,
        image=installed_image(system.cluster, image),
        command=["python", "-c", PROGRAM, json.dumps(tries)],
        labels={"app.kubernetes.io/part-of": "weather-pipeline", "weather/step": step},
        settings=["weather-settings"],
        secrets=secrets,
    ) as pod:
        outcomes = json.loads(pod.output().splitlines()[-1])
    assert dict(zip(expected, outcomes, strict=True)) == expected
