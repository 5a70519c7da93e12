"""Render charts with the machine's Helm."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.pod_rules import Manifest

PROJECT = Path(__file__).resolve().parents[2]
CHART = PROJECT / "chart"
KUBERNETES = "1.34"
"""Kubernetes version that charts are rendered for and validated against."""


class RenderError(Exception):
    """Helm failed to render the chart."""


@dataclass(frozen=True)
class Helm:
    """A Helm program, version 3 or 4."""

    program: str

    def rendered(
        self,
        chart: Path,
        release: str,
        namespace: str,
        *arguments: str,
        values: dict[str, Any] | None = None,
    ) -> list[Manifest]:
        """Return the objects that an installation would send to the cluster, in order.

        Args:
            chart: a folder or an archive.
            release: the release's name.
            namespace: the release's namespace.
            arguments: further arguments of `helm template`.
            values: the content of a values file.

        Raises:
            RenderError: the chart rejects the values.
        """
        result = subprocess.run(
            [
                *(self.program, "template", release, str(chart), "--namespace", namespace),
                *("--kube-version", KUBERNETES, "--values", "-"),
                *arguments,
            ],
            input=yaml.safe_dump(values or {}),
            capture_output=True,
            text=True,
            check=False,
        )
        if result.returncode != 0:
            raise RenderError(result.stderr)
        # safe_load_all takes ten times as long.
        return [each for each in yaml.load_all(result.stdout, Loader=yaml.CSafeLoader) if each]


def required_helm() -> Helm:
    """Return the Helm program of HELM or PATH, or skip the test without Helm."""
    program = os.environ.get("HELM") or shutil.which("helm")
    if program is None:
        pytest.skip("helm not found: put it on PATH or set HELM")
    return Helm(program)


def of_kind(manifests: Sequence[Manifest], kind: str) -> dict[str, Manifest]:
    """Return the objects of a kind by name."""
    return {each["metadata"]["name"]: each for each in manifests if each["kind"] == kind}
