"""`python -m weather.store_setup`: create buckets, policies and users in MinIO."""

import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

from minio import Minio, MinioAdmin
from minio.commonconfig import ENABLED, Filter
from minio.credentials.providers import StaticProvider
from minio.error import MinioAdminException, MinioException, S3Error, ServerError
from minio.lifecycleconfig import Expiration, LifecycleConfig, Rule
from urllib3 import PoolManager, Timeout
from urllib3.exceptions import HTTPError

from weather.errors import ExitCode, StepError
from weather.store_setup.config import Config, Credentials, read_config

TIMEOUT_SECONDS = 10
SECONDS_BETWEEN_ATTEMPTS = 1

POLICY_PREFIX = "weather-"
"""Prefix that distinguishes this project's policies from MinIO's built-in policies."""


@dataclass(frozen=True)
class Result:
    """Result of the set-up: new buckets, expiry by bucket, and policy by user."""

    new_buckets: list[str]
    kept_days: dict[str, int]
    users: dict[str, str]
    """The policy of each S3 user."""


def main() -> int:
    """Set up the store, print the result as one line of JSON, and return the exit code."""
    try:
        config = read_config(os.environ)
        server = Server(config.endpoint, config.root)
        server.wait_until_ready(config.wait_seconds)
        print(json.dumps(asdict(set_up(config, server))), flush=True)
    except StepError as error:
        print(f"store_setup: {error}", file=sys.stderr)
        return error.exit_code
    return ExitCode.OK


def set_up(config: Config, server: "Server") -> Result:
    """Create buckets, policies and users.

    Raises:
        StepError: MinIO is unavailable or rejects a request; earlier changes stay.
    """
    new_buckets = [name for name in config.buckets if server.create_bucket(name)]
    for name, days in config.kept_days.items():
        server.set_expiry(name, days)
    users = {}
    for user in config.users:
        # A policy comes before its user, who would otherwise keep older rights for a moment.
        policy = f"{POLICY_PREFIX}{user.name}"
        server.put_policy(policy, user.policy)
        server.put_user(user.credentials, policy)
        users[user.credentials.access_key] = policy
    return Result(new_buckets, config.kept_days, users)


class Server:
    """Client of MinIO with the root user's rights, without retries: Kubernetes retries the job."""

    def __init__(self, endpoint: str, root: Credentials) -> None:
        """Create the clients without a request.

        Raises:
            StepError: SETTING; the endpoint is not a URL.
        """
        self.endpoint = endpoint
        address = urlsplit(endpoint)
        arguments: dict[str, Any] = {
            "endpoint": address.netloc,
            "credentials": StaticProvider(root.access_key, root.secret_key),
            "secure": address.scheme == "https",
            "http_client": PoolManager(timeout=Timeout(TIMEOUT_SECONDS), retries=False),
        }
        try:
            if address.scheme not in ("http", "https") or not address.hostname:
                raise ValueError("must be http:// or https:// and a host")
            self._s3 = Minio(region="us-east-1", **arguments)
            self._admin = MinioAdmin(**arguments)
        except ValueError as error:
            raise StepError(
                f"AWS_ENDPOINT_URL: '{endpoint}': {error}. Set it to MinIO's address.",
                ExitCode.SETTING,
            ) from None

    def wait_until_ready(self, seconds: float) -> None:
        """Send a request each second until MinIO responds.

        Raises:
            StepError: UNAVAILABLE after that many seconds; SETTING if the root user is rejected.
        """
        deadline = time.monotonic() + seconds
        while True:
            try:
                with self._step_errors("root user"):
                    self._s3.list_buckets()
                return
            except StepError as error:
                if error.exit_code != ExitCode.UNAVAILABLE or time.monotonic() > deadline:
                    raise
            time.sleep(SECONDS_BETWEEN_ATTEMPTS)

    def create_bucket(self, name: str) -> bool:
        """Create a bucket if it is missing. Return whether it was created."""
        with self._step_errors(f"bucket '{name}'"):
            try:
                self._s3.make_bucket(name)
            except S3Error as error:
                if error.code == "BucketAlreadyOwnedByYou":
                    return False
                raise
            except ValueError as error:
                raise StepError(f"STORE_BUCKETS: '{name}': {error}.", ExitCode.SETTING) from None
        return True

    def set_expiry(self, bucket: str, days: int) -> None:
        """Replace the bucket's lifecycle rules, to delete objects after that many days."""
        rule = Rule(ENABLED, rule_filter=Filter(prefix=""), expiration=Expiration(days=days))
        with self._step_errors(f"bucket '{bucket}', {days} days"):
            self._s3.set_bucket_lifecycle(bucket, LifecycleConfig([rule]))

    def put_policy(self, name: str, policy: dict[str, Any]) -> None:
        """Create or replace a policy."""
        with self._step_errors(f"policy '{name}'"):
            self._admin.policy_add(name, policy=policy)

    def put_user(self, credentials: Credentials, policy: str) -> None:
        """Create a user or replace its password, and set its only policy."""
        with self._step_errors(f"user '{credentials.access_key}'"):
            self._admin.user_add(credentials.access_key, credentials.secret_key)
            self._admin.policy_set(policy, user=credentials.access_key)

    @contextmanager
    def _step_errors(self, what: str) -> Iterator[None]:
        """Convert MinIO's errors into one line without a password."""
        try:
            yield
        except (MinioException, MinioAdminException, HTTPError) as error:
            reason, code = _reason(error), _exit_code(error)
            advice = (
                "Check that it is running and reachable; the job retries"
                if code == ExitCode.UNAVAILABLE
                else "Correct the Secret or the policy, then run the job again"
            )
            raise StepError(
                f"MinIO at {self.endpoint}: {what}: {reason}. {advice}.", code
            ) from None


def _exit_code(error: Exception) -> ExitCode:
    """Return SETTING for a status below 500 except 429, and UNAVAILABLE for any other error."""
    match error:
        case S3Error():
            status = error.response.status
        case ServerError():
            status = error.status_code
        case MinioAdminException():
            status = int(error._code)
        case _:
            return ExitCode.UNAVAILABLE
    return ExitCode.UNAVAILABLE if status >= 500 or status == 429 else ExitCode.SETTING


def _reason(error: Exception) -> str:
    match error:
        case S3Error():
            reason = f"{error.code}: {error.message}"
        case MinioAdminException():
            reason = _admin_reason(error._body)
        case _:
            reason = str(error)
    return reason.rstrip(". ")


def _admin_reason(body: str) -> str:
    """Return code and message of an admin API error, whose body is JSON or XML."""
    try:
        fields = json.loads(body)
    except ValueError:
        try:
            fields = {child.tag: child.text for child in ElementTree.fromstring(body)}  # noqa: S314
        except ElementTree.ParseError:
            return body
    return f"{fields.get('Code')}: {fields.get('Message')}"


if __name__ == "__main__":
    sys.exit(main())
