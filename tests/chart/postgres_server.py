"""Run Postgres as the chart's pod does: prepare.sh first, then the server."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from local.processes import free_port
from tests.chart.helm import CHART
from tests.orphans import mark

FILES = CHART / "postgres"
NO_ROOT = 65534
"""Postgres does not run as root, so tests that run as root use this unprivileged user."""


@dataclass(frozen=True)
class Volume:
    """A volume that outlives a pod, and the pod's environment."""

    folder: Path
    files: Path
    user: int | None

    @property
    def data(self) -> Path:
        """Return the folder of the database cluster."""
        return self.folder / "pgdata"

    @property
    def postmaster(self) -> psutil.Process:
        """Return the process that accepts connections."""
        first_line = (self.data / "postmaster.pid").read_text(encoding="utf-8").splitlines()[0]
        return psutil.Process(int(first_line))

    def prepare(self, passwords: dict[str, str]) -> "subprocess.CompletedProcess[str]":
        """Run the init container's command."""
        return self._run("sh", str(self.files / "prepare.sh"), **passwords)

    @contextmanager
    def server(self) -> Iterator[int]:
        """Run the server and yield its port."""
        port, output = self._start()
        # Another process may take the port before the server starts.
        while port is None and "Address already in use" in output:
            port, output = self._start()
        assert port is not None, output
        try:
            yield port
        finally:
            self._run("pg_ctl", "stop", "--mode=fast", "--silent")

    def _start(self) -> tuple[int | None, str]:
        """Start the server on a free port. Return the port, if it started, and its output."""
        port = free_port()
        options = (
            f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories={self.folder}"
            f" -c hba_file={self.files / 'pg_hba.conf'}"
        )
        log = self.folder / "log"
        log.unlink(missing_ok=True)
        started = self._run(
            *("pg_ctl", "start", "--wait", "--silent", f"--log={log}", f"--options={options}")
        )
        output = log.read_text(encoding="utf-8") if log.exists() else started.stderr
        return None if started.returncode else port, output

    def inside(self, port: int, command: str, given: bytes = b"") -> bytes:
        """Return the output of a command in the server's pod with this standard input."""
        ended = subprocess.run(
            command.split(),
            env={"PATH": os.environ["PATH"], "PGHOST": str(self.folder), "PGPORT": str(port)},
            cwd=self.folder,
            input=given,
            capture_output=True,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr.decode()
        return ended.stdout

    def make_folder(self, folder: Path) -> None:
        """Create a folder on the volume for the server's user."""
        folder.mkdir()
        if self.user is not None:
            os.chown(folder, self.user, self.user)

    def crash(self) -> None:
        """Kill all processes of the server at once, as in a killed container."""
        processes = [self.postmaster, *self.postmaster.children(recursive=True)]
        for process in processes:
            # Most processes end when the server ends.
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(processes)

    def _run(self, *command: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            command,
            env={
                "PATH": os.environ["PATH"],
                "PGDATA": str(self.data),
                "PGHOST": str(self.folder),
                **mark(),
                **environment,
            },
            cwd=self.folder,
            user=self.user,
            group=self.user,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )


@contextmanager
def empty_volume() -> Iterator[Volume]:
    """Create an empty volume."""
    user = NO_ROOT if os.geteuid() == 0 else None
    # The server's user cannot enter a test's folder, and a socket's path must be short.
    folder = Path(tempfile.mkdtemp(prefix="weather-postgres-", dir="/tmp"))
    try:
        files = shutil.copytree(FILES, folder / "files")
        volume = Volume(folder / "volume", files, user)
        folder.chmod(0o755)
        volume.make_folder(volume.folder)
        yield volume
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def query(port: int, role: str, database: str, password: str, statement: str) -> str:
    """Return psql's output over the network, or its error."""
    result = subprocess.run(
        [
            *("psql", "--no-psqlrc", "--no-align", "--tuples-only", "--quiet", "--no-password"),
            *("--host=127.0.0.1", f"--port={port}", f"--username={role}"),
            *(f"--dbname={database}", f"--command={statement}"),
        ],
        env={"PATH": os.environ["PATH"], "PGPASSWORD": password, "PGCONNECT_TIMEOUT": "10"},
        capture_output=True,
        text=True,
        check=False,
    )
    return (result.stdout or result.stderr).strip()
