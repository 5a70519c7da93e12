"""A real MinIO, and the files that Kubernetes mounts for the set-up job."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from minio import Minio

from local.processes import LOOPBACK, Command, free_ports, running

ROOT_USER = "root-of-test"
ROOT_PASSWORD = "password-of-root"
START_SECONDS = 30

PROJECT = Path(__file__).resolve().parents[3]
"""Root folder of the imports, as in the job's image."""


def policy(*statements: tuple[str, str]) -> dict[str, Any]:
    """Return an S3 policy that allows each action on its resource."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": [action], "Resource": [f"arn:aws:s3:::{resource}"]}
            for action, resource in statements
        ],
    }


@dataclass
class Setup:
    """Environment and mounted files of the job's pod."""

    folder: Path
    environment: dict[str, str]

    def user(self, name: str, password: str, rights: dict[str, Any]) -> None:
        """Mount a user's Secret and policy as Kubernetes does, by links to a hidden folder."""
        mounted = self.folder / "users" / name
        (mounted / "..data").mkdir(parents=True, exist_ok=True)
        for key, text in {
            "AWS_ACCESS_KEY_ID": f"test-{name}",
            "AWS_SECRET_ACCESS_KEY": password,
        }.items():
            (mounted / "..data" / key).write_text(text)
            if not (mounted / key).is_symlink():
                (mounted / key).symlink_to(Path("..data") / key)
        policies = self.folder / "policies"
        (policies / "..data").mkdir(parents=True, exist_ok=True)
        (policies / f"{name}.json").write_text(json.dumps(rights))

    def run(self, **changes: str) -> subprocess.CompletedProcess[str]:
        """Run the job with these changes of its environment. Empty variables are unset."""
        environment = {**os.environ, "PYTHONPATH": str(PROJECT), **self.environment, **changes}
        return subprocess.run(
            [sys.executable, "-m", "weather.store_setup"],
            env={name: value for name, value in environment.items() if value},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def client(self, name: str, password: str) -> Minio:
        """Return an S3 client with a user's credentials."""
        return client(self.environment["AWS_ENDPOINT_URL"], f"test-{name}", password)


def client(endpoint: str, user: str, password: str) -> Minio:
    return Minio(
        endpoint.removeprefix("http://"),
        access_key=user,
        secret_key=password,
        secure=False,
        # Without a region, the client requests it, which no user is allowed to.
        region="us-east-1",
    )


@pytest.fixture(scope="session")
def minio_binary() -> str:
    """Path of MinIO's program."""
    binary = os.environ.get("MINIO_BINARY") or shutil.which("minio")
    if not binary:
        pytest.skip("minio not found: put it on PATH or set MINIO_BINARY")
    return binary


@pytest.fixture(scope="session")
def minio(minio_binary: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a real MinIO for all tests."""
    folder = tmp_path_factory.mktemp("minio")
    port, console = free_ports(2)
    arguments = [
        *(minio_binary, "server", str(folder / "data"), "--address", f"{LOOPBACK}:{port}"),
        *("--console-address", f"{LOOPBACK}:{console}"),
    ]
    environment = {
        **os.environ,
        "MINIO_ROOT_USER": ROOT_USER,
        "MINIO_ROOT_PASSWORD": ROOT_PASSWORD,
        "HOME": str(folder),
    }
    address = f"http://{LOOPBACK}:{port}"
    with running(Command("MinIO", arguments, environment, folder / "minio.log")) as service:
        service.wait_until(lambda: is_up(f"{address}/minio/health/live"), START_SECONDS)
        yield address


def is_up(address: str) -> bool:
    try:
        return httpx.get(address, trust_env=False).is_success
    except httpx.HTTPError:
        return False


@pytest.fixture
def setup(tmp_path: Path) -> Setup:
    """A set-up job with two users and an unreachable store."""
    made = Setup(
        tmp_path,
        {
            "AWS_ENDPOINT_URL": f"http://{LOOPBACK}:{free_ports(1)[0]}",
            "MINIO_ROOT_USER": ROOT_USER,
            "MINIO_ROOT_PASSWORD": ROOT_PASSWORD,
            "STORE_BUCKETS": "weather,airflow-logs",
            "STORE_POLICIES": str(tmp_path / "policies"),
            "STORE_USERS": str(tmp_path / "users"),
            "STORE_PATIENCE_SECONDS": "1",
        },
    )
    made.user("writer", "password-1", policy(("s3:PutObject", "weather/raw/*")))
    made.user("reader", "password-2", policy(("s3:GetObject", "weather/*")))
    return made


@pytest.fixture
def store(setup: Setup, minio: str) -> Setup:
    """A set-up job with two users and the real store."""
    setup.environment["AWS_ENDPOINT_URL"] = minio
    return setup
