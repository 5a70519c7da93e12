"""The format of results.json, and the table."""

import json
from pathlib import Path

from bench.results import Result, table_of, write_results

RESULTS = [
    Result("transform_24_seconds", 9.87654, "s", "an hour's transform"),
    Result("plain_over_ours_720", 2.0, "x", "the plain run over ours"),
]


def test_results_are_a_list_of_names_values_and_units(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    write_results(RESULTS, path)
    assert json.loads(path.read_text()) == [
        {"name": "transform_24_seconds", "value": 9.877, "unit": "s"},
        {"name": "plain_over_ours_720", "value": 2.0, "unit": "x"},
    ]


def test_the_table_has_a_meaning_for_each_number() -> None:
    heading, first, second = table_of(RESULTS).splitlines()
    assert heading.split() == ["name", "value", "unit", "meaning"]
    assert first.split(maxsplit=3) == ["transform_24_seconds", "9.877", "s", "an hour's transform"]
    assert second.split(maxsplit=3) == ["plain_over_ours_720", "2", "x", "the plain run over ours"]
