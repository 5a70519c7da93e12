"""A MinIO server, as its root user sees it; every failure is one line, without a password."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
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
from weather.store_setup.wanted import Keys

ANSWER_SECONDS = 10
BETWEEN_TRIES_SECONDS = 1


class Server:
    """The requests that set-up makes; none is tried again, because the whole set-up is."""

    def __init__(self, endpoint: str, root: Keys) -> None:
        """Prepare the clients; nothing is asked of the server yet.

        Raises:
            StepError: SETTING; the endpoint is no address.
        """
        self.endpoint = endpoint
        address = urlsplit(endpoint)
        arguments: dict[str, Any] = {
            "endpoint": address.netloc,
            "credentials": StaticProvider(root.access_key, root.secret_key),
            "secure": address.scheme == "https",
            "http_client": PoolManager(timeout=Timeout(ANSWER_SECONDS), retries=False),
        }
        try:
            if address.scheme not in ("http", "https") or not address.hostname:
                raise ValueError("it must be http:// or https:// and a host")
            self._s3 = Minio(region="us-east-1", **arguments)
            self._admin = MinioAdmin(**arguments)
        except ValueError as error:
            raise StepError(
                f"AWS_ENDPOINT_URL: '{endpoint}': {error}. Give MinIO's address.", ExitCode.SETTING
            ) from None

    def wait_until_it_answers(self, seconds: float) -> None:
        """Ask, once a second, until it answers.

        Raises:
            StepError: UNAVAILABLE after that many seconds; SETTING if it refuses the root user.
        """
        deadline = time.monotonic() + seconds
        while True:
            try:
                with self._failures_in_a_line("root user"):
                    self._s3.list_buckets()
                return
            except StepError as error:
                if error.exit_code != ExitCode.UNAVAILABLE or time.monotonic() > deadline:
                    raise
            time.sleep(BETWEEN_TRIES_SECONDS)

    def make_bucket(self, name: str) -> bool:
        """Make a bucket unless there is one; whether it was made now."""
        with self._failures_in_a_line(f"bucket '{name}'"):
            try:
                self._s3.make_bucket(name)
            except S3Error as error:
                if error.code == "BucketAlreadyOwnedByYou":
                    return False
                raise
            except ValueError as error:
                raise StepError(f"STORE_BUCKETS: '{name}': {error}.", ExitCode.SETTING) from None
        return True

    def keep_for_days(self, bucket: str, days: int) -> None:
        """Let the store delete what is older than that, in place of what it was told before."""
        rule = Rule(ENABLED, rule_filter=Filter(prefix=""), expiration=Expiration(days=days))
        with self._failures_in_a_line(f"bucket '{bucket}', {days} days"):
            self._s3.set_bucket_lifecycle(bucket, LifecycleConfig([rule]))

    def put_policy(self, name: str, policy: dict[str, Any]) -> None:
        """Make a policy, or replace it."""
        with self._failures_in_a_line(f"policy '{name}'"):
            self._admin.policy_add(name, policy=policy)

    def put_user(self, keys: Keys, policy: str) -> None:
        """Make a user or replace its password, with this policy and no other."""
        with self._failures_in_a_line(f"user '{keys.access_key}'"):
            self._admin.user_add(keys.access_key, keys.secret_key)
            self._admin.policy_set(policy, user=keys.access_key)

    @contextmanager
    def _failures_in_a_line(self, what: str) -> Iterator[None]:
        try:
            yield
        except (MinioException, MinioAdminException, HTTPError) as error:
            reason, code = _reason(error), _exit_code(error)
            next_step = (
                "See that it runs and can be reached; the job tries again"
                if code == ExitCode.UNAVAILABLE
                else "Correct the Secret or the policy, then run the job again"
            )
            raise StepError(
                f"MinIO at {self.endpoint}: {what}: {reason}. {next_step}.", code
            ) from None


def _exit_code(error: Exception) -> ExitCode:
    """UNAVAILABLE for what may pass by itself, SETTING for what was asked wrongly."""
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
            words = f"{error.code}: {error.message}"
        case MinioAdminException():
            words = _message(error._body)
        case _:
            words = str(error)
    return words.rstrip(". ")


def _message(body: str) -> str:
    """The code and the message of an administration answer, which is JSON or XML."""
    try:
        fields = json.loads(body)
    except ValueError:
        try:
            fields = {child.tag: child.text for child in ElementTree.fromstring(body)}  # noqa: S314
        except ElementTree.ParseError:
            return body
    return f"{fields.get('Code')}: {fields.get('Message')}"
