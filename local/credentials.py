"""Passwords of the one-machine services, made once and readable by their owner only."""

import base64
import json
import os
import secrets
import threading
from dataclasses import asdict, dataclass, field
from pathlib import Path

from weather.errors import ExitCode, StepError


@dataclass(frozen=True)
class S3Keys:
    """The two keys of a user of an S3 store."""

    access_key_id: str
    secret_access_key: str = field(repr=False)


@dataclass(frozen=True, repr=False)
class Credentials:
    """What the store and Airflow ask for."""

    s3: S3Keys
    airflow_password: str
    airflow_fernet_key: str
    airflow_secret_key: str
    airflow_jwt_secret: str


def make_s3_keys() -> S3Keys:
    """Random keys, in the form that S3 keys have."""
    return S3Keys(secrets.token_hex(10).upper(), secrets.token_urlsafe(30))


def make_credentials() -> Credentials:
    """Random credentials; none is a default that somebody else could know."""
    return Credentials(
        s3=make_s3_keys(),
        airflow_password=secrets.token_urlsafe(12),
        airflow_fernet_key=base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        airflow_secret_key=secrets.token_urlsafe(32),
        airflow_jwt_secret=secrets.token_urlsafe(64),
    )


def load_credentials(path: Path) -> Credentials:
    """The credentials kept in `path`, made there on the first call."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_private(draft := path.with_suffix(f".{os.getpid()}"), asdict(make_credentials()))
        try:
            # A link and not a rename: of two commands that start at once, the first one's stay.
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    try:
        content = json.loads(path.read_text())
        return Credentials(**{**content, "s3": S3Keys(**content["s3"])})
    except (ValueError, TypeError, KeyError):
        raise StepError(
            f"{path} is damaged; remove it and try again, and new passwords are made",
            ExitCode.SETTING,
        ) from None


def write_private(path: Path, content: object) -> None:
    """Write `content` as JSON into a file that only its owner can read, whole or not at all."""
    draft = path.with_name(f"{path.name}.{os.getpid()}-{threading.get_ident()}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(content, file, indent=2)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
