"""Our own client sees what a server answers, and says how long it took."""

import socketserver
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

from bench.api_load import CLIENTS, load_by_own_client
from weather.errors import StepError

LONG = b"x" * 300_000
"""More than comes in one piece."""

GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(LONG), LONG)
UNCHANGED = b"HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n"
BAD = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"
NOTHING = b""
"""The connection is closed."""

PACE = 0.05
SECONDS = 3
"""Of which a busy machine may stand still for some tenths."""
STANDSTILL = SECONDS / 2


@contextmanager
def server(
    answers: Sequence[bytes], seconds: Sequence[float] = (0,)
) -> Iterator[tuple[str, list[bytes]]]:
    """Gives each connection these answers after these seconds, the last of both forever.

    Its address, and what it was asked.
    """
    requests: list[bytes] = []

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            number = 0
            while request := self.request.recv(10_000):
                requests.append(request)
                time.sleep(seconds[min(number, len(seconds) - 1)])
                answer = answers[min(number, len(answers) - 1)]
                if not answer:
                    return
                try:
                    self.request.sendall(answer)
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


def test_it_counts_whole_answers_and_times_them() -> None:
    with server([GOOD], seconds=[0.005]) as (address, requests):
        load = load_by_own_client(address, {"If-None-Match": '"1"'}, SECONDS)
    answered = round(load.requests_per_second * SECONDS)
    assert requests[0].startswith(b"GET /path?with=query HTTP/1.1\r\nHost: 127.0.0.1:")
    assert requests[0].endswith(b'\r\nIf-None-Match: "1"\r\n\r\n')
    # Each client may have been waiting for one more.
    assert len(requests) - CLIENTS <= answered <= len(requests)
    assert 0.005 <= load.p99 <= load.worst < SECONDS


def test_it_takes_answers_without_a_body() -> None:
    with server([UNCHANGED]) as (address, _):
        load = load_by_own_client(address, {}, SECONDS)
    assert load.requests_per_second * SECONDS > 2 * CLIENTS


@pytest.mark.parametrize("answers", [[GOOD, BAD, GOOD], [GOOD, NOTHING]])
def test_a_failed_answer_is_no_measurement(answers: Sequence[bytes]) -> None:
    with (
        server(answers) as (address, _),
        pytest.raises(StepError, match=r"was not answered well \d+ times"),
    ):
        load_by_own_client(address, {}, SECONDS)


def test_clients_at_a_pace_ask_no_more_than_that() -> None:
    with server([UNCHANGED]) as (address, _):
        load = load_by_own_client(address, {}, SECONDS, every=PACE)
    assert load.requests_per_second == pytest.approx(CLIENTS / PACE, rel=0.2)


def test_a_server_that_stands_still_is_not_asked_less_often_for_it() -> None:
    """The requests that are due while a client waits are late too, and are made up for."""
    with server([UNCHANGED], seconds=[STANDSTILL, 0]) as (address, _):
        load = load_by_own_client(address, {}, SECONDS, every=PACE)
    assert load.requests_per_second == pytest.approx(CLIENTS / PACE, rel=0.2)
    assert load.worst >= STANDSTILL
    assert load.p99 >= 0.9 * STANDSTILL
