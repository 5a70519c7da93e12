"""Run an S3 server (SeaweedFS) for one folder of data, on the loopback interface.

All commands that need the same folder share one server, and the last one to leave ends it.
"""

import contextlib
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from local.environment import S3Keys, make_s3_keys, write_private
from local.processes import (
    LOOPBACK,
    Command,
    describe_log,
    end_supervisor,
    free_ports,
    is_free,
    is_supervisor,
    program,
    require_free,
    start_service,
)
from local.supervisor import SharedLock, exclusive_lock
from weather.errors import ExitCode, StepError
from weather.settings import DEFAULT_BUCKET, DEFAULT_REGION

GRACE_SECONDS = 3.0
START_ATTEMPTS = 3

PARTS = ("master", "volume", "filer", "s3", "admin")
"""Parts of SeaweedFS. Each part listens on two ports. Only the S3 part serves data over HTTP."""
PORTS = 2 * len(PARTS)
SOCKETS = Path("/tmp")  # noqa: S108 - SeaweedFS's own choice


@dataclass(frozen=True)
class S3Server:
    """Running S3 server. `supervisor` is a process id."""

    folder: Path
    ports: list[int]
    keys: S3Keys = field(repr=False)
    supervisor: int
    has_new_bucket: bool = False
    """True if the bucket was just created, and is therefore empty."""

    @property
    def endpoint(self) -> str:
        """The endpoint URL for S3 clients."""
        return f"http://{LOOPBACK}:{self.ports[0]}"

    @property
    def environment(self) -> dict[str, str]:
        """Environment variables by which S3 clients find this server."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": self.keys.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.keys.secret_access_key,
            "AWS_REGION": DEFAULT_REGION,
        }

    def require_running(self, log: Path) -> None:
        """Raise StepError if the server has ended or its folder was removed."""
        if not is_supervisor(self.supervisor, _lock(self.folder)):
            raise StepError(f"S3 has ended; {describe_log(log)}")
        stored = _read_server(self.folder)
        if stored is None or stored.supervisor != self.supervisor:
            raise StepError(
                f"S3's folder {self.folder} was removed while S3 ran, and its data is lost;"
                " start again with an empty lake"
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
    """Run an S3 server inside the `with`, with its data in `folder` and a bucket.

    Default keys are random, and the default port is a free one. A server that already runs for
    this folder is shared.

    Raises:
        StepError: the shared server has other keys or another port, `port` is in use, or the
            server ends while it starts.
    """
    folder = folder.absolute()
    with _owned(folder):
        with exclusive_lock(folder / "start.lock"):
            server = _find_server(folder)
            if server:
                _require_same(server, keys, port)
            else:
                log = log or folder / "server.log"
                server = _start_server(folder, keys or make_s3_keys(), port, log)
        yield replace(server, has_new_bucket=_create_bucket(server, bucket))


def _lock(folder: Path) -> Path:
    return folder / "owners.lock"


@contextlib.contextmanager
def _owned(folder: Path) -> Iterator[None]:
    """Own the folder's server inside the `with`. End the server if it has no other owner."""
    lock = SharedLock(_lock(folder))
    try:
        yield
    finally:
        if lock.try_exclusive():
            _end_server(folder)
        lock.close()


def _find_server(folder: Path) -> S3Server | None:
    """Return the running server that another command has started, or None."""
    server = _read_server(folder)
    return server if server and is_supervisor(server.supervisor, _lock(folder)) else None


