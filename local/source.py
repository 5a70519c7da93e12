"""Choose the source of the weather: Open-Meteo, or a replay server if Open-Meteo is unreachable."""

import contextlib
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

from local.processes import Command, HttpServer, Service, free_port, python_module, running_server
from weather.errors import ExitCode, StepError
from weather.settings import SourceSettings
from weather.source import OPEN_METEO as WEATHER
from weather.source import REPLAY

OPEN_METEO = str(SourceSettings.model_fields["open_meteo_url"].default)
RESPONSE_SECONDS = 3.0
EXTERNAL_LAKE = ("AWS_ENDPOINT_URL", "LAKE_CATALOG")
"""Settings that name a store or a catalog outside of this runtime."""
SMALLEST_REQUEST = "latitude=45.75&longitude=4.85&hourly=temperature_2m&forecast_days=1"


@dataclass(frozen=True)
class Source:
    """A source of weather.

    `environment` has its settings, `message` names the source and the reason for it, and `replay`
    is the replay server if the source is one.
    """

    environment: Mapping[str, str]
    message: str
    attribution: str
    replay: Service | None = None


@contextlib.contextmanager
def running_source(environment: Mapping[str, str], log: Path) -> Iterator[Source]:
    """Choose OPEN_METEO_URL, or Open-Meteo, or a replay server that runs inside the `with`.

    Raises:
        StepError: a replay would be written to an external store or catalog.
    """
    if address := environment.get("OPEN_METEO_URL"):
        yield Source({}, f"source: {address} (OPEN_METEO_URL)", f"Weather data from {address}")
    elif is_open_meteo(OPEN_METEO):
        yield Source({}, f"source: {OPEN_METEO}", WEATHER.attribution)
    elif external := [name for name in EXTERNAL_LAKE if environment.get(name)]:
        raise StepError(
            f"{OPEN_METEO} did not respond within {RESPONSE_SECONDS:g} s, and a replay must not be "
            f"written to an external store or catalog ({', '.join(external)}). Nothing was "
            f"written. Try again, or set OPEN_METEO_URL; {OPEN_METEO} there skips this check.",
            ExitCode.UNAVAILABLE,
        )
    else:
        with running_replay(environment, log) as replay:
            yield Source(
                {"OPEN_METEO_URL": replay.address, "OPEN_METEO_ARCHIVE_URL": replay.address},
                f"source: replay server at {replay.address}; {OPEN_METEO} cannot be reached",
                REPLAY.attribution,
                replay.service,
            )


def is_open_meteo(address: str) -> bool:
    """Return whether Open-Meteo's API responds at `address` within `RESPONSE_SECONDS`."""
    found = threading.Event()

    def probe() -> None:
        with contextlib.suppress(httpx.HTTPError, ValueError):
            url = f"{address}/v1/forecast?{SMALLEST_REQUEST}"
            body = httpx.get(url, timeout=RESPONSE_SECONDS).json()
            # An API error proves that the service is reachable; a proxy's HTML page does not.
            if isinstance(body, dict) and {"hourly", "reason"} & body.keys():
                found.set()

    # In a thread, because httpx's timeout does not limit the DNS lookup.
    thread = threading.Thread(target=probe, daemon=True)
    thread.start()
    thread.join(RESPONSE_SECONDS)
    return found.is_set()


@contextlib.contextmanager
def running_replay(environment: Mapping[str, str], log: Path) -> Iterator[HttpServer]:
    """Run a replay server inside the `with`."""
    command = Command("the replay server", python_module("weather.replay"), environment, log)
    with running_server(command, free_port()) as server:
        yield server
