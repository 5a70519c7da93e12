"""Growth of a soak's samples with the lake's age."""

from collections.abc import Callable

import pytest

from bench.soak.samples import SHORTEST_STEADY, STEADY_FROM, Sample, growths
from bench.soak.steps import Outcome

SUCCESS = Outcome.SUCCESS

DAY = 24
HOURS = 500

Measure = Callable[[int], float]


def flat(hour: int) -> float:
    """Return a value that grows while the lake fills up, and has a daily cycle."""
    return 100 + min(hour, STEADY_FROM) + hour % DAY


def growing(hour: int) -> float:
    """Return a value that grows with the lake's age."""
    return 20 + hour


def samples(
    hours: int, cpu: Measure = flat, files: Measure = flat, catalog: Measure = flat
) -> list[Sample]:
    return [
        Sample(0, "", SUCCESS, 0, cpu(hour), round(files(hour)), round(1024 * catalog(hour)))
        for hour in range(hours)
    ]


def test_a_daily_cycle_is_not_growth() -> None:
    assert [growth.is_flat for growth in growths(samples(HOURS))] == [True, True, True]


@pytest.mark.parametrize("measure", ["cpu", "files", "catalog"])
def test_growth_with_the_lakes_age_is_detected(measure: str) -> None:
    grown = growths(samples(HOURS, **{measure: growing}))
    (one,) = (growth for growth in grown if not growth.is_flat)
    assert measure in one.name.lower()


def test_a_single_slow_hour_is_not_growth() -> None:
    hours = samples(HOURS, cpu=lambda hour: 900 if hour == HOURS - 9 else flat(hour))
    assert all(growth.is_flat for growth in growths(hours))


def test_a_short_soak_has_no_growth_result() -> None:
    assert growths(samples(STEADY_FROM + SHORTEST_STEADY - 1)) == []
    assert len(growths(samples(STEADY_FROM + SHORTEST_STEADY))) == 3
