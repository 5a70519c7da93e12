"""Run an example in a separate process and an empty folder, as a reader would."""

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
    """Return the example's output, with its server replaced by `address`.

    Args:
        example: code that names the page's server.
        address: the URL that replaces the page's server.
        folder: working directory and home, where DuckDB finds its extensions.

    Raises:
        AssertionError: the example failed.
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
    # The API's JSON ends without a line break, unlike a block of a page.
    return ended.stdout.replace(address, PAGES_SERVER).removesuffix("\n") + "\n"


PAGES_SERVER = "http://localhost:8000"
