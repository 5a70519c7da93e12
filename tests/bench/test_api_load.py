"""Measure a load of requests by wrk and by our own client."""

import json
import socketserver
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from select import PIPE_BUF

import pytest

from bench.api_load import CLIENTS, load_by_own_client, parse_wrk
from local.environment import PROJECT
from local.processes import python_module
from weather.errors import StepError

LONG = b"x" * 300_000
"""Body that needs more than one read."""

GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(LONG), LONG)
UNCHANGED = b"HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n"
BAD = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"
NOTHING = b""
"""Scripted response without a byte, after which the server closes the connection."""

PACE = 0.05
SECONDS = 3
"""Duration of a load. A busy machine may stall for some tenths of a second."""
STALL = SECONDS / 2


@contextmanager
def server(
    responses: Sequence[bytes], seconds: Sequence[float] = (0,)
) -> Iterator[tuple[str, list[bytes]]]:
    """Run a server that sends these responses in order on each connection, the last repeatedly.

    Yields:
        The address, and the requests received.
    """
    requests: list[bytes] = []

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            number = 0
            while request := self.request.recv(10_000):
                requests.append(request)
                time.sleep(seconds[min(number, len(seconds) - 1)])
                response = responses[min(number, len(responses) - 1)]
                if not response:
                    return
                try:
                    self.request.sendall(response)
                except OSError:
                    return
                number += 1

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        request_queue_size = CLIENTS

    with Server(("127.0.0.1", 0), Handler) as listening:
        threading.Thread(target=listening.serve_forever, args=[0.05], daemon=True).start()
        yield f"http://127.0.0.1:{listening.server_address[1]}/path?with=query", requests
        listening.shutdown()


@pytest.mark.slow
def test_complete_responses_are_counted_and_timed() -> None:
    with server([GOOD], seconds=[0.005]) as (address, requests):
        load = load_by_own_client(address, {"If-None-Match": '"1"'}, SECONDS)
    counted = round(load.requests_per_second * SECONDS)
    assert requests[0].startswith(b"GET /path?with=query HTTP/1.1\r\nHost: 127.0.0.1:")
    assert requests[0].endswith(b'\r\nIf-None-Match: "1"\r\n\r\n')
    # Each client may wait for one more response.
    assert len(requests) - CLIENTS <= counted <= len(requests)
    assert 0.005 <= load.p99 <= load.worst < SECONDS


@pytest.mark.slow
def test_responses_without_a_body_are_counted() -> None:
    with server([UNCHANGED]) as (address, _):
        load = load_by_own_client(address, {}, 1)
    assert load.requests_per_second > 2 * CLIENTS


@pytest.mark.slow
def test_the_summary_is_one_short_line() -> None:
    """A line with all latencies was truncated after 160 KiB."""
    with server([UNCHANGED]) as (address, _):
        command = python_module("bench.api_load", "--seconds", "1", address)
        ended = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True)
    assert set(json.loads(ended.stdout)) == {"load", "failures"}
    assert len(ended.stdout) < PIPE_BUF


@pytest.mark.slow
@pytest.mark.parametrize("responses", [[GOOD, BAD, GOOD], [GOOD, NOTHING]])
@pytest.mark.slow
def test_a_failed_request_is_an_error(responses: Sequence[bytes]) -> None:
    with (
        server(responses) as (address, _),
        pytest.raises(StepError, match=r"\d+ requests failed"),
    ):
        load_by_own_client(address, {}, SECONDS)


@pytest.mark.slow
def test_a_fixed_rate_is_not_exceeded() -> None:
    with server([UNCHANGED]) as (address, _):
        load = load_by_own_client(address, {}, SECONDS, every=PACE)
    assert load.requests_per_second == pytest.approx(CLIENTS / PACE, rel=0.2)


@pytest.mark.slow
def test_requests_due_while_a_server_stalls_are_sent_and_counted() -> None:
    with server([UNCHANGED], seconds=[STALL, 0]) as (address, _):
        load = load_by_own_client(address, {}, SECONDS, every=PACE)
    assert load.requests_per_second == pytest.approx(CLIENTS / PACE, rel=0.2)
    assert load.worst >= STALL
    assert load.p99 >= 0.9 * STALL


REPORT = """Running 2s test @ http://127.0.0.1:18444/weather/summary?location=lyon
  1 threads and 8 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   689.06us    1.50ms  {worst}   95.03%
    Req/Sec    16.36k     3.70k   20.57k    80.00%
  Latency Distribution
     50%  411.00us
     75%  501.00us
     90%  817.00us
     99%    {ninety_ninth}
  32566 requests in 2.00s, 2.07GB read
{failures}Requests/sec:  {rate}
Transfer/sec:      1.03GB
"""


def report(
    worst: str = "21.05ms", ninety_ninth: str = "7.80ms", rate: str = "16267.44", failures: str = ""
) -> str:
    return REPORT.format(worst=worst, ninety_ninth=ninety_ninth, rate=rate, failures=failures)


def test_wrk_output_is_parsed() -> None:
    load = parse_wrk(report())
    assert load.requests_per_second == 16267.44
    assert load.p99 == pytest.approx(0.0078)
    assert load.worst == pytest.approx(0.02105)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("987.00us", 0.000987), ("1.50ms", 0.0015), ("2.25s", 2.25), ("1.10m", 66.0)],
)
def test_each_unit_of_wrk_is_parsed(text: str, seconds: float) -> None:
    load = parse_wrk(report(worst=text, ninety_ninth=text))
    assert load.worst == load.p99 == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text",
    [
        report(failures="  Non-2xx or 3xx responses: 3\n"),
        report(failures="  Socket errors: connect 0, read 1, write 0, timeout 0\n"),
        report(rate="0.00"),
        "unable to connect to 127.0.0.1:1 Connection refused",
    ],
)
def test_failed_requests_in_wrk_output_are_an_error(text: str) -> None:
    with pytest.raises(StepError, match="wrk: requests failed"):
        parse_wrk(text)
