"""New snapshots of a large mart: how long one takes to load, and what clients notice of it."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from statistics import median

import httpx
import psutil

from bench.api_load import CLIENTS, Load, load_by_own_client
from bench.results import Result
from local.api import RunningApi
from local.progress import Progress
from weather.errors import StepError
from weather.published import PUBLISHED_KEY, Published
from weather.storage import Store

SECONDS_ASKED = 15.0
PACE = 0.02
"""Seconds from one request of a client to its next: a load that leaves time to reload."""

SECONDS_TO_RELOAD = 60.0
POLL_SECONDS = 0.02
MEGABYTE = 1_000_000


def measure_reload(
    api: RunningApi, address: str, store: Store, snapshots: Sequence[Published], progress: Progress
) -> list[Result]:
    """Publish the snapshots in turn, again and again, while clients ask at a fixed pace.

    Args:
        api: it serves the last of the snapshots.
        address: what clients ask it for.
        store: where the API looks for what is published.
        snapshots: two or more of the same lake.
        progress: is told how it went.

    Raises:
        StepError: a request failed, or a snapshot was not loaded in time.
    """
    resident = megabytes_of(api)
    quiet = _asked(address)
    seconds, peak = [], resident
    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(_asked, address)
        for snapshot in cycle(snapshots):
            if asking.done():
                break
            took, used = _reload(api, store, snapshot)
            seconds.append(took)
            peak = max(peak, used)
        disturbed = asking.result()
    progress.done(f"{len(seconds)} reloads: {', '.join(f'{each:.1f}' for each in seconds)} s")
    return [
        Result("large_api_megabytes", resident, "MB", "the API's memory with that mart"),
        Result("large_api_peak_megabytes", peak, "MB", "the most while it reloads"),
        Result(
            "large_reload_seconds",
            median(seconds),
            "s",
            "from naming a snapshot to serving it; up to 2 of these are the wait for a look",
        ),
        Result(
            "large_reload_worst_milliseconds",
            disturbed.worst * 1000,
            "ms",
            f"the slowest of {CLIENTS / PACE:.0f} requests a second through these reloads",
        ),
        Result(
            "large_quiet_worst_milliseconds",
            quiet.worst * 1000,
            "ms",
            "the slowest of as many without a reload",
        ),
    ]


def megabytes_of(api: RunningApi) -> float:
    """The memory of the API's process that is in RAM."""
    (process,) = psutil.Process(api.service.keeper.pid).children()
    return float(process.memory_info().rss) / MEGABYTE


def _asked(address: str) -> Load:
    return load_by_own_client(address, {}, SECONDS_ASKED, every=PACE)


def _reload(api: RunningApi, store: Store, snapshot: Published) -> tuple[float, float]:
    """Publish it; the seconds until it is served, and the most memory of that time."""
    peak = 0.0
    start = time.perf_counter()
    store.put(PUBLISHED_KEY, snapshot.model_dump_json().encode())
    with httpx.Client(base_url=api.address, trust_env=False) as client:
        while client.get("/readyz").json()["snapshot_id"] != snapshot.snapshot_id:
            if time.perf_counter() - start > SECONDS_TO_RELOAD:
                raise StepError(
                    f"The API does not serve snapshot {snapshot.snapshot_id} after"
                    f" {SECONDS_TO_RELOAD:.0f} seconds; its log: {api.service.command.log}"
                )
            peak = max(peak, megabytes_of(api))
            time.sleep(POLL_SECONDS)
    return time.perf_counter() - start, peak
