"""Find the images that `make cluster` has installed, and repeat the installation."""

import os
import subprocess

from local.environment import PROJECT
from tests.cluster.connection import Cluster
from tests.cluster.namespaces import WEATHER
from weather.errors import ExitCode, StepError


def installed_image(cluster: Cluster, name: str) -> str:
    """Return one of the project's images with the installed prefix and tag."""
    prefix, tag = _prefix_and_tag(cluster)
    return f"{prefix}{name}:{tag}"


def install_again(cluster: Cluster, **settings: str) -> None:
    """Run the script of `make cluster` on kubectl's current context again.

    Args:
        cluster: the context's cluster.
        settings: further settings of the script.

    Raises:
        StepError: the script failed. The message has its last lines.
    """
    prefix, tag = _prefix_and_tag(cluster)
    source = "replay" if _has_replay(cluster) else "open-meteo"
    again = {"CLUSTER": "current", "SOURCE": source, "TAG": tag, "WEATHER_IMAGE_PREFIX": prefix}
    ended = subprocess.run(
        [str(PROJECT / "scripts" / "cluster" / "up")],
        env={**os.environ, **again, **settings},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if ended.returncode:
        raise StepError(f"scripts/cluster/up failed: {ended.stdout[-2000:]}", ExitCode.UNAVAILABLE)


def _prefix_and_tag(cluster: Cluster) -> tuple[str, str]:
    api = cluster.apps.read_namespaced_deployment("weather-api", WEATHER).spec.template.spec
    prefix, _, tag = api.containers[0].image.rpartition("api:")
    return prefix, tag


def _has_replay(cluster: Cluster) -> bool:
    deployments = cluster.apps.list_namespaced_deployment(WEATHER).items
    return any(each.metadata.name == "weather-replay" for each in deployments)
