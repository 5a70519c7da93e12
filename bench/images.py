"""Measure the images: their sizes, and the seconds from `docker run` to a program's end."""

import os
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from bench.results import Result
from local.environment import PROJECT
from local.processes import Command, run_step
from local.session import Progress
from weather.errors import StepError

SETTINGS = {
    "AWS_ACCESS_KEY_ID": "nobody",
    "AWS_SECRET_ACCESS_KEY": "nothing",
    "LAKE_CATALOG": "postgres:host=nowhere",
}
"""Valid settings for the measured programs, which connect to no server."""

BUILDX_SINCE = 23
"""First major version of Docker whose client needs the buildx plugin for BuildKit."""

DBT_LIST = "dbt list --select weather.stg_weather --profile weather --target lake"


@dataclass(frozen=True)
class Start:
    """A program that imports the modules of a pod's program, and ends."""

    image: str
    command: str
    meaning: str


STARTS = (
    Start("ingest", "python -m weather.ingest --help", "ingest's program loaded"),
    Start("dbt", f"{DBT_LIST} --project-dir /app/dbt_project", "dbt and its parsed project loaded"),
    Start("airflow", "python dags/weather_pipeline.py", "Airflow and the DAG file loaded"),
    Start("replay", "python -m weather.replay --help", "the replay server's program loaded"),
    Start(
        "store-setup",
        "python -c 'import weather.store_setup.__main__'",
        "the store's set-up loaded",
    ),
    Start("api", "python -m api --help", "the API's program loaded"),
)


def measure_images(progress: Progress, rounds: int) -> list[Result]:
    """Build and measure the images. Report a skip if Docker cannot build.

    Raises:
        StepError: an image cannot be built, or its program fails.
    """
    if reason := skip_reason():
        progress.done(f"skipped: sizes and starts of the images: {reason}")
        return []
    with TemporaryDirectory(prefix="weather-bench-") as folder:
        log = Path(folder) / "images.log"
        run_step(Command("scripts/images", ["scripts/images"], os.environ, log))
    names = image_names()
    progress.done("images built")
    results = [_size(image, name) for image, name in names.items()]
    overhead = median(_seconds(names["store-setup"], "true") for _ in range(rounds))
    results.append(Result("container_start_seconds", overhead, "s", "a container that runs `true`"))
    for start in STARTS:
        seconds = median(_seconds(names[start.image], start.command) for _ in range(rounds))
        meaning = f"{start.meaning}, with the container's start"
        results.append(Result(f"image_{_name(start.image)}_start_seconds", seconds, "s", meaning))
    progress.done(f"a program started {rounds} times in each image")
    return results


def skip_reason() -> str | None:
    """Return the reason why images cannot be built, or None."""
    if shutil.which("docker") is None or _docker("version").returncode:
        return "cannot reach a Docker engine"
    major = _docker("version", "--format", "{{.Client.Version}}").stdout.partition(".")[0]
    has_buildkit = major.isdecimal() and int(major) < BUILDX_SINCE
    if not has_buildkit and _docker("buildx", "version").returncode:
        return "Docker has no buildx"
    return None


def image_names() -> dict[str, str]:
    """Return the full name of each image, as built from the current files."""
    listed = subprocess.run(
        ["scripts/images", "names"], cwd=PROJECT, stdout=subprocess.PIPE, text=True, check=True
    )
    prefix = os.environ.get("WEATHER_IMAGE_PREFIX") or "weather-"
    return {
        name.removeprefix(prefix).rpartition(":")[0]: name for name in listed.stdout.splitlines()
    }


def _name(image: str) -> str:
    """Return an image's part of a result's name."""
    return image.replace("-", "_")


def _size(image: str, name: str) -> Result:
    size = int(_checked("image", "inspect", "--format", "{{.Size}}", name).stdout)
    return Result(f"image_{_name(image)}_megabytes", size / 1e6, "MB", f"size of the image {image}")


def _seconds(name: str, command: str) -> float:
    """Time a command in a read-only container without a network."""
    settings = [f"--env={variable}={value}" for variable, value in SETTINGS.items()]
    arguments = ["--rm", "--read-only", "--tmpfs=/tmp", "--network=none", *settings]
    start = time.perf_counter()
    _checked("run", *arguments, name, "bash", "-c", command)
    return time.perf_counter() - start


def _checked(*arguments: str) -> subprocess.CompletedProcess[str]:
    ended = _docker(*arguments)
    if ended.returncode:
        last = (ended.stderr.strip().splitlines() or ["no output"])[-1]
        raise StepError(f"docker {' '.join(arguments)} failed: {last}")
    return ended


def _docker(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False)
