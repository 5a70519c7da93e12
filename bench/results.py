"""Measured numbers: a table for people, and results.json for programs."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from local.table import table

RESULTS = Path(__file__).with_name("results.json")


@dataclass(frozen=True)
class Result:
    """One number, its unit, and in a few words what it says."""

    name: str
    value: float
    unit: str
    meaning: str


def table_of(results: Sequence[Result]) -> list[str]:
    """The lines of an aligned table with a heading."""
    return table(
        [
            {
                "name": result.name,
                "value": round(result.value, 3),
                "unit": result.unit,
                "what it means": result.meaning,
            }
            for result in results
        ]
    )


def write_results(results: Sequence[Result], path: Path = RESULTS) -> None:
    """Write a JSON list of objects with `name`, `value` and `unit`, in place of an older one."""
    content = [
        {"name": result.name, "value": round(result.value, 3), "unit": result.unit}
        for result in results
    ]
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
