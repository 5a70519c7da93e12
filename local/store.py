"""A real S3 server for one folder of data, on the loopback interface.

One server serves everyone who asks for the same folder at the same time; the last one to leave
ends it.
"""

import contextlib
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from local import seaweedfs
from local.credentials import S3Keys, make_s3_keys, write_private
from local.lease import Lease, one_at_a_time
from local.ports import LOOPBACK, free_ports, is_free, require_free
from local.processes import Command, describe_log, end_keeper, is_keeper, start_service
from weather.errors import ExitCode, StepError
from weather.settings import DEFAULT_BUCKET, DEFAULT_REGION

STOP_SECONDS = 3.0
STARTS = 3
"""How often a start is tried at most."""


@dataclass(frozen=True)
class S3Server:
    """A running S3 server: its data, where it is, who may use it and which process keeps it."""

    folder: Path
    ports: list[int]
    keys: S3Keys = field(repr=False)
    keeper: int
    has_new_bucket: bool = False
    """Its bucket was made just now, so nothing that another process wrote is in it."""

    @property
    def endpoint(self) -> str:
        """Its address, for S3 clients."""
        return f"http://{LOOPBACK}:{self.ports[0]}"

    @property
    def environment(self) -> dict[str, str]:
        """The S3 clients' own environment variables for this server."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": self.keys.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.keys.secret_access_key,
            "AWS_REGION": DEFAULT_REGION,
        }

    def require_running(self, log: Path) -> None:
        """Raise StepError with the last lines of its log when it has ended by itself."""
        if not is_keeper(self.keeper, self.folder / "lease"):
            raise StepError(f"S3 has ended; {describe_log(log)}")
        stored = _read_server(self.folder)
        if stored is None or stored.keeper != self.keeper:
            raise StepError(
                f"S3's folder {self.folder} was removed while S3 ran, and what it held is lost;"
                " start again, and an empty lake begins"
            )


@contextlib.contextmanager
def running_store(
    folder: Path,
    *,
    bucket: str = DEFAULT_BUCKET,
    keys: S3Keys | None = None,
    port: int | None = None,
    log: Path | None = None,
) -> Iterator[S3Server]:
    """An S3 server inside the `with`, its data in `folder` and `bucket` in it.

    Without `keys` it has random ones, without `port` a free one. A server that runs for this
    folder already is shared. StepError is raised when that one has other keys or another port
    than asked for, when `port` is taken, or when the server ends at its start.
    """
    folder = folder.absolute()
    with _leased(folder):
        with one_at_a_time(folder / "start.lock"):
            server = _find_server(folder)
            if server:
                _require_agreement(server, keys, port)
            else:
                log = log or folder / "server.log"
                server = _start_server(folder, keys or make_s3_keys(), port, log)
        yield replace(server, has_new_bucket=_create_bucket(server, bucket))


@contextlib.contextmanager
def _leased(folder: Path) -> Iterator[None]:
    """Need the folder's server inside the `with`; who is the last to need it ends it."""
    lease = Lease(folder / "lease")
    try:
        yield
    finally:
        if lease.give_up():
            _end_server(folder)
        lease.close()


def _find_server(folder: Path) -> S3Server | None:
    """The server that somebody has started for `folder`, if it still runs."""
    server = _read_server(folder)
    return server if server and is_keeper(server.keeper, folder / "lease") else None


def _require_agreement(server: S3Server, keys: S3Keys | None, port: int | None) -> None:
    if port not in (None, server.ports[0]):
        raise StepError(
            f"S3 is wanted on port {port}, but another command of this folder runs it on port"
            f" {server.ports[0]}; end that command and try again",
            ExitCode.SETTING,
        )
    if keys not in (None, server.keys):
        raise StepError(
            "AWS_ACCESS_KEY_ID or AWS_SECRET_ACCESS_KEY differ from those that another command"
            " of this folder runs S3 with; end that command and try again",
            ExitCode.SETTING,
        )


def _start_server(folder: Path, keys: S3Keys, port: int | None, log: Path) -> S3Server:
    # Of one that was killed.
    _end_server(folder)
    starts = 0
    while True:
        starts += 1
        ports = free_ports(seaweedfs.PORTS)
        if port is not None:
            require_free(port, "S3")
            # It may be among those that were free.
            ports = [port, *(each for each in ports if each != port)][: seaweedfs.PORTS]
        try:
            return _start_on(ports, folder, keys, log)
        except StepError:
            _end_server(folder)
            # Others may have taken a port since it was chosen.
            if starts == STARTS or all(map(is_free, ports)):
                raise


def _start_on(ports: list[int], folder: Path, keys: S3Keys, log: Path) -> S3Server:
    arguments = seaweedfs.command_line(folder, keys, ports)
    command = Command("S3", arguments, os.environ, log, patience=STOP_SECONDS, folder=folder)
    service = start_service(command, folder / "lease")
    server = S3Server(folder, ports, keys, service.keeper.pid)
    state = {"ports": ports, "keys": asdict(keys), "keeper": server.keeper}
    write_private(folder / "server.json", state)
    client = s3_client(server)
    try:
        service.wait_until(lambda: _answers(client))
    finally:
        service.let_go()
    return server


def _end_server(folder: Path) -> None:
    """End the folder's server if there is one, and remove what it or its `kill -9` left behind."""
    server = _read_server(folder)
    if server:
        if is_keeper(server.keeper, folder / "lease"):
            end_keeper(server.keeper)
        seaweedfs.remove_sockets(server.ports)
        (folder / "server.json").unlink(missing_ok=True)


def _read_server(folder: Path) -> S3Server | None:
    try:
        state = json.loads((folder / "server.json").read_text())
        return S3Server(folder, state["ports"], S3Keys(**state["keys"]), state["keeper"])
    except (FileNotFoundError, ValueError, TypeError, KeyError):
        # Without the file, or with one that was cut off, its server cannot be found.
        return None


def s3_client(server: S3Server) -> Any:
    """A client for `server` that does not wait or try again."""
    return boto3.client(
        "s3",
        endpoint_url=server.endpoint,
        aws_access_key_id=server.keys.access_key_id,
        aws_secret_access_key=server.keys.secret_access_key,
        region_name=DEFAULT_REGION,
        config=Config(
            connect_timeout=1, read_timeout=10, retries={"total_max_attempts": 1}, proxies={}
        ),
    )


def _answers(client: Any) -> bool:
    try:
        client.list_buckets()
    except (BotoCoreError, ClientError):
        return False
    return True


def _create_bucket(server: S3Server, bucket: str) -> bool:
    """Make the bucket unless it is there; whether it was made."""
    client = s3_client(server)
    try:
        client.create_bucket(Bucket=bucket)
    except (client.exceptions.BucketAlreadyOwnedByYou, client.exceptions.BucketAlreadyExists):
        return False
    except (BotoCoreError, ClientError) as error:
        raise StepError(
            f"S3 cannot make the bucket '{bucket}': {error}; see that the disk of {server.folder}"
            " has room"
        ) from None
    return True
