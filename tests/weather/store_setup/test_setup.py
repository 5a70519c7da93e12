"""Run the set-up job on a real MinIO, also repeatedly."""

import io
import json
import subprocess
from uuid import uuid4

import pytest
from minio import Minio, MinioAdmin
from minio.credentials.providers import StaticProvider
from minio.error import S3Error

from local.processes import LOOPBACK, free_port
from tests.orphans import mark
from tests.weather.store_setup.conftest import ROOT_PASSWORD, ROOT_USER, Setup, client, policy

pytestmark = pytest.mark.slow


def put(store: Minio, key: str, bucket: str = "weather") -> None:
    store.put_object(bucket, key, io.BytesIO(b"rain"), 4)


def get(store: Minio, key: str) -> bytes:
    return store.get_object("weather", key).data


def error_code(action: object, *arguments: object) -> str | None:
    with pytest.raises(S3Error) as error:
        action(*arguments)  # type: ignore[operator]
    return error.value.code


def test_users_have_only_the_rights_of_their_policies(store: Setup) -> None:
    ended = store.run()
    assert (ended.returncode, ended.stderr) == (0, "")
    writer, reader = store.client("writer", "password-1"), store.client("reader", "password-2")
    put(writer, "raw/hour.json")
    assert get(reader, "raw/hour.json") == b"rain"
    assert error_code(put, writer, "transformed/hour.json") == "AccessDenied"
    assert error_code(put, writer, "raw/hour.json", "airflow-logs") == "AccessDenied"
    assert error_code(get, writer, "raw/hour.json") == "AccessDenied"
    assert error_code(put, reader, "raw/hour.json") == "AccessDenied"


def test_the_output_is_one_line_without_passwords(store: Setup) -> None:
    bucket = f"new-{uuid4().hex}"
    ended = store.run(STORE_BUCKETS=f"{bucket}, weather")
    made = json.loads(ended.stdout)
    assert bucket in made["new_buckets"]
    assert made["users"] == {"test-reader": "weather-reader", "test-writer": "weather-writer"}
    assert ended.stdout.count("\n") == 1
    assert "password" not in ended.stdout


def test_the_last_expiry_replaces_earlier_ones(store: Setup) -> None:
    root = client(store.environment["AWS_ENDPOINT_URL"], ROOT_USER, ROOT_PASSWORD)
    for days in (90, 30):
        ended = store.run(STORE_KEPT_DAYS=f"airflow-logs={days}")
        assert json.loads(ended.stdout)["kept_days"] == {"airflow-logs": days}
        lifecycle = root.get_bucket_lifecycle("airflow-logs")
        assert lifecycle
        assert [rule.expiration.days for rule in lifecycle.rules if rule.expiration] == [days]
    assert root.get_bucket_lifecycle("weather") is None


def test_a_repeated_run_changes_nothing(store: Setup) -> None:
    assert store.run().returncode == 0
    put(store.client("writer", "password-1"), "raw/again.json")
    ended = store.run()
    assert ended.returncode == 0
    assert json.loads(ended.stdout)["new_buckets"] == []
    assert get(store.client("reader", "password-2"), "raw/again.json") == b"rain"


def test_a_repeated_run_replaces_password_and_policy(store: Setup) -> None:
    assert store.run().returncode == 0
    store.user("writer", "password-3", policy(("s3:PutObject", "weather/rejected/*")))
    assert store.run().returncode == 0
    writer = store.client("writer", "password-3")
    put(writer, "rejected/hour.json")
    assert error_code(put, writer, "raw/hour.json") == "AccessDenied"
    old = store.client("writer", "password-1")
    assert error_code(put, old, "rejected/hour.json") == "SignatureDoesNotMatch"


def test_a_policy_attached_by_hand_is_removed(store: Setup) -> None:
    assert store.run().returncode == 0
    admin = MinioAdmin(
        endpoint=store.environment["AWS_ENDPOINT_URL"].removeprefix("http://"),
        credentials=StaticProvider(ROOT_USER, ROOT_PASSWORD),
        secure=False,
    )
    admin.policy_set("readwrite", user="test-reader")
    reader = store.client("reader", "password-2")
    put(reader, "raw/by-hand.json")
    assert store.run().returncode == 0
    assert error_code(put, reader, "raw/by-hand.json") == "AccessDenied"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"MINIO_ROOT_PASSWORD": "another-password"}, "root user: SignatureDoesNotMatch"),
        ({"STORE_BUCKETS": "No_Bucket"}, "STORE_BUCKETS: 'No_Bucket'"),
    ],
)
def test_a_rejected_request_is_not_retried(
    store: Setup, changes: dict[str, str], message: str
) -> None:
    ended = store.run(**changes, STORE_PATIENCE_SECONDS="60")
    assert ended.returncode == 64
    assert message in ended.stderr
    assert ended.stderr.count("\n") == 1
    assert ended.stdout == ""
    assert "another-password" not in ended.stderr


def test_an_invalid_policy_is_reported(store: Setup) -> None:
    store.user("writer", "password-1", {"Version": "2012-10-17", "Statement": [{"Effect": "No"}]})
    ended = store.run()
    assert ended.returncode == 64
    assert "policy 'weather-writer'" in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_a_too_short_password_is_reported_with_the_user(store: Setup) -> None:
    store.user("writer", "short", policy(("s3:PutObject", "weather/raw/*")))
    ended = store.run()
    assert ended.returncode == 64
    assert "user 'test-writer'" in ended.stderr
    assert "short" not in ended.stderr.replace("too short", "")


def test_setup_waits_for_the_store(setup: Setup, minio_binary: str) -> None:
    address = f"{LOOPBACK}:{free_port()}"
    data = str(setup.folder / "data")
    addresses = ["--address", address, "--console-address", f"{LOOPBACK}:{free_port()}"]
    begun = subprocess.Popen(
        ["sh", "-c", 'sleep 2; exec "$0" server "$@"', minio_binary, data, *addresses],
        env={
            "MINIO_ROOT_USER": ROOT_USER,
            "MINIO_ROOT_PASSWORD": ROOT_PASSWORD,
            "PATH": "/bin",
            **mark(),
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        ended = setup.run(AWS_ENDPOINT_URL=f"http://{address}", STORE_PATIENCE_SECONDS="30")
    finally:
        begun.terminate()
        begun.wait(timeout=20)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert json.loads(ended.stdout)["new_buckets"] == ["weather", "airflow-logs"]
