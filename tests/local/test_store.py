"""Start, share and end the local S3 server."""

import os
import signal
import socket
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from subprocess import Popen

import boto3
import httpx
import psutil
import pytest
from botocore.exceptions import ClientError

from local.environment import S3Keys, make_s3_keys
from local.processes import free_port, free_ports
from local.store import PORTS, S3Server, running_store, s3_client
from tests.local.observed_processes import running_with, wait_for
from weather.errors import StepError

pytestmark = pytest.mark.slow

Python = Callable[[str], "Popen[str]"]

HOLD_A_STORE = """
    import sys, time
    from pathlib import Path
    from local.supervisor import Interrupted, raise_on_signal
    from local.store import running_store

    raise_on_signal()
    try:
        with running_store(Path({folder!r})) as server:
            print(server.endpoint, flush=True)

            time.sleep(60)
    except Interrupted as interrupted:
        sys.exit(interrupted.exit_code)
"""


def put(server: S3Server, key: str, body: bytes) -> None:
    s3_client(server).put_object(Bucket="weather", Key=key, Body=body)


def get(server: S3Server, key: str) -> bytes:
    body: bytes = s3_client(server).get_object(Bucket="weather", Key=key)["Body"].read()
    return body


def test_objects_survive_a_restart_on_other_ports(tmp_path: Path) -> None:
    for number in range(3):
        with running_store(tmp_path) as server:
            put(server, f"raw/{number}", b"one" * 100_000)
            assert all(get(server, f"raw/{each}") == b"one" * 100_000 for each in range(number))


