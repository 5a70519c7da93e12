"""Requests as Prometheus is told of them: counted in plain numbers, put together when it asks."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import accumulate

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"}
OTHER = "other"
"""The label of methods that clients make up: each name would be a series of its own."""

BUCKETS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)
"""In seconds; an answer that is ready takes less than a millisecond."""

_EDGES = [*map(floatToGoString, BUCKETS), "+Inf"]


class RequestMetrics(Collector):
    """Requests by route, method and status, how long they took, and where answers came from.

    Counting takes a tenth of an answer's time with Prometheus' own counters, which lock: here
    only the event loop counts, and only the event loop collects.
    """

    def __init__(self) -> None:
        self._tallies: defaultdict[tuple[str, str, int, str], _Tally] = defaultdict(_Tally)

    def count(self, method: str, route: str, status: int, outcome: str, seconds: float) -> None:
        """Count one request, under its route's template."""
        key = (method if method in METHODS else OTHER, route, status, outcome)
        tally = self._tallies[key]
        tally.counts[bisect_left(BUCKETS, seconds)] += 1
        tally.seconds += seconds

    def collect(self) -> Iterator[Metric]:
        """The metrics of this moment."""
        requests: defaultdict[tuple[str, str, str], int] = defaultdict(int)
        durations: defaultdict[tuple[str, str], _Tally] = defaultdict(_Tally)
        answers: defaultdict[str, int] = defaultdict(int)
        for (method, route, status, outcome), tally in self._tallies.items():
            number = sum(tally.counts)
            requests[method, route, str(status)] += number
            answers[outcome] += number
            durations[method, route].add(tally)
        counted = CounterMetricFamily(
            "http_requests", "Requests answered.", labels=("method", "route", "status")
        )
        for labels, number in requests.items():
            counted.add_metric(labels, number)
        lasted = HistogramMetricFamily(
            "http_request_duration_seconds",
            "Time from a request to the end of its answer.",
            labels=("method", "route"),
        )
        for route_labels, tally in durations.items():
            lasted.add_metric(route_labels, tally.up_to_each_edge(), tally.seconds)
        made = CounterMetricFamily(
            "weather_answers",
            "Answers that were ready, and answers that were made for the request.",
            labels=("answer",),
        )
        for outcome, number in answers.items():
            made.add_metric([outcome], number)
        yield from (counted, lasted, made)


class _Tally:
    """Requests of one kind, by the bucket of their duration."""

    __slots__ = ("counts", "seconds")

    def __init__(self) -> None:
        self.counts = [0] * len(_EDGES)
        self.seconds = 0.0

    def add(self, other: "_Tally") -> None:
        """Take in the requests of another kind."""
        self.counts = [mine + its for mine, its in zip(self.counts, other.counts, strict=True)]
        self.seconds += other.seconds

    def up_to_each_edge(self) -> Sequence[tuple[str, float]]:
        """How many requests took no longer than each bucket's edge."""
        return list(zip(_EDGES, accumulate(self.counts), strict=True))
