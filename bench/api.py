"""How fast the API answers, beside other ways to answer the same and the most that there can be."""

from collections.abc import Mapping, Sequence
from statistics import median

from bench.api_lakes import lake_of_a_year, lake_of_ten_years
from bench.api_load import Load, client_name, load_on
from bench.api_reload import measure_reload, megabytes_of
from bench.api_servers import NOT_MODIFIED, OURS, Asked, running_servers
from bench.load import LOCATIONS
from bench.results import Result
from bench.workplace import Workplace
from local.progress import Progress

SECONDS_OF_A_TURN = 2
SECONDS_TO_WARM_UP = 1

Loads = Mapping[str, Sequence[Load]]
"""By what was asked; the numbers of one round were measured right after another."""


def measure_api(workplace: Workplace, progress: Progress, rounds: int) -> list[Result]:
    """Put the API and its rivals under load in turn, on a small mart and on a large one."""
    folder = workplace.folder / "logs"
    small = lake_of_a_year(workplace)
    progress.done("a year is there for the API")
    with running_servers(small.environment, folder / "small", "lyon", progress) as servers:
        loads = loads_in_turn(servers.asked, progress, rounds)
        results = speeds(loads)
        memory = megabytes_of(servers.api)
        results.append(Result("api_megabytes", memory, "MB", "the API's memory with that mart"))
    large, snapshots = lake_of_ten_years(workplace)
    progress.done(f"ten years of {LOCATIONS:,} locations are there for the API")
    with running_servers(large.environment, folder / "large", "place-0", progress) as servers:
        loads = loads_in_turn(servers.asked, progress, rounds)
        results += speeds(loads, "large_")
        address = servers.asked[OURS].address
        results += measure_reload(servers.api, address, large.store, snapshots, progress)
    return results


def loads_in_turn(asked: Mapping[str, Asked], progress: Progress, rounds: int) -> Loads:
    """Ask each for a moment, again and again, every other time in the opposite order."""
    for each in asked.values():
        load_on(each.address, each.headers, SECONDS_TO_WARM_UP)
    loads: dict[str, list[Load]] = {name: [] for name in asked}
    names = list(asked)
    for number in range(rounds):
        for name in names[:: -1 if number % 2 else 1]:
            each = asked[name]
            loads[name].append(load_on(each.address, each.headers, SECONDS_OF_A_TURN))
        latest = ", ".join(
            f"{name} {found[-1].requests_per_second:,.0f}" for name, found in loads.items()
        )
        progress.done(f"requests a second, round {number + 1} of {rounds}: {latest}")
    return loads


def times(loads: Loads, rival: str) -> float:
    """How many times as many requests the API answers: the median of the rounds' ratios."""
    pairs = zip(loads[OURS], loads[rival], strict=True)
    return median(ours.requests_per_second / other.requests_per_second for ours, other in pairs)


def speeds(loads: Loads, prefix: str = "") -> list[Result]:
    """The numbers of one mart, their names with that prefix."""
    rivals = {
        "ready_bytes": "uvicorn handing out the same bytes as constants; 0.8 is wanted",
        "plain": "reading the Parquet file from S3 with pandas each time; 200 is wanted",
        "response_model": "a FastAPI route that serialises the same rows from memory",
    }
    ratios = [
        Result(f"{prefix}summary_over_{rival}", times(loads, rival), "x", f"over {meaning}")
        for rival, meaning in rivals.items()
    ]
    return [
        *ratios,
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
            "99 of 100 of these take less; the constant bytes:"
            f" {_p99_milliseconds(loads['ready_bytes']):.1f}",
        ),
        Result(
            f"{prefix}not_modified_requests_per_second",
            _rate(loads[NOT_MODIFIED]),
            "1/s",
            "the same with If-None-Match, answered by 304",
        ),
    ]


def _rate(loads: Sequence[Load]) -> float:
    return median(load.requests_per_second for load in loads)


def _p99_milliseconds(loads: Sequence[Load]) -> float:
    return median(load.p99 for load in loads) * 1000
