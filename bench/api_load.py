"""Eight clients that ask one address as fast as they are answered: wrk, or our own without it."""

import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass

from local.folders import PROJECT
from local.processes import python_module
from weather.errors import StepError

CLIENTS = 8
IN_SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0}

RATE = re.compile(r"Requests/sec: +([0-9.]+)")
NINETY_NINTH = re.compile(r"99% +([0-9.]+)(us|ms|s|m)")
WORST = re.compile(r"Latency +\S+ +\S+ +([0-9.]+)(us|ms|s|m)")
FAILURES = re.compile(r"(?:Non-2xx or 3xx responses|Socket errors): .*")


@dataclass(frozen=True)
class Load:
    """What eight clients saw; latencies in seconds."""

    requests_per_second: float
    p99: float
    worst: float


def client_name() -> str:
    """The program that asks: its own work is on this machine too."""
    return "wrk" if shutil.which("wrk") else "bench.api_client (there is no wrk)"


def load_on(address: str, headers: Mapping[str, str], seconds: int) -> Load:
    """Ask for that long with nothing in between, over kept-alive connections.

    Raises:
        StepError: an answer is neither 200 nor 304, or none came: what was measured is no answer.
    """
    if shutil.which("wrk"):
        return load_by_wrk(address, headers, seconds)
    return load_by_own_client(address, headers, seconds)


def load_by_wrk(address: str, headers: Mapping[str, str], seconds: int) -> Load:
    """As `load_on`, by wrk with one thread: the other core is the server's."""
    options = [f"-c{CLIENTS}", "-t1", f"-d{seconds}s", "--timeout", "30s", "--latency"]
    command = ["wrk", *options, *_options("-H", headers), address]
    return load_of_wrk(_output(command))


def load_of_wrk(report: str) -> Load:
    """What wrk's report says.

    Raises:
        StepError: it tells of failures, or of no answer at all.
    """
    rate, ninety_ninth, worst = (each.search(report) for each in (RATE, NINETY_NINTH, WORST))
    failures = FAILURES.search(report)
    if failures or not (rate and ninety_ninth and worst) or float(rate[1]) == 0:
        raise StepError(f"wrk was not answered well: {failures[0] if failures else report}")
    return Load(float(rate[1]), _seconds(ninety_ninth), _seconds(worst))


def load_by_own_client(
    address: str, headers: Mapping[str, str], seconds: float, every: float = 0.0
) -> Load:
    """As `load_on`, by a Python process.

    Args:
        address: what is asked for.
        headers: sent with each request.
        seconds: how long to ask.
        every: seconds from one request of a client to its next; with 0, as fast as answered.
    """
    options = ["--connections", str(CLIENTS), "--seconds", str(seconds), "--every", str(every)]
    command = python_module("bench.api_client", *options, *_options("--header", headers), address)
    seen = json.loads(_output(command))
    latencies: list[float] = seen["latencies"]
    if seen["failures"] or not latencies:
        raise StepError(f"{address} was not answered well {seen['failures'] or 'even'} times")
    ninety_ninth = latencies[int(0.99 * (len(latencies) - 1))]
    return Load(len(latencies) / seconds, ninety_ninth, latencies[-1])


def _options(name: str, headers: Mapping[str, str]) -> list[str]:
    return [part for header, value in headers.items() for part in (name, f"{header}: {value}")]


def _output(command: list[str]) -> str:
    ended = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise StepError(f"{command[0]} failed: {ended.stderr.strip()}")
    return ended.stdout


def _seconds(found: re.Match[str]) -> float:
    return float(found[1]) * IN_SECONDS[found[2]]
