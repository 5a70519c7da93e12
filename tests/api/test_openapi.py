"""The API does what its description says, whatever it is asked: schemathesis looks for more."""

import os
import subprocess
from pathlib import Path

import httpx

from local.folders import PROJECT
from local.processes import program
from tests.api.server import PATIENCE

CASES = 40
"""For each path, beside its examples and the edges of each parameter."""

SECONDS = 800
"""It takes some thirty of these on a machine that has nothing else to do."""

HOOKS = {"SCHEMATHESIS_HOOKS": "tests.api.orderly_ranges", "PYTHONPATH": str(PROJECT)}


def test_schemathesis_finds_nothing(client: httpx.Client, tmp_path: Path) -> None:
    address = f"{str(client.base_url).rstrip('/')}/openapi.json"
    options = [f"--max-examples={CASES}", "--seed=1", "--no-shrink", "--no-color"]
    # How long it takes says nothing on a busy machine.
    options += [f"--request-timeout={PATIENCE}", "--suppress-health-check=too_slow"]
    ended = subprocess.run(
        [program("schemathesis"), "run", address, *options],
        cwd=tmp_path,
        env={**os.environ, **HOOKS},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    operations = len(client.get("/openapi.json").json()["paths"])
    assert f"Tested: {operations}" in ended.stdout
