"""The soak uses faults that the replay server supports. The same seed gives the same faults."""

from hypothesis import given
from hypothesis import strategies as st

from bench.soak.faults import FAULTY_SHARE, KINDS, faults_of_hours
from weather.replay.faults import parse_faults

HOURS = 500


def test_every_fault_is_supported_by_the_replay_server() -> None:
    for fault in (fault for kind in KINDS for fault in kind):
        (rule,) = parse_faults(fault)
        assert rule.name == fault.partition("*")[0].partition("@")[0]


@given(st.integers(1, 100), st.integers())
def test_the_first_and_the_last_hour_have_no_fault(hours: int, seed: int) -> None:
    faults = list(faults_of_hours(hours, seed))
    assert len(faults) == hours
    assert faults[0] == faults[-1] == ""


def test_faults_depend_only_on_the_seed() -> None:
    once, again, other = (list(faults_of_hours(HOURS, seed)) for seed in (1, 1, 2))
    assert once == again != other


def test_a_soak_has_every_fault() -> None:
    faults = list(faults_of_hours(HOURS, seed=1))
    assert set(faults) == {"", *(fault for kind in KINDS for fault in kind)}
    share = sum(fault != "" for fault in faults) / HOURS
    assert abs(share - FAULTY_SHARE) < 0.1
