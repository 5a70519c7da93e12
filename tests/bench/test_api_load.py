"""What wrk reports is understood, and a load that was not answered well is no measurement."""

import pytest

from bench.api_load import load_of_wrk
from weather.errors import StepError

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


def test_the_report_is_understood() -> None:
    load = load_of_wrk(report())
    assert load.requests_per_second == 16267.44
    assert load.p99 == pytest.approx(0.0078)
    assert load.worst == pytest.approx(0.02105)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("987.00us", 0.000987), ("1.50ms", 0.0015), ("2.25s", 2.25), ("1.10m", 66.0)],
)
def test_each_of_its_units_is_understood(text: str, seconds: float) -> None:
    load = load_of_wrk(report(worst=text, ninety_ninth=text))
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
def test_failures_are_no_measurement(text: str) -> None:
    with pytest.raises(StepError, match="wrk was not answered well"):
        load_of_wrk(text)
