"""Which buckets and users are wanted, read from the environment and the mounted folders."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from weather.errors import ExitCode, StepError


@dataclass(frozen=True)
class Keys:
    """An S3 user's name, and its password."""

    access_key: str
    secret_key: str = field(repr=False)


@dataclass(frozen=True)
class User:
    """A user that is wanted, by the name of its files, and its S3 policy."""

    name: str
    keys: Keys
    policy: dict[str, Any]


@dataclass(frozen=True)
class Wanted:
    """All that there is to make, and where."""

    endpoint: str
    root: Keys
    buckets: list[str]
    kept_days: dict[str, int]
    """By bucket, after how many days its objects are deleted; elsewhere they never are."""
    users: list[User]
    patience_seconds: float


def read_wanted(environment: Mapping[str, str]) -> Wanted:
    """Read it all before anything is made.

    Raises:
        StepError: SETTING; a variable or a file is missing or malformed.
    """
    buckets = [name.strip() for name in _required(environment, "STORE_BUCKETS").split(",")]
    return Wanted(
        endpoint=_required(environment, "AWS_ENDPOINT_URL"),
        root=Keys(
            _required(environment, "MINIO_ROOT_USER"),
            _required(environment, "MINIO_ROOT_PASSWORD"),
        ),
        buckets=buckets,
        kept_days=_kept_days(environment.get("STORE_KEPT_DAYS") or "", buckets),
        users=_users(
            Path(environment.get("STORE_POLICIES") or "/policies"),
            Path(environment.get("STORE_USERS") or "/users"),
        ),
        patience_seconds=_seconds(environment.get("STORE_PATIENCE_SECONDS") or "60"),
    )


def _required(environment: Mapping[str, str], name: str) -> str:
    return environment.get(name) or _wrong(f"{name} is missing. Set it in the job's environment")


def _kept_days(text: str, buckets: list[str]) -> dict[str, int]:
    kept = {}
    for part in filter(None, text.split(",")):
        bucket, _, days = part.strip().partition("=")
        if bucket not in buckets or not days.isdecimal() or int(days) == 0:
            _wrong(
                f"STORE_KEPT_DAYS: '{part}' is no bucket of STORE_BUCKETS with its days. "
                "Give such as logs=90"
            )
        kept[bucket] = int(days)
    return kept


def _seconds(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        _wrong(f"STORE_PATIENCE_SECONDS: '{text}' is no number. Give seconds, such as 60")


def _users(policies: Path, users: Path) -> list[User]:
    # Kubernetes keeps what it mounts in folders of its own, whose names begin with dots.
    with_policy = {path.stem: path for path in _entries(policies, "STORE_POLICIES", "*.json")}
    with_keys = {path.name: path for path in _entries(users, "STORE_USERS", "*")}
    for name in with_policy.keys() ^ with_keys.keys():
        lacking = users / name if name in with_policy else policies / f"{name}.json"
        _wrong(f"User '{name}' has no {lacking}. Give each user both a policy and a Secret")
    return [
        User(
            name,
            Keys(
                _text(with_keys[name] / "AWS_ACCESS_KEY_ID"),
                _text(with_keys[name] / "AWS_SECRET_ACCESS_KEY"),
            ),
            _policy(with_policy[name]),
        )
        for name in sorted(with_policy)
    ]


def _entries(folder: Path, variable: str, pattern: str) -> list[Path]:
    found = [path for path in folder.glob(pattern) if not path.name.startswith(".")]
    return found or _wrong(f"{variable}: {folder} has no {pattern} in it. Mount the users' files")


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
        _wrong(f"{path} is no JSON: {error}. Write an S3 policy")
    if not isinstance(policy, dict):
        _wrong(f"{path} is no JSON object. Write an S3 policy")
    return policy


def _wrong(problem: str) -> NoReturn:
    raise StepError(f"{problem}.", ExitCode.SETTING)
