"""The S3 store: raw answers, rejected answers and the lake's files."""

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError
from botocore.parsers import ResponseParserError

from weather.errors import ExitCode, StepError
from weather.s3_config import TRUST_ADVICE, UNTRUSTED, S3Access
from weather.settings import StoreSettings

KEYS_A_DELETION = 1000
"""The most keys that S3's DeleteObjects takes."""

SETTINGS_ADVICE = (
    "Correct AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, "
    "AWS_REGION or WEATHER_BUCKET."
)

log = logging.getLogger("weather.storage")

_BUSY = {429, 500, 502, 503, 504}


@dataclass(frozen=True)
class StoredObject:
    """An object as the store lists it; another body means another `etag`."""

    key: str
    size: int
    """Bytes."""
    etag: str


class Store:
    """The bucket of the settings; every failure is one line naming the store, never a secret."""

    def __init__(
        self,
        settings: StoreSettings,
        *,
        connect_seconds: float = 5,
        read_seconds: float = 10,
        attempts: int = 4,
    ) -> None:
        """Prepare a client; nothing is asked of the store yet.

        Args:
            settings: endpoint, bucket and credentials.
            connect_seconds: how long to wait for a connection.
            read_seconds: how long to wait for the next bytes.
            attempts: how often each request is made at most, with growing waits between. With the
                defaults a store that never responds is given up within a minute.

        Raises:
            StepError: SETTING for credentials, region, certificates or proxy that cannot be used.
        """
        self.bucket = settings.weather_bucket
        self.place = f"{settings.aws_endpoint_url or 'AWS S3'}, bucket '{self.bucket}'"
        access = S3Access(settings)
        self._client: Any = access.client(
            connect_seconds=connect_seconds, read_seconds=read_seconds, attempts=attempts
        )
        self._attempts = attempts
        self._client.meta.events.register("needs-retry.s3", self._log_retry)

    def _log_retry(
        self,
        operation: Any,
        attempts: int,
        response: tuple[Any, dict[str, Any]] | None,
        caught_exception: Exception | None,
        **_: Any,
    ) -> None:
        """Log a failed attempt, so that a task that waits for the store says so."""
        status = response[0].status_code if response else None
        if attempts < self._attempts and (caught_exception or status in _BUSY):
            log.warning(
                "The S3 store (%s): %s failed, attempt %d of %d: %s. Trying again.",
                self.place,
                operation.name,
                attempts,
                self._attempts,
                caught_exception or status,
            )

    def put(self, key: str, body: bytes) -> None:
        """Store an object, in place of one with the same key.

        Raises:
            StepError: UNAVAILABLE, or SETTING for a missing bucket or wrong credentials.
        """
        with self._failures_in_a_line():
            self._client.put_object(Bucket=self.bucket, Key=key, Body=body)

    def get(self, key: str) -> bytes | None:
        """An object's bytes; None if there is no such key.

        Raises:
            StepError: as for `put`.
        """
        with self._failures_in_a_line():
            try:
                answer = self._client.get_object(Bucket=self.bucket, Key=key)
            except ClientError as error:
                code = error.response["Error"]["Code"]
                # Some stores answer so for a missing key, where a user may list only some keys.
                if code == "NoSuchKey" or (code == "AccessDenied" and self._lacks(key)):
                    return None
                raise
            body: bytes = answer["Body"].read()
            return body

    def list(self, prefix: str = "") -> Iterator[str]:
        """The keys that start with the prefix, in S3's order: by their bytes.

        Raises:
            StepError: as for `put`, while iterating.
        """
        return (found.key for found in self.objects(prefix))

    def objects(self, prefix: str = "") -> Iterator[StoredObject]:
        """The objects whose keys start with the prefix, in the same order.

        Raises:
            StepError: as for `put`, while iterating.
        """
        with self._failures_in_a_line():
            pages = self._client.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self.bucket, Prefix=prefix):
                for entry in page.get("Contents", []):
                    yield StoredObject(entry["Key"], entry["Size"], entry["ETag"])

    def delete(self, keys: Iterable[str]) -> None:
        """Delete objects; keys that are not there count as deleted.

        Raises:
            StepError: as for `put`, or UNAVAILABLE if some key could not be deleted.
        """
        remaining = iter(keys)
        while some := list(islice(remaining, KEYS_A_DELETION)):
            with self._failures_in_a_line():
                answer = self._client.delete_objects(
                    Bucket=self.bucket,
                    Delete={"Objects": [{"Key": key} for key in some], "Quiet": True},
                )
            if kept := answer.get("Errors"):
                raise self._unavailable(f"{kept[0]['Key']} cannot be deleted: {kept[0]['Code']}")

    def _lacks(self, key: str) -> bool:
        """Whether the list of keys, where it may be read, is without this one."""
        try:
            return next(self.list(key), None) != key
        except StepError:
            return False

    @contextmanager
    def _failures_in_a_line(self) -> Iterator[None]:
        try:
            yield
        except ClientError as error:
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            code, words = (error.response["Error"].get(name, "") for name in ("Code", "Message"))
            problem = f"{error.operation_name}: {status} {code} {words}".rstrip(" .")
            if status in _BUSY:
                raise self._unavailable(problem) from None
            raise self._wrong(problem) from None
        except NoCredentialsError as error:
            raise self._wrong(str(error).rstrip(".")) from None
        except (BotoCoreError, ResponseParserError) as error:
            if UNTRUSTED.search(str(error)):
                raise self._wrong(str(error).rstrip("."), TRUST_ADVICE) from None
            raise self._unavailable(str(error).rstrip(".")) from None

    def _unavailable(self, problem: str) -> StepError:
        return StepError(
            f"The S3 store ({self.place}) does not answer well: {problem}. "
            "See that it runs and can be reached, then run the task again.",
            ExitCode.UNAVAILABLE,
        )

    def _wrong(self, problem: str, advice: str = SETTINGS_ADVICE) -> StepError:
        return StepError(
            f"The S3 store ({self.place}) refuses: {problem}. {advice}", ExitCode.SETTING
        )
