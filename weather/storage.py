"""Client of the S3 store: raw responses, rejected responses and the lake's files."""

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

KEYS_PER_DELETION = 1000
"""Limit of S3's DeleteObjects."""

SETTINGS_ADVICE = (
    "Correct AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, "
    "AWS_REGION or WEATHER_BUCKET."
)

log = logging.getLogger("weather.storage")

_TRANSIENT_STATUSES = {429, 500, 502, 503, 504}


@dataclass(frozen=True)
class StoredObject:
    """An object in a listing. A different body has a different `etag`."""

    key: str
    size: int
    """Size in bytes."""
    etag: str


class Store:
    """Client of the configured bucket. Errors are one line with the store's name and no secret."""

    def __init__(
        self,
        settings: StoreSettings,
        *,
        connect_seconds: float = 5,
        read_seconds: float = 10,
        attempts: int = 4,
    ) -> None:
        """Create the client without a request.

        Args:
            settings: endpoint, bucket and credentials.
            connect_seconds: timeout of a connection.
            read_seconds: timeout between two chunks of a response.
            attempts: of each request, with exponential backoff. With the defaults, a request to an
                unresponsive store fails within a minute.

        Raises:
            StepError: SETTING; credentials, region, certificates or proxy are unusable.
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
        """Log a failed attempt that botocore retries."""
        status = response[0].status_code if response else None
        if attempts < self._attempts and (caught_exception or status in _TRANSIENT_STATUSES):
            log.warning(
                "The S3 store (%s): %s failed, attempt %d of %d: %s. Retrying.",
                self.place,
                operation.name,
                attempts,
                self._attempts,
                caught_exception or status,
            )

    def put(self, key: str, body: bytes) -> None:
        """Store or replace the object with this key.

        Raises:
            StepError: UNAVAILABLE, or SETTING for a missing bucket or wrong credentials.
        """
        with self._step_errors():
            self._client.put_object(Bucket=self.bucket, Key=key, Body=body)

    def get(self, key: str) -> bytes | None:
        """Return an object's body, or None if there is no such key.

        Raises:
            StepError: as for `put`.
        """
        with self._step_errors():
            try:
                response = self._client.get_object(Bucket=self.bucket, Key=key)
            except ClientError as error:
                code = error.response["Error"]["Code"]
                # Some stores return 403 for a missing key if the user may list only some keys.
                if code == "NoSuchKey" or (code == "AccessDenied" and self._lacks(key)):
                    return None
                raise
            body: bytes = response["Body"].read()
            return body

    def list(self, prefix: str = "") -> Iterator[str]:
        """Yield the keys with this prefix, sorted by their bytes as in S3.

        Raises:
            StepError: as for `put`, while iterating.
        """
        return (found.key for found in self.objects(prefix))

    def objects(self, prefix: str = "") -> Iterator[StoredObject]:
        """Yield the objects whose keys have this prefix, sorted as by `list`.

        Raises:
            StepError: as for `put`, while iterating.
        """
        with self._step_errors():
            pages = self._client.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self.bucket, Prefix=prefix):
                for entry in page.get("Contents", []):
                    yield StoredObject(entry["Key"], entry["Size"], entry["ETag"])

    def delete(self, keys: Iterable[str]) -> None:
        """Delete the objects with these keys. A missing key is not an error.

        Raises:
            StepError: as for `put`, or UNAVAILABLE if some key could not be deleted.
        """
        remaining = iter(keys)
        while some := list(islice(remaining, KEYS_PER_DELETION)):
            with self._step_errors():
                response = self._client.delete_objects(
                    Bucket=self.bucket,
                    Delete={"Objects": [{"Key": key} for key in some], "Quiet": True},
                )
            if errors := response.get("Errors"):
                raise self._unavailable(f"cannot delete {errors[0]['Key']}: {errors[0]['Code']}")

    def _lacks(self, key: str) -> bool:
        """Return whether a listing shows that the key is missing."""
        try:
            return next(self.list(key), None) != key
        except StepError:
            return False

    @contextmanager
    def _step_errors(self) -> Iterator[None]:
        try:
            yield
        except ClientError as error:
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            code, message = (error.response["Error"].get(name, "") for name in ("Code", "Message"))
            problem = f"{error.operation_name}: {status} {code} {message}".rstrip(" .")
            if status in _TRANSIENT_STATUSES:
                raise self._unavailable(problem) from None
            raise self._rejected(problem) from None
        except NoCredentialsError as error:
            raise self._rejected(str(error).rstrip(".")) from None
        except (BotoCoreError, ResponseParserError) as error:
            if UNTRUSTED.search(str(error)):
                raise self._rejected(str(error).rstrip("."), TRUST_ADVICE) from None
            raise self._unavailable(str(error).rstrip(".")) from None

    def _unavailable(self, problem: str) -> StepError:
        return StepError(
            f"The S3 store ({self.place}) is unavailable: {problem}. "
            "Check that it is running and reachable, then run the task again.",
            ExitCode.UNAVAILABLE,
        )

    def _rejected(self, problem: str, advice: str = SETTINGS_ADVICE) -> StepError:
        return StepError(
            f"The S3 store ({self.place}) rejected the request: {problem}. {advice}",
            ExitCode.SETTING,
        )
