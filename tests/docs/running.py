"""Runs an example as a reader does who copies it: in a process of its own, in an empty folder."""

import os
import subprocess
import sys
from pathlib import Path

from tests.docs.examples import Example

SQL = """
import sys
import duckdb

print(duckdb.sql(sys.stdin.read()))
"""

COMMANDS = {
    "sh": ["bash", "-euo", "pipefail", "-s"],
    "python": [sys.executable, "-"],
    "sql": [sys.executable, "-c", SQL],
}


def printed_by(example: Example, address: str, folder: Path) -> str:
    """What it prints where the server of the page is at `address`.

    Args:
        example: it names the server as the page does.
        address: of the server that is asked instead.
        folder: the working directory, and the home, where DuckDB looks for its extensions.

    Raises:
        AssertionError: it failed.
    """
    ended = subprocess.run(
        COMMANDS[example.language],
        input=example.code.replace(PAGES_SERVER, address),
        cwd=folder,
        env={**os.environ, "HOME": str(folder), "NO_PROXY": "127.0.0.1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ended.returncode == 0, f"{example.code}\n{ended.stderr}"
    # The API's JSON ends without a line break, a block of a page with one.
    return ended.stdout.replace(address, PAGES_SERVER).removesuffix("\n") + "\n"


PAGES_SERVER = "http://localhost:8000"
