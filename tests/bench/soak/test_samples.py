"""Growth is seen where there is some, and nowhere else."""

from collections.abc import Callable

import pytest

from bench.soak.samples import SHORTEST_STEADY, STEADY_FROM, Sample, growths
from bench.soak.steps import Outcome

SUCCESS = Outcome.SUCCESS

DAY = 24
HOURS = 500

Measure = Callable[[int], float]


def flat(hour: int) -> float:
    """A value that grows while the lake fills up, and rises and falls with each day's upkeep."""
    return 100 + min(hour, STEADY_FROM) + hour % DAY


def growing(hour: int) -> float:
    """A value that grows with the lake's age."""
    return 20 + hour


def samples(
    hours: int, cpu: Measure = flat, files: Measure = flat, catalog: Measure = flat
) -> list[Sample]:
    return [
        Sample(0, "", SUCCESS, 0, cpu(hour), round(files(hour)), round(1024 * catalog(hour)))
        for hour in range(hours)
    ]


def test_what_rises_and_falls_with_the_day_is_flat() -> None:
    assert [growth.is_flat for growth in growths(samples(HOURS))] == [True, True, True]


@pytest.mark.parametrize("measure", ["cpu", "files", "catalog"])
def test_what_grows_with_the_lake_s_age_is_not(measure: str) -> None:
    grown = growths(samples(HOURS, **{measure: growing}))
    (one,) = (growth for growth in grown if not growth.is_flat)
    assert measure in one.name.lower()


def test_one_slow_hour_does_not_count() -> None:
    hours = samples(HOURS, cpu=lambda hour: 900 if hour == HOURS - 9 else flat(hour))
    assert all(growth.is_flat for growth in growths(hours))


def test_a_soak_too_short_to_be_steady_says_nothing() -> None:
    assert growths(samples(STEADY_FROM + SHORTEST_STEADY - 1)) == []
    assert len(growths(samples(STEADY_FROM + SHORTEST_STEADY))) == 3
