"""SeaweedFS's command line and files: what `local.store` starts, and what it leaves behind."""

import shutil
from pathlib import Path

from local.credentials import S3Keys, write_private
from local.ports import LOOPBACK
from local.processes import program

SERVERS = ("master", "volume", "filer", "s3", "admin")
"""The parts of SeaweedFS. Each listens on two ports; only S3's has data for HTTP clients."""

PORTS = 2 * len(SERVERS)

SOCKETS = Path("/tmp")  # noqa: S108 - where SeaweedFS puts them, and nowhere else


def command_line(folder: Path, keys: S3Keys, ports: list[int]) -> list[str]:
    """The command, run in `folder`, that serves it to the owner of `keys` on the first of `ports`.

    Writes the file that names the keys, and removes what servers before it have left. `ports`
    are `PORTS` different ones.
    """
    data = folder / "data"
    data.mkdir(exist_ok=True)
    for stale in data.glob("m[0-9]*"):
        # The master's election state, kept by port; the volumes themselves tell it the rest.
        shutil.rmtree(stale)
    identities = folder / "identities.json"
    write_private(identities, _identities(keys))
    s3, s3_grpc, *others = ports
    inner = dict(zip((name for name in SERVERS if name != "s3"), _pairs(others), strict=True))
    options = {
        # Not the whole path, because SeaweedFS cuts this option at commas.
        "dir": data.name,
        "ip": LOOPBACK,
        "ip.bind": LOOPBACK,
        "s3.config": identities,
        "s3.port": s3,
        "s3.port.grpc": s3_grpc,
        **{f"{name}.port": http for name, (http, _) in inner.items()},
        **{f"{name}.port.grpc": grpc for name, (_, grpc) in inner.items()},
        "s3.port.iceberg": 0,
        "s3.port.lance": 0,
        "webdav": "false",
        "admin.ui": "false",
        # Or the filer would hand every object to everyone on this machine.
        "disableHttp": "true",
        # Keys come from the file alone.
        "s3.iam": "false",
        # On by default: it reports to SeaweedFS's makers.
        "master.telemetry": "false",
        # Each bucket takes volumes of its own; by default the free disk in whole gigabytes is how
        # many there can be at all.
        "master.volumeSizeLimitMB": 64,
        "volume.max": 10_000,
        # Nobody else sends this server anything that it would have to wait for.
        "volume.preStopSeconds": 0,
    }
    return [
        *(program("weed"), "-logtostderr=true", "mini"),
        *(f"-{name}={value}" for name, value in options.items()),
    ]


def remove_sockets(ports: list[int]) -> None:
    """Remove the sockets of a server that has ended; it leaves some of them in /tmp."""
    for port in ports:
        for socket in SOCKETS.glob(f"seaweedfs-*-{port}.sock"):
            socket.unlink(missing_ok=True)


def _identities(keys: S3Keys) -> object:
    return {
        "identities": [
            {
                "name": "weather",
                "credentials": [
                    {"accessKey": keys.access_key_id, "secretKey": keys.secret_access_key}
                ],
                "actions": ["Admin", "Read", "Write", "List", "Tagging"],
            }
        ]
    }


def _pairs(ports: list[int]) -> list[tuple[int, int]]:
    return list(zip(ports[::2], ports[1::2], strict=True))
