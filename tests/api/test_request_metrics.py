"""RequestMetrics gives the same metrics as Prometheus's Python client."""

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Histogram, generate_latest

from api.observability.metrics import BUCKETS, RequestMetrics

NAME, HELP = (
    "http_request_duration_seconds",
    "Time from the request's head to the end of the response.",
)
ROUTE = "/weather/summary"

durations = st.lists(st.sampled_from(BUCKETS) | st.floats(0, 10), min_size=1, max_size=20)


@given(durations)
def test_durations_are_counted_in_histogram_buckets(seconds: list[float]) -> None:
    registry, expected_registry = CollectorRegistry(), CollectorRegistry()
    metrics = RequestMetrics()
    registry.register(metrics)
    labels = ("method", "route")
    expected = Histogram(NAME, HELP, labels, registry=expected_registry, buckets=BUCKETS)
    for each in seconds:
        # The histogram has no status and outcome labels.
        metrics.count("GET", ROUTE, 200 if each < 1 else 404, "made", each)
        expected.labels("GET", ROUTE).observe(each)
    rendered, wanted = (
        {line for line in generate_latest(each).decode().splitlines() if "_bucket" in line}
        for each in (registry, expected_registry)
    )
    assert rendered == wanted


def test_requests_are_counted_by_their_labels() -> None:
    registry, metrics = CollectorRegistry(), RequestMetrics()
    registry.register(metrics)
    for method, status, outcome in (
        ("GET", 200, "made"),
        ("GET", 200, "ready"),
        ("HEAD", 304, "ready"),
        ("BREW", 405, "made"),
    ):
        metrics.count(method, ROUTE, status, outcome, 0.001)
    for name, code, number in (("GET", "200", 2), ("HEAD", "304", 1), ("other", "405", 1)):
        labels = {"method": name, "route": ROUTE, "status": code}
        assert registry.get_sample_value("http_requests_total", labels) == number
    for response in ("made", "ready"):
        assert registry.get_sample_value("weather_answers_total", {"answer": response}) == 2
