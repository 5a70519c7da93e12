"""Run dbt's unit tests on a lake with one day of data."""

from pathlib import Path

import pytest
import yaml

from tests.pipeline import PROJECT, Pipeline
from weather.dbt_environment import PROFILE
from weather.window import Window, parse_moment


def test_dbt_unit_tests_pass(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    from dbt.artifacts.schemas.run import RunExecutionResult
    from dbt.cli.main import dbtRunner

    pipeline.take(Window(parse_moment("2026-06-01"), parse_moment("2026-06-02")))
    assert pipeline.ingest() == 0
    assert pipeline.transform()
    monkeypatch.delenv("DBT_EXCLUDE_RESOURCE_TYPES")
    pipeline.take(Window(parse_moment("2000-01-01"), parse_moment("2100-01-01")))
    result = dbtRunner().invoke(["test", "--select", "test_type:unit", *PROJECT, *PROFILE])
    assert result.success
    assert isinstance(result.result, RunExecutionResult)
    written = yaml.safe_load(Path("dbt_project/models/unit_tests.yml").read_text(encoding="utf-8"))
    passed = {each.node.name for each in result.result.results}
    assert passed >= {each["name"] for each in written["unit_tests"]}
