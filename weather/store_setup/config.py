"""Read the buckets and users to create from the environment and the mounted folders."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from weather.errors import ExitCode, StepError


@dataclass(frozen=True)
class Credentials:
    """An S3 user's name and password."""

    access_key: str
    secret_key: str = field(repr=False)


@dataclass(frozen=True)
class User:
    """A user's name, its credentials and its S3 policy."""

    name: str
    credentials: Credentials
    policy: dict[str, Any]


@dataclass(frozen=True)
class Config:
    """MinIO's address, and everything to create in MinIO."""

    endpoint: str
    root: Credentials
    buckets: list[str]
    kept_days: dict[str, int]
    """Days after which objects are deleted, by bucket. Other buckets keep their objects."""
    users: list[User]
    wait_seconds: float


def read_config(environment: Mapping[str, str]) -> Config:
    """Read and validate the whole configuration before the first request.

    Raises:
        StepError: SETTING; a variable or a file is missing or malformed.
    """
    buckets = [name.strip() for name in _required(environment, "STORE_BUCKETS").split(",")]
    return Config(
        endpoint=_required(environment, "AWS_ENDPOINT_URL"),
        root=Credentials(
            _required(environment, "MINIO_ROOT_USER"),
            _required(environment, "MINIO_ROOT_PASSWORD"),
        ),
        buckets=buckets,
        kept_days=_kept_days(environment.get("STORE_KEPT_DAYS") or "", buckets),
        users=_users(
            Path(environment.get("STORE_POLICIES") or "/policies"),
            Path(environment.get("STORE_USERS") or "/users"),
        ),
        wait_seconds=_seconds(environment.get("STORE_PATIENCE_SECONDS") or "60"),
    )


def _required(environment: Mapping[str, str], name: str) -> str:
    return environment.get(name) or _wrong(f"{name} is missing. Set it in the job's environment")


def _kept_days(text: str, buckets: list[str]) -> dict[str, int]:
    kept = {}
    for part in filter(None, text.split(",")):
        bucket, _, days = part.strip().partition("=")
        if bucket not in buckets or not days.isdecimal() or int(days) == 0:
            _wrong(
                f"STORE_KEPT_DAYS: '{part}' is not <bucket>=<days> with a bucket of "
                "STORE_BUCKETS. Write it as logs=90"
            )
        kept[bucket] = int(days)
    return kept


def _seconds(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        _wrong(f"STORE_PATIENCE_SECONDS: '{text}' is not a number. Set it to seconds, such as 60")


def _users(policies: Path, users: Path) -> list[User]:
    # Kubernetes mounts files as links to hidden folders, whose names begin with a dot.
    with_policy = {path.stem: path for path in _entries(policies, "STORE_POLICIES", "*.json")}
    with_secret = {path.name: path for path in _entries(users, "STORE_USERS", "*")}
    for name in with_policy.keys() ^ with_secret.keys():
        missing = users / name if name in with_policy else policies / f"{name}.json"
        _wrong(f"User '{name}' has no {missing}. Mount both a policy and a Secret for each user")
    return [
        User(
            name,
            Credentials(
                _text(with_secret[name] / "AWS_ACCESS_KEY_ID"),
                _text(with_secret[name] / "AWS_SECRET_ACCESS_KEY"),
            ),
            _policy(with_policy[name]),
        )
        for name in sorted(with_policy)
    ]


def _entries(folder: Path, variable: str, pattern: str) -> list[Path]:
    found = [path for path in folder.glob(pattern) if not path.name.startswith(".")]
    return found or _wrong(f"{variable}: {folder} has no {pattern}. Mount the users' files")


def _text(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8").rstrip("\n")
    except (OSError, UnicodeDecodeError) as error:
        _wrong(f"{path} cannot be read: {error}. Mount a Secret with this key")
    return text or _wrong(f"{path} is empty. Mount a Secret with this key")


def _policy(path: Path) -> dict[str, Any]:
    try:
        policy = json.loads(_text(path))
    except ValueError as error:
        _wrong(f"{path} is not JSON: {error}. Write an S3 policy")
    if not isinstance(policy, dict):
        _wrong(f"{path} is not a JSON object. Write an S3 policy")
    return policy


def _wrong(problem: str) -> NoReturn:
    raise StepError(f"{problem}.", ExitCode.SETTING)
