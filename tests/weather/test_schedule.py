"""Settings of schedule, lookback, upkeep and freshness. Contradictions are rejected."""

import os

import pytest

from weather.errors import ExitCode, StepError
from weather.schedule import ScheduleSettings
from weather.settings import read_settings

WINDOW_ENDS = {
    1: range(24),
    2: {0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22},
    3: {0, 3, 6, 9, 12, 15, 18, 21},
    4: {0, 4, 8, 12, 16, 20},
    6: {0, 6, 12, 18},
    8: {0, 8, 16},
    12: {0, 12},
    24: {0},
}
"""Hours (UTC) at which a run's window ends, for each schedule."""


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("WEATHER_"):
            monkeypatch.delenv(name)


def read(monkeypatch: pytest.MonkeyPatch, **settings: str) -> ScheduleSettings:
    for name, value in settings.items():
        monkeypatch.setenv(f"WEATHER_{name}", value)
    return read_settings(ScheduleSettings)


def rejection(monkeypatch: pytest.MonkeyPatch, **settings: str) -> str:
    with pytest.raises(StepError) as failure:
        read(monkeypatch, **settings)
    assert failure.value.exit_code == ExitCode.SETTING
    assert "\n" not in str(failure.value)
    return str(failure.value)


def test_runs_are_hourly_by_default() -> None:
    settings = read_settings(ScheduleSettings)
    assert (settings.weather_schedule_hours, settings.weather_lookback_hours) == (1, 168)
    assert (settings.upkeep_hour, settings.fresh_hours) == (3, 2)


@pytest.mark.parametrize(
    ("hours", "upkeep", "fresh"),
    [
        ("1", 3, 2),
        ("2", 2, 4),
        ("3", 3, 6),
        ("4", 0, 8),
        ("6", 0, 12),
        ("8", 0, 16),
        ("12", 0, 24),
        ("24", 0, 48),
    ],
)
def test_upkeep_and_freshness_defaults_follow_the_schedule(
    hours: str, upkeep: int, fresh: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = read(monkeypatch, SCHEDULE_HOURS=hours)
    assert (settings.upkeep_hour, settings.fresh_hours) == (upkeep, fresh)


@pytest.mark.parametrize("hours", WINDOW_ENDS)
def test_upkeep_hour_must_be_the_end_of_a_window(
    hours: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for upkeep in range(24):
        settings = {"SCHEDULE_HOURS": str(hours), "UPKEEP_HOUR": str(upkeep)}
        if upkeep in WINDOW_ENDS[hours]:
            assert read(monkeypatch, **settings).upkeep_hour == upkeep
        else:
            assert "WEATHER_UPKEEP_HOUR: " in rejection(monkeypatch, **settings)


@pytest.mark.parametrize(("hours", "fresh"), [("1", "2"), ("3", "4"), ("24", "25")])
def test_fresh_hours_must_exceed_the_schedule(
    hours: str, fresh: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert read(monkeypatch, SCHEDULE_HOURS=hours, FRESH_HOURS=fresh).fresh_hours == int(fresh)
    if hours != "1":
        message = rejection(monkeypatch, SCHEDULE_HOURS=hours, FRESH_HOURS=hours)
        assert f"WEATHER_FRESH_HOURS: is {hours}, but WEATHER_SCHEDULE_HOURS is {hours}" in message
        assert f"set it to {fresh} or more" in message


def test_lookback_must_cover_the_schedule(monkeypatch: pytest.MonkeyPatch) -> None:
    message = rejection(monkeypatch, SCHEDULE_HOURS="3", LOOKBACK_HOURS="2")
    assert "WEATHER_LOOKBACK_HOURS: is 2, but WEATHER_SCHEDULE_HOURS is 3" in message
    assert "set it to 3 or more" in message
    settings = read(monkeypatch, SCHEDULE_HOURS="3", LOOKBACK_HOURS="3")
    assert settings.weather_lookback_hours == 3


def test_a_message_names_both_settings_and_valid_values(monkeypatch: pytest.MonkeyPatch) -> None:
    message = rejection(monkeypatch, SCHEDULE_HOURS="8", UPKEEP_HOUR="3")
    assert message == (
        "Wrong settings: WEATHER_UPKEEP_HOUR: is 3, but WEATHER_SCHEDULE_HOURS is 8, so no run's "
        "window ends then and upkeep would never run: set it to one of 0, 8, 16, or leave it "
        "unset. See docs/settings.md."
    )


def test_all_contradictions_are_reported_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    message = rejection(
        monkeypatch, SCHEDULE_HOURS="12", LOOKBACK_HOURS="6", UPKEEP_HOUR="3", FRESH_HOURS="6"
    )
    for name in ("LOOKBACK_HOURS", "UPKEEP_HOUR", "FRESH_HOURS"):
        assert f"WEATHER_{name}: " in message
