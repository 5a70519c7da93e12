"""Where the weather comes from: Open-Meteo where it answers, and the replay server where not."""

import contextlib
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx

from local.health import responds
from local.ports import LOOPBACK, free_port
from local.processes import Command, python_module, running
from weather.settings import SourceSettings

ANSWER_SECONDS = 3.0
DEFAULT_ADDRESS = str(SourceSettings.model_fields["open_meteo_url"].default)
START_SECONDS = 30.0
SMALLEST_QUESTION = {"latitude": 45.75, "longitude": 4.85, "current": "temperature_2m"}


def answers(address: str) -> bool:
    """Whether Open-Meteo's service is found at `address` within `ANSWER_SECONDS`."""
    answered = threading.Event()

    def ask() -> None:
        with contextlib.suppress(httpx.HTTPError, ValueError):
            answer = httpx.get(
                f"{address}/v1/forecast", params=SMALLEST_QUESTION, timeout=ANSWER_SECONDS
            ).json()
            # A refusal is an answer too; the page of a proxy in between is none.
            if isinstance(answer, dict) and {"current", "reason"} & answer.keys():
                answered.set()

    # A thread, because no time limit reaches into the look-up of a host's name.
    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(ANSWER_SECONDS)
    return answered.is_set()


@contextlib.contextmanager
def running_replay(environment: Mapping[str, str], log: Path) -> Iterator[str]:
    """The address of a replay server that runs inside the `with`."""
    port = free_port()
    address = f"http://{LOOPBACK}:{port}"
    command = Command(
        "the replay server", python_module("replay", "--port", str(port)), environment, log
    )
    with running(command, lambda: responds(f"{address}/healthz"), START_SECONDS):
        yield address
