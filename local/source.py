"""Where the weather comes from: Open-Meteo where it answers, and the replay server where not."""

import contextlib
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

from local.health import responds
from local.ports import LOOPBACK, free_port
from local.processes import Command, Service, python_module, running
from weather.errors import ExitCode, StepError
from weather.settings import SourceSettings
from weather.source import OPEN_METEO as WEATHER
from weather.source import REPLAY

OPEN_METEO = str(SourceSettings.model_fields["open_meteo_url"].default)
ANSWER_SECONDS = 3.0
OUTSIDE_LAKE = ("AWS_ENDPOINT_URL", "LAKE_CATALOG")
"""The settings that name a store or a catalog which this machine's runtime has not made."""
SMALLEST_QUESTION = "latitude=45.75&longitude=4.85&hourly=temperature_2m&forecast_days=1"


@dataclass(frozen=True)
class Source:
    """Where the weather comes from.

    `environment` has the settings to add for it, `news` says what was chosen and why,
    `attribution` names whose data it is, and `replay` is the server where it is no weather at all.
    """

    environment: Mapping[str, str]
    news: str
    attribution: str
    replay: Service | None = None


@contextlib.contextmanager
def running_source(environment: Mapping[str, str], log: Path) -> Iterator[Source]:
    """Run the source that `environment` names, or Open-Meteo, or a replay inside the `with`.

    Raises:
        StepError: a replay would be written to a store or a catalog from outside.
    """
    if address := environment.get("OPEN_METEO_URL"):
        yield Source(
            environment={},
            news=f"source: {address}, as OPEN_METEO_URL says",
            attribution=f"Weather data as {address} gave it",
        )
    elif answers(OPEN_METEO):
        yield Source(
            environment={},
            news=f"source: {OPEN_METEO}",
            attribution=WEATHER.attribution,
        )
    elif outside := [name for name in OUTSIDE_LAKE if environment.get(name)]:
        raise StepError(
            f"{OPEN_METEO} did not respond within {ANSWER_SECONDS:g} s, and a replay must not be "
            f"written to a store or a catalog from outside ({', '.join(outside)}). Nothing was "
            f"written. Try again, or set OPEN_METEO_URL; {OPEN_METEO} there skips this check.",
            ExitCode.UNAVAILABLE,
        )
    else:
        with running_replay(environment, log) as (address, replay):
            yield Source(
                environment={"OPEN_METEO_URL": address, "OPEN_METEO_ARCHIVE_URL": address},
                news=f"source: {OPEN_METEO} cannot be reached, so a replay server at {address}",
                attribution=REPLAY.attribution,
                replay=replay,
            )


def answers(address: str) -> bool:
    """Whether Open-Meteo's service is found at `address` within `ANSWER_SECONDS`."""
    answered = threading.Event()

    def ask() -> None:
        with contextlib.suppress(httpx.HTTPError, ValueError):
            question = f"{address}/v1/forecast?{SMALLEST_QUESTION}"
            answer = httpx.get(question, timeout=ANSWER_SECONDS).json()
            # A refusal is an answer too; the page of a proxy in between is none.
            if isinstance(answer, dict) and {"hourly", "reason"} & answer.keys():
                answered.set()

    # A thread, because no time limit reaches into the look-up of a host's name.
    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(ANSWER_SECONDS)
    return answered.is_set()


@contextlib.contextmanager
def running_replay(environment: Mapping[str, str], log: Path) -> Iterator[tuple[str, Service]]:
    """A replay server inside the `with`, and the address where it answers."""
    port = free_port()
    address = f"http://{LOOPBACK}:{port}"
    command = Command(
        "the replay server", python_module("weather.replay", "--port", str(port)), environment, log
    )
    with running(command) as replay:
        replay.wait_until(lambda: responds(f"{address}/healthz"))
        yield address, replay
