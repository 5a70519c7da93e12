"""Measure throughput and latency of the API and its baselines, memory, and reloads under load."""

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from statistics import median

import httpx
import psutil

from bench.api_baselines import NOT_MODIFIED, OURS, Request, running_servers
from bench.api_lakes import lake_of_a_year, lake_of_ten_years
from bench.api_load import CLIENTS, Load, client_name, load_by_own_client, load_on
from bench.lake import LOCATIONS
from bench.results import Result
from bench.sandbox import Sandbox
from local.processes import HttpServer
from local.session import Progress
from weather.errors import StepError
from weather.published import PUBLISHED_KEY, Published
from weather.storage import Store

WARM_UP_SECONDS = 1
ROUND_SECONDS = 2

RELOAD_LOAD_SECONDS = 15.0
RELOAD_PACE = 0.02
"""Seconds between two requests of a client, so that reloads get CPU time."""
RELOAD_TIMEOUT = 60.0
POLL_SECONDS = 0.02
MEGABYTE = 1_000_000

Loads = Mapping[str, Sequence[Load]]
"""Measured loads of each server, one for each round."""


def measure_api(sandbox: Sandbox, progress: Progress, rounds: int) -> list[Result]:
    """Measure the API and its baselines on a small mart and on a large mart."""
    logs = sandbox.folder / "logs"
    small = lake_of_a_year(sandbox)
    progress.done("lake of a year published for the API")
    with running_servers(small.environment, logs / "small", "lyon", progress) as servers:
        results = load_results(measured_loads(servers.requests, progress, rounds))
        memory = megabytes_of(servers.api)
        results.append(Result("api_megabytes", memory, "MB", "the API's memory with that mart"))
    large, snapshots = lake_of_ten_years(sandbox)
    progress.done(f"lake of ten years and {LOCATIONS:,} locations published for the API")
    with running_servers(large.environment, logs / "large", "place-0", progress) as servers:
        results += load_results(measured_loads(servers.requests, progress, rounds), "large_")
        address = servers.requests[OURS].address
        results += measure_reload(servers.api, address, large.store, snapshots, progress)
    return results


def measured_loads(requests: Mapping[str, Request], progress: Progress, rounds: int) -> Loads:
    """Measure each server's load in turn, in reverse order in every second round."""
    for each in requests.values():
        load_on(each.address, each.headers, WARM_UP_SECONDS)
    loads: dict[str, list[Load]] = {name: [] for name in requests}
    names = list(requests)
    for number in range(rounds):
        for name in names[:: -1 if number % 2 else 1]:
            each = requests[name]
            loads[name].append(load_on(each.address, each.headers, ROUND_SECONDS))
        latest = ", ".join(
            f"{name} {found[-1].requests_per_second:,.0f}" for name, found in loads.items()
        )
        progress.done(f"requests per second, round {number + 1} of {rounds}: {latest}")
    return loads


def ratio_to(loads: Loads, baseline: str) -> float:
    """Return the API's throughput over a baseline's: the median of the rounds' ratios."""
    pairs = zip(loads[OURS], loads[baseline], strict=True)
    return median(ours.requests_per_second / other.requests_per_second for ours, other in pairs)


def load_results(loads: Loads, prefix: str = "") -> list[Result]:
    """Return the results for one mart, with a prefix to the results' names."""
    baselines = {
        "ready_bytes": "uvicorn with the same bytes as constants; target: 0.8",
        "plain": "reading the Parquet file from S3 with pandas for each request; target: 200",
        "response_model": "a FastAPI route that serializes the same rows from memory",
    }
    return [
        *(
            Result(f"{prefix}summary_over_{name}", ratio_to(loads, name), "x", f"over {meaning}")
            for name, meaning in baselines.items()
        ),
        Result(
            f"{prefix}summary_requests_per_second",
            _rate(loads[OURS]),
            "1/s",
            f"365 days as JSON, 1 worker and 8 clients ({client_name()}) on one machine",
        ),
        Result(
            f"{prefix}summary_p99_milliseconds",
            _p99_milliseconds(loads[OURS]),
            "ms",
            f"their 99th percentile; constant bytes: {_p99_milliseconds(loads['ready_bytes']):.1f}",
        ),
        Result(
            f"{prefix}not_modified_requests_per_second",
            _rate(loads[NOT_MODIFIED]),
            "1/s",
            "the same request with If-None-Match and status 304",
        ),
    ]


def _rate(loads: Sequence[Load]) -> float:
    return median(load.requests_per_second for load in loads)


def _p99_milliseconds(loads: Sequence[Load]) -> float:
    return median(load.p99 for load in loads) * 1000


def measure_reload(
    api: HttpServer, address: str, store: Store, snapshots: Sequence[Published], progress: Progress
) -> list[Result]:
    """Measure reloads after new snapshots while clients send requests at a fixed rate.

    Args:
        api: the server of the last snapshot.
        address: the URL of the requests.
        store: the store of published.json.
        snapshots: two or more of the same lake.
        progress: reports the durations.

    Raises:
        StepError: a request failed, or a snapshot was not loaded in time.
    """
    resident = megabytes_of(api)
    quiet = load_by_own_client(address, {}, RELOAD_LOAD_SECONDS, RELOAD_PACE)
    seconds, peak = [], resident
    with ThreadPoolExecutor(1) as pool:
        load = pool.submit(load_by_own_client, address, {}, RELOAD_LOAD_SECONDS, RELOAD_PACE)
        for snapshot in cycle(snapshots):
            if load.done():
                break
            took, used = _reload(api, store, snapshot)
            seconds.append(took)
            peak = max(peak, used)
        disturbed = load.result()
    progress.done(f"{len(seconds)} reloads: {', '.join(f'{each:.1f}' for each in seconds)} s")
    return [
        Result("large_api_megabytes", resident, "MB", "the API's memory with that mart"),
        Result("large_api_peak_megabytes", peak, "MB", "the maximum while it reloads"),
        Result(
            "large_reload_seconds",
            median(seconds),
            "s",
            "from publishing a snapshot to serving it, up to 2 s of polling included",
        ),
        Result(
            "large_reload_worst_milliseconds",
            disturbed.worst * 1000,
            "ms",
            f"the slowest of {CLIENTS / RELOAD_PACE:.0f} requests per second during reloads",
        ),
        Result(
            "large_quiet_worst_milliseconds",
            quiet.worst * 1000,
            "ms",
            "the slowest of as many without a reload",
        ),
    ]


def megabytes_of(api: HttpServer) -> float:
    """Return the resident memory of the API's process."""
    (process,) = psutil.Process(api.service.supervisor.pid).children()
    return float(process.memory_info().rss) / MEGABYTE


def _reload(api: HttpServer, store: Store, snapshot: Published) -> tuple[float, float]:
    """Publish a snapshot. Return the seconds until the API serves it, and the peak memory."""
    peak = 0.0
    start = time.perf_counter()
    store.put(PUBLISHED_KEY, snapshot.model_dump_json().encode())
    with httpx.Client(base_url=api.address, trust_env=False) as client:
        while client.get("/readyz").json()["snapshot_id"] != snapshot.snapshot_id:
            if time.perf_counter() - start > RELOAD_TIMEOUT:
                raise StepError(
                    f"the API has not loaded snapshot {snapshot.snapshot_id} after"
                    f" {RELOAD_TIMEOUT:.0f} seconds; its log: {api.service.command.log}"
                )
            peak = max(peak, megabytes_of(api))
            time.sleep(POLL_SECONDS)
    return time.perf_counter() - start, peak
