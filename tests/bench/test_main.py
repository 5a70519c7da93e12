"""Results are printed, even if a later measurement fails."""

from typing import NoReturn

import pytest

import bench.__main__ as program
from bench.results import Result
from local.session import Progress
from weather.errors import ExitCode, StepError


def fail(*_: object, **__: object) -> NoReturn:
    raise StepError("No image can be built", ExitCode.UNAVAILABLE)


@pytest.fixture(autouse=True)
def no_load(monkeypatch: pytest.MonkeyPatch) -> None:
    """Skip slow measurements, the results file and signal handlers."""
    for part in ("hours", "locations", "api", "cluster"):
        monkeypatch.setattr(program, f"measure_{part}", lambda *_, **__: [])
    monkeypatch.setattr(program, "write_results", fail)
    monkeypatch.setattr(program, "raise_on_signal", lambda: None)


def test_earlier_results_are_printed_after_a_failure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def measured(_: Progress, rounds: int) -> list[Result]:
        return [Result("dag_import_seconds", 0.25, "s", f"of {rounds} rounds")]

    monkeypatch.setattr(program, "measure_dag_import", measured)
    monkeypatch.setattr(program, "measure_images", fail)
    assert program.main() == ExitCode.UNAVAILABLE
    shown = capsys.readouterr()
    assert ["dag_import_seconds", "0.25", "s", "of", "5", "rounds"] in map(
        str.split, shown.out.splitlines()
    )
    assert shown.err.endswith("bench: No image can be built\n")


def test_a_failure_without_results_prints_no_table(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(program, "measure_dag_import", fail)
    assert program.main() == ExitCode.UNAVAILABLE
    shown = capsys.readouterr()
    assert (shown.out.strip(), shown.err) == ("", "bench: No image can be built\n")