def test_the_environment_configures_an_s3_client(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_store(tmp_path, bucket="rain") as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        buckets = boto3.client("s3", region_name=server.environment["AWS_REGION"]).list_buckets()
    assert [bucket["Name"] for bucket in buckets["Buckets"]] == ["rain"]


def test_wrong_keys_are_rejected(tmp_path: Path) -> None:
    with running_store(tmp_path) as server:
        known = server.keys.access_key_id
        for keys in (make_s3_keys(), S3Keys(known, "not the secret")):
            with pytest.raises(ClientError, match=r"InvalidAccessKeyId|SignatureDoesNotMatch"):
                put(replace(server, keys=keys), "raw/1", b"one")


def test_no_port_serves_data_without_keys(tmp_path: Path) -> None:
    with running_store(tmp_path) as server:
        put(server, "raw/1", b"for our eyes only")
        for port in server.ports:
            for path in ("weather/raw/1", "buckets/weather/raw/1"):
                try:
                    response = httpx.get(f"http://127.0.0.1:{port}/{path}", timeout=5)
                except httpx.HTTPError:
                    continue  # a port for gRPC
                assert response.status_code in (400, 403, 404)
                assert b"for our eyes only" not in response.content


def test_the_server_listens_on_loopback_only(tmp_path: Path) -> None:
    with running_store(tmp_path) as server:
        (service,) = psutil.Process(server.supervisor).children()
        listening = [each for each in service.net_connections("tcp") if each.status == "LISTEN"]
    assert server.ports[0] in {each.laddr.port for each in listening}
    assert {each.laddr.ip for each in listening} == {"127.0.0.1"}


def modes_of_files_with(words: bytes, folder: Path) -> Iterator[tuple[str, int]]:
    """Yield name and mode of each file in a folder tree whose content contains the words."""
    for parent, _, names in os.walk(folder):
        for name in names:
            # The server renames and removes files all the time.
            with suppress(FileNotFoundError):
                path = Path(parent, name)
                if words in path.read_bytes():
                    yield name, stat.S_IMODE(path.stat().st_mode)


def test_key_files_have_mode_600(tmp_path: Path) -> None:
    with running_store(tmp_path) as server:
        secret = server.keys.secret_access_key
        holding = dict(modes_of_files_with(secret.encode(), tmp_path))
        assert holding == dict.fromkeys(["identities.json", "server.json"], 0o600)
        assert secret not in repr(server)


def test_no_process_or_socket_remains(tmp_path: Path) -> None:
    with running_store(tmp_path) as server:
        assert running_with(str(tmp_path))
    assert not running_with(str(tmp_path))
    for port in server.ports:
        assert not list(Path("/tmp").glob(f"seaweedfs-*-{port}.sock"))


def test_the_server_uses_the_requested_port(tmp_path: Path) -> None:
    port = free_port()
    with running_store(tmp_path, port=port) as server:
        assert server.endpoint == f"http://127.0.0.1:{port}"


def test_the_requested_port_is_used_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ports = free_ports(PORTS)
    monkeypatch.setattr("local.store.free_ports", lambda _count: ports)
    with running_store(tmp_path, port=ports[1]) as server:
        assert server.ports == [ports[1], ports[0], *ports[2:]]


def test_a_taken_port_is_reported_in_one_line(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with (
            pytest.raises(StepError, match=f"port {port} .* S3 .* already in use") as raised,
            running_store(tmp_path, port=port),
        ):
            pass
    assert "\n" not in str(raised.value)
    assert not running_with(str(tmp_path))


def test_a_taken_port_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        chosen = [[taken, *free_ports(PORTS - 1)], free_ports(PORTS)]
        monkeypatch.setattr("local.store.free_ports", lambda _: chosen.pop(0))
        with running_store(tmp_path) as server:
            put(server, "raw/1", b"one")
    assert chosen == []


def test_two_commands_share_one_server_and_the_last_ends_it(tmp_path: Path, python: Python) -> None:
    other = python(HOLD_A_STORE.format(folder=str(tmp_path)))
    assert other.stdout is not None
    endpoint = other.stdout.readline().strip()
    with running_store(tmp_path) as server:
        assert server.endpoint == endpoint
        other.send_signal(signal.SIGTERM)
        assert other.wait(60) == 128 + signal.SIGTERM
        put(server, "raw/1", b"still here")
    assert not running_with(str(tmp_path))


def test_a_shared_server_cannot_have_a_second_port_or_other_keys(tmp_path: Path) -> None:
    with running_store(tmp_path):
        with (
            pytest.raises(StepError, match="another command of this folder"),
            running_store(tmp_path, port=free_port()),
        ):
            pass
        with (
            pytest.raises(StepError, match="AWS_ACCESS_KEY_ID"),
            running_store(tmp_path, keys=make_s3_keys()),
        ):
            pass


def test_a_killed_command_leaves_no_server(tmp_path: Path, python: Python) -> None:
    command = python(HOLD_A_STORE.format(folder=str(tmp_path)))
    assert command.stdout is not None
    assert command.stdout.readline().startswith("http://127.0.0.1:")
    command.kill()
    wait_for(lambda: not running_with(str(tmp_path)))
    with running_store(tmp_path) as server:
        put(server, "raw/1", b"as if nothing had happened")


def test_a_killed_server_is_restarted(tmp_path: Path) -> None:
    with running_store(tmp_path) as server:
        put(server, "raw/1", b"stored")
        (service,) = psutil.Process(server.supervisor).children()
        service.kill()
        wait_for(
            lambda: not psutil.pid_exists(server.supervisor) or not running_with(str(tmp_path))
        )
    with running_store(tmp_path) as server:
        assert get(server, "raw/1") == b"stored"


@pytest.mark.parametrize("content", ["", '{"ports": [1', "{}"])
def test_an_incomplete_server_json_is_ignored(tmp_path: Path, content: str) -> None:
    (tmp_path / "server.json").write_text(content)
    with running_store(tmp_path) as server:
        put(server, "raw/1", b"one")


def test_a_removed_data_folder_is_reported(tmp_path: Path) -> None:
    folder = tmp_path / "s3"
    with running_store(folder) as server:
        assert server.has_new_bucket
        server.require_running(folder / "log")
        folder.rename(tmp_path / "removed")
        with pytest.raises(StepError, match=f"folder {folder} was removed .* start again"):
            server.require_running(folder / "log")
    wait_for(lambda: not running_with(str(folder)))
    with running_store(folder) as server:
        assert server.has_new_bucket
    with running_store(folder) as server:
        assert not server.has_new_bucket


def test_a_failed_start_is_reported_with_the_last_lines(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "filerldb2").write_text("a file where SeaweedFS wants a folder")
    with (
        pytest.raises(StepError, match=r"S3 has ended; its last lines: .*its log: .*server\.log"),
        running_store(tmp_path),
    ):
        pass
    assert not running_with(str(tmp_path))
    assert not (tmp_path / "server.json").exists()