def _require_same(server: S3Server, keys: S3Keys | None, port: int | None) -> None:
    if port not in (None, server.ports[0]):
        raise StepError(
            f"S3 cannot run on port {port}, because another command of this folder runs it on port"
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
    # Files of a server that was killed.
    _end_server(folder)
    attempts = 0
    while True:
        attempts += 1
        ports = free_ports(PORTS)
        if port is not None:
            require_free(port, "S3")
            # `port` may be one of the free ones.
            ports = [port, *(each for each in ports if each != port)][:PORTS]
        try:
            return _start_on(ports, folder, keys, log)
        except StepError:
            _end_server(folder)
            # Another program may have taken a port in the meantime.
            if attempts == START_ATTEMPTS or all(map(is_free, ports)):
                raise


def _start_on(ports: list[int], folder: Path, keys: S3Keys, log: Path) -> S3Server:
    arguments = _seaweedfs(folder, keys, ports)
    command = Command("S3", arguments, os.environ, log, grace_seconds=GRACE_SECONDS, folder=folder)
    service = start_service(command, _lock(folder))
    server = S3Server(folder, ports, keys, service.supervisor.pid)
    state = {"ports": ports, "keys": asdict(keys), "supervisor": server.supervisor}
    write_private(folder / "server.json", state)
    client = s3_client(server)
    try:
        service.wait_until(lambda: _is_ready(client))
    finally:
        service.detach()
    return server


def _end_server(folder: Path) -> None:
    """End the folder's server, and remove its sockets in /tmp, which SeaweedFS leaves behind."""
    server = _read_server(folder)
    if server:
        if is_supervisor(server.supervisor, _lock(folder)):
            end_supervisor(server.supervisor)
        for port in server.ports:
            for socket in SOCKETS.glob(f"seaweedfs-*-{port}.sock"):
                socket.unlink(missing_ok=True)
        (folder / "server.json").unlink(missing_ok=True)


def _read_server(folder: Path) -> S3Server | None:
    """Read server.json. Return None if the file is missing or incomplete."""
    try:
        state = json.loads((folder / "server.json").read_text())
        return S3Server(folder, state["ports"], S3Keys(**state["keys"]), state["supervisor"])
    except (FileNotFoundError, ValueError, TypeError, KeyError):
        return None


def _seaweedfs(folder: Path, keys: S3Keys, ports: list[int]) -> list[str]:
    """Return the command that serves `folder`, with S3 on the first of `PORTS` different ports.

    Writes the file with the keys.
    """
    data = folder / "data"
    data.mkdir(exist_ok=True)
    for stale in data.glob("m[0-9]*"):
        # The master's election state, stored by port; the volumes have all other state.
        shutil.rmtree(stale)
    identity = {
        "name": "weather",
        "credentials": [{"accessKey": keys.access_key_id, "secretKey": keys.secret_access_key}],
        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
    }
    write_private(folder / "identities.json", {"identities": [identity]})
    s3, s3_grpc, *others = ports
    inner = [part for part in PARTS if part != "s3"]
    options = {
        # A relative path, because SeaweedFS splits this option at commas.
        "dir": data.name,
        "ip": LOOPBACK,
        "ip.bind": LOOPBACK,
        "s3.config": folder / "identities.json",
        "s3.port": s3,
        "s3.port.grpc": s3_grpc,
        **{f"{part}.port": port for part, port in zip(inner, others[::2], strict=True)},
        **{f"{part}.port.grpc": port for part, port in zip(inner, others[1::2], strict=True)},
        "s3.port.iceberg": 0,
        "s3.port.lance": 0,
        "webdav": "false",
        "admin.ui": "false",
        # The filer would serve every object without a key.
        "disableHttp": "true",
        # Keys come from the file alone.
        "s3.iam": "false",
        # On by default: reports to SeaweedFS's makers.
        "master.telemetry": "false",
        # Each bucket takes its own volumes. The default limit is the free disk in gigabytes.
        "master.volumeSizeLimitMB": 64,
        "volume.max": 10_000,
        "volume.preStopSeconds": 0,
    }
    return [
        *(program("weed"), "-logtostderr=true", "mini"),
        *(f"-{name}={value}" for name, value in options.items()),
    ]


def s3_client(server: S3Server) -> Any:
    """Return a client with short timeouts and without retries."""
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


def _is_ready(client: Any) -> bool:
    try:
        client.list_buckets()
    except (BotoCoreError, ClientError):
        return False
    return True


def _create_bucket(server: S3Server, bucket: str) -> bool:
    """Create the bucket unless it exists. Return whether it was created."""
    client = s3_client(server)
    try:
        client.create_bucket(Bucket=bucket)
    except (client.exceptions.BucketAlreadyOwnedByYou, client.exceptions.BucketAlreadyExists):
        return False
    except (BotoCoreError, ClientError) as error:
        raise StepError(
            f"S3 cannot create the bucket '{bucket}': {error}; check that the disk of"
            f" {server.folder} is not full"
        ) from None
    return True
