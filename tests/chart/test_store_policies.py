"""Each S3 user has only the rights that it needs."""

import json
from fnmatch import fnmatchcase
from typing import Any

import pytest

from tests.chart.conftest import Render
from tests.chart.helm import CHART, of_kind
from weather.published import MART_KEY, PUBLISHED_KEY, SOURCE_KEY

BUCKET = "arn:aws:s3:::weather"
LOGS = "arn:aws:s3:::airflow-logs"
TRY = "20261113T0500Z_20261120T0500Z/20261120T050711Z-9f3a61c2"
RAW = f"raw/{TRY}/shard-000-of-001-call-0000.json"
REJECTED = f"rejected/{TRY}/shard-000-of-001-call-0000-lyon.json"
TABLE = "transformed/main/stg_weather/ducklake-1.parquet"

Policy = dict[str, Any]


def policy(user: str) -> Policy:
    read: Policy = json.loads((CHART / "s3-policies" / f"{user}.json").read_text(encoding="utf-8"))
    return read


def allows(policy: Policy, action: str, resource: str, prefix: str | None = None) -> bool:
    """Return whether a statement allows the action on the resource, as S3 evaluates policies."""
    return any(
        statement["Effect"] == "Allow"
        and any(fnmatchcase(action, each) for each in statement["Action"])
        and any(fnmatchcase(resource, each) for each in statement["Resource"])
        and _holds(statement.get("Condition", {}), prefix)
        for statement in policy["Statement"]
    )


def _holds(condition: dict[str, Any], prefix: str | None) -> bool:
    if not condition:
        return True
    [(operator, keys)] = condition.items()
    [(key, patterns)] = keys.items()
    assert (operator, key) == ("StringLike", "s3:prefix")
    return prefix is not None and any(fnmatchcase(prefix, each) for each in patterns)


KEYS = (RAW, REJECTED, TABLE, MART_KEY, PUBLISHED_KEY, SOURCE_KEY, "elsewhere")
ACTIONS = ("s3:GetObject", "s3:PutObject", "s3:DeleteObject")

NEEDED = {
    "ingest": {
        ("s3:PutObject", RAW),
        ("s3:PutObject", REJECTED),
        ("s3:GetObject", SOURCE_KEY),
        ("s3:PutObject", SOURCE_KEY),
    },
    "dbt": {("s3:GetObject", RAW), ("s3:GetObject", SOURCE_KEY)}
    | {(action, key) for action in ACTIONS for key in (TABLE, MART_KEY, PUBLISHED_KEY)},
    "api": {("s3:GetObject", key) for key in (TABLE, MART_KEY, PUBLISHED_KEY)},
    "airflow": set(),
}


@pytest.mark.parametrize("user", NEEDED)
def test_users_have_only_the_needed_rights_on_objects(user: str) -> None:
    granted = {
        (action, key)
        for action in ACTIONS
        for key in KEYS
        if allows(policy(user), action, f"{BUCKET}/{key}")
    }
    assert granted == NEEDED[user]


@pytest.mark.parametrize(
    ("user", "prefixes"),
    [
        ("ingest", {SOURCE_KEY}),
        ("dbt", {"raw/20261113T0500Z_20261120T0500Z/", "transformed/", SOURCE_KEY}),
        ("api", {"transformed/"}),
        ("airflow", set()),
    ],
)
def test_users_list_only_the_needed_prefixes(user: str, prefixes: set[str]) -> None:
    tried = (
        None,
        "",
        "raw/20261113T0500Z_20261120T0500Z/",
        "transformed/",
        "rejected/",
        SOURCE_KEY,
    )
    granted = {prefix for prefix in tried if allows(policy(user), "s3:ListBucket", BUCKET, prefix)}
    assert granted == prefixes


def test_airflow_can_use_only_its_own_bucket() -> None:
    airflow = policy("airflow")
    granted = {action for action in ACTIONS if allows(airflow, action, f"{LOGS}/dag/task.log")}
    assert granted == {"s3:GetObject", "s3:PutObject"}
    assert allows(airflow, "s3:ListBucket", LOGS)
    assert not allows(airflow, "s3:ListBucket", BUCKET)
    others = {user for user in NEEDED if user != "airflow"}
    assert not any(allows(policy(user), "s3:GetObject", f"{LOGS}/x") for user in others)


def test_multipart_uploads_can_be_aborted() -> None:
    assert allows(policy("dbt"), "s3:AbortMultipartUpload", f"{BUCKET}/{TABLE}")


@pytest.mark.parametrize("user", NEEDED)
def test_no_wildcard_in_actions_and_buckets(user: str) -> None:
    for statement in policy(user)["Statement"]:
        assert statement.keys() <= {"Sid", "Effect", "Action", "Resource", "Condition"}
        assert not any("*" in action for action in statement["Action"])
        assert all(
            resource.startswith((BUCKET, LOGS)) and "*" not in resource.removesuffix("/*")
            for resource in statement["Resource"]
        )


def test_the_job_gets_these_policies_for_its_bucket(render: Render) -> None:
    for bucket, arguments in (("weather", ()), ("mine", ("--set=store.bucket=mine",))):
        data = of_kind(render({}, *arguments), "ConfigMap")["weather-store-policies"]["data"]
        for user in NEEDED:
            text = json.dumps(policy(user)).replace(BUCKET, f"arn:aws:s3:::{bucket}")
            assert json.loads(data[f"{user}.json"]) == json.loads(text)
