"""The API's results, computed from measured loads."""

from collections.abc import Mapping
from io import StringIO

import pytest

from bench.api import load_results, measured_loads, ratio_to
from bench.api_baselines import MEASURED, Request
from bench.api_load import Load
from local.session import Progress


def loads(**rates: tuple[float, ...]) -> dict[str, list[Load]]:
    return {name: [Load(rate, 0.002, 0.1) for rate in rates[name]] for name in rates}


def test_a_ratio_compares_loads_of_the_same_round() -> None:
    """A machine that is three times as fast in one round does not change the ratio."""
    measured = loads(ours=(80, 240, 70), ready_bytes=(100, 300, 100))
    assert ratio_to(measured, "ready_bytes") == 0.8


def test_each_mart_has_its_own_result_names() -> None:
    measured = loads(**dict.fromkeys(MEASURED, (10.0,)))
    small, large = (
        [each.name for each in load_results(measured, prefix)] for prefix in ("", "large_")
    )
    assert {
        "summary_over_ready_bytes",
        "summary_over_plain",
        "summary_over_response_model",
        "summary_requests_per_second",
    } <= set(small)
    assert large == [f"large_{name}" for name in small]


def test_baselines_are_measured_in_alternating_order(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []

    def load_on(address: str, headers: Mapping[str, str], seconds: int) -> Load:
        sent.append(address)
        return Load(len(sent), 0.002, 0.1)

    monkeypatch.setattr("bench.api.load_on", load_on)
    measured = measured_loads({name: Request(name, {}) for name in "abc"}, Progress(StringIO()), 3)
    warming_up, rounds = sent[:3], sent[3:]
    assert warming_up == ["a", "b", "c"]
    assert "".join(rounds) == "abccbaabc"
    assert [load.requests_per_second for load in measured["a"]] == [4, 9, 10]
