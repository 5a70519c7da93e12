"""Storage of a backup: a folder, or a bucket on the same S3 server."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from weather.errors import ExitCode, StepError
from weather.settings import StoreSettings
from weather.storage import Store

UNFINISHED = ".unfinished"
"""Suffix of a file that is being written."""


class BackupStorage(Protocol):
    """Objects by key. Each failure is a StepError that names the storage."""

    @property
    def name(self) -> str:
        """Name of the storage in error messages."""

    def put(self, key: str, body: bytes) -> None:
        """Store or replace an object atomically."""

    def get(self, key: str) -> bytes | None:
        """Return an object's bytes, or None if the key does not exist."""

    def sizes(self) -> dict[str, int]:
        """Return the size in bytes of every object, by key."""

    def delete(self, keys: Iterable[str]) -> None:
        """Delete objects. Ignore keys that do not exist."""


def open_backup_storage(name: str, settings: StoreSettings) -> BackupStorage:
    """Open the folder or `s3://<bucket>/<prefix>` that a user has named.

    Raises:
        StepError: SETTING for another kind of name, or for the lake's own bucket.
    """
    if "://" not in name:
        return FolderStorage(Path(name).absolute())
    address = urlsplit(name)
    if address.scheme != "s3" or not address.netloc:
        raise StepError(
            f"'{name}': not a folder or s3://<bucket>/<prefix>. Name one of these for the backup.",
            ExitCode.SETTING,
        )
    if address.netloc == settings.weather_bucket:
        raise StepError(
            f"{name} is in the lake's own bucket, so the backup would be lost with the lake. Name "
            "another bucket or a folder.",
            ExitCode.SETTING,
        )
    return BucketStorage(settings, address.netloc, address.path.strip("/"))


class FolderStorage:
    """Backup storage in a folder, which is created if missing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def name(self) -> str:
        """Path of the folder."""
        return str(self._folder)

    def put(self, key: str, body: bytes) -> None:
        """Store or replace an object atomically."""
        path = self._folder / key
        unfinished = path.with_name(path.name + UNFINISHED)
        with self._errors_in_a_line():
            path.parent.mkdir(parents=True, exist_ok=True)
            with unfinished.open("wb") as file:
                file.write(body)
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(path)

    def get(self, key: str) -> bytes | None:
        """Return an object's bytes, or None if the key does not exist."""
        with self._errors_in_a_line():
            try:
                return (self._folder / key).read_bytes()
            except FileNotFoundError:
                return None

    def sizes(self) -> dict[str, int]:
        """Return the size in bytes of every object, by key."""
        with self._errors_in_a_line():
            return {
                path.relative_to(self._folder).as_posix(): path.stat().st_size
                for path in self._folder.rglob("*")
                if path.is_file() and path.suffix != UNFINISHED
            }

    def delete(self, keys: Iterable[str]) -> None:
        """Delete objects. Ignore keys that do not exist."""
        with self._errors_in_a_line():
            for key in keys:
                (self._folder / key).unlink(missing_ok=True)

    @contextmanager
    def _errors_in_a_line(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StepError(
                f"The backup's folder {self.name} failed: {error.strerror}: {error.filename}. "
                "Check that it is writable and that the disk has space, then try again.",
                ExitCode.UNAVAILABLE,
            ) from None


class BucketStorage:
    """Backup storage in another bucket, with the credentials of the lake's bucket."""

    def __init__(self, settings: StoreSettings, bucket: str, prefix: str) -> None:
        self._store = Store(settings.model_copy(update={"weather_bucket": bucket}))
        self._prefix = f"{prefix}/" if prefix else ""
        self.name = f"s3://{bucket}/{prefix}"

    def put(self, key: str, body: bytes) -> None:
        """Store or replace an object atomically."""
        self._store.put(self._prefix + key, body)

    def get(self, key: str) -> bytes | None:
        """Return an object's bytes, or None if the key does not exist."""
        return self._store.get(self._prefix + key)

    def sizes(self) -> dict[str, int]:
        """Return the size in bytes of every object, by key."""
        return {
            found.key.removeprefix(self._prefix): found.size
            for found in self._store.objects(self._prefix)
        }

    def delete(self, keys: Iterable[str]) -> None:
        """Delete objects. Ignore keys that do not exist."""
        self._store.delete(self._prefix + key for key in keys)
