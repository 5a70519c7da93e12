"""Send requests to a URL until SIGTERM, then print the results. Runs in a pod.

Standard library only. Usage: `load_client.py HOST PORT PATH`. Half of the clients open a
connection for each request, half keep their connection while the server allows it. A request
with another status than 200 fails and is not retried.
"""

import http.client
import json
import signal
import sys
import threading
import time
from collections import Counter

CLIENTS_OF_EACH_KIND = 3
SECONDS_BETWEEN_REQUESTS = 0.03
TIMEOUT_SECONDS = 10
FAILURES_SHOWN = 20


class Load:
    """Clients that count their requests and failures."""

    def __init__(self, host: str, port: int, path: str) -> None:
        self.host, self.port, self.path = host, port, path
        self.ended = threading.Event()
        self.counts: Counter[str] = Counter()
        self.failures: list[str] = []
        self.lock = threading.Lock()

    def request_on_new_connections(self) -> None:
        while not self.ended.wait(SECONDS_BETWEEN_REQUESTS):
            connection = self._connection()
            self._request(connection, "new", {"Connection": "close"})
            connection.close()

    def request_on_a_kept_connection(self) -> None:
        connection = self._connection()
        while not self.ended.wait(SECONDS_BETWEEN_REQUESTS):
            # http.client opens another connection after the server has sent `close`.
            if not self._request(connection, "kept", {}):
                connection.close()
        connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self.host, self.port, timeout=TIMEOUT_SECONDS)

    def _request(
        self, connection: http.client.HTTPConnection, kind: str, headers: dict[str, str]
    ) -> bool:
        began = time.time()
        opened = connection.sock is None
        try:
            connection.request("GET", self.path, headers=headers)
            response = connection.getresponse()
            response.read()
            problem = "" if response.status == 200 else f"status {response.status}"
        except (OSError, http.client.HTTPException) as error:
            problem = repr(error)
        with self.lock:
            self.counts[kind] += 1
            self.counts["connections"] += opened
            if problem:
                self.counts["failed"] += 1
                self.failures.append(f"{began:.2f} {kind}: {problem}")
        return not problem


def main() -> None:
    host, port, path = sys.argv[1:]
    load = Load(host, int(port), path)
    signal.signal(signal.SIGTERM, lambda *_: load.ended.set())
    threads = [
        threading.Thread(target=target)
        for target in (load.request_on_new_connections, load.request_on_a_kept_connection)
        for _ in range(CLIENTS_OF_EACH_KIND)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps({**load.counts, "failures": load.failures[:FAILURES_SHOWN]}), flush=True)


if __name__ == "__main__":
    main()
