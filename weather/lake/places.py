"""Where a backup is kept: a folder, or a bucket of the same S3 server."""

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


class Place(Protocol):
    """Holds objects by their keys; every failure is a StepError that names the place."""

    @property
    def name(self) -> str:
        """What messages call it."""

    def put(self, key: str, body: bytes) -> None:
        """Keep an object, whole or not at all, in place of one with the same key."""

    def get(self, key: str) -> bytes | None:
        """An object's bytes; None if there is no such key."""

    def sizes(self) -> dict[str, int]:
        """The bytes of every object by its key."""

    def delete(self, keys: Iterable[str]) -> None:
        """Delete objects."""


def place_of(name: str, settings: StoreSettings) -> Place:
    """The place that a user named, as a folder or as `s3://<bucket>/<prefix>`.

    Raises:
        StepError: SETTING for a name that is neither, or that is in the lake's own bucket.
    """
    if "://" not in name:
        return Folder(Path(name).absolute())
    address = urlsplit(name)
    if address.scheme != "s3" or not address.netloc:
        raise StepError(
            f"'{name}' is no place for a backup. Name a folder or s3://<bucket>/<prefix>.",
            ExitCode.SETTING,
        )
    if address.netloc == settings.weather_bucket:
        raise StepError(
            f"{name} is in the lake's own bucket, and would be lost with it. Name another one.",
            ExitCode.SETTING,
        )
    return Bucket(settings, address.netloc, address.path.strip("/"))


class Folder:
    """A folder, which is made where there is none."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def name(self) -> str:
        """Its path."""
        return str(self._folder)

    def put(self, key: str, body: bytes) -> None:
        """See Place."""
        path = self._folder / key
        unfinished = path.with_name(path.name + UNFINISHED)
        with self._failures_in_a_line():
            path.parent.mkdir(parents=True, exist_ok=True)
            with unfinished.open("wb") as file:
                file.write(body)
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(path)

    def get(self, key: str) -> bytes | None:
        """See Place."""
        with self._failures_in_a_line():
            try:
                return (self._folder / key).read_bytes()
            except FileNotFoundError:
                return None

    def sizes(self) -> dict[str, int]:
        """See Place."""
        with self._failures_in_a_line():
            return {
                path.relative_to(self._folder).as_posix(): path.stat().st_size
                for path in self._folder.rglob("*")
                if path.is_file() and path.suffix != UNFINISHED
            }

    def delete(self, keys: Iterable[str]) -> None:
        """See Place."""
        with self._failures_in_a_line():
            for key in keys:
                (self._folder / key).unlink(missing_ok=True)

    @contextmanager
    def _failures_in_a_line(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StepError(
                f"The folder {self.name} cannot be used: {error.strerror}: {error.filename}. "
                "See that it can be written to and has room, then try again.",
                ExitCode.UNAVAILABLE,
            ) from None


class Bucket:
    """The keys of another bucket that start with a prefix; the lake's own user has to reach it."""

    def __init__(self, settings: StoreSettings, bucket: str, prefix: str) -> None:
        self._store = Store(settings.model_copy(update={"weather_bucket": bucket}))
        self._prefix = f"{prefix}/" if prefix else ""
        self.name = f"s3://{bucket}/{prefix}"

    def put(self, key: str, body: bytes) -> None:
        """See Place."""
        self._store.put(self._prefix + key, body)

    def get(self, key: str) -> bytes | None:
        """See Place."""
        return self._store.get(self._prefix + key)

    def sizes(self) -> dict[str, int]:
        """See Place."""
        return {
            found.key.removeprefix(self._prefix): found.size
            for found in self._store.objects(self._prefix)
        }

    def delete(self, keys: Iterable[str]) -> None:
        """See Place."""
        self._store.delete(self._prefix + key for key in keys)
