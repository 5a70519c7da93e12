"""Results of measurements, as a table and as results.json."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tabulate import tabulate

RESULTS = Path(__file__).with_name("results.json")


@dataclass(frozen=True)
class Result:
    """A measured number with its name, unit and meaning."""

    name: str
    value: float
    unit: str
    meaning: str


def table_of(results: Sequence[Result]) -> str:
    """Format results as an aligned table with column headings."""
    rows = [(each.name, round(each.value, 3), each.unit, each.meaning) for each in results]
    headings = ("name", "value", "unit", "meaning")
    return str(tabulate(rows, headings, tablefmt="plain", floatfmt=".10g")) if rows else ""


def write_results(results: Sequence[Result], path: Path = RESULTS) -> None:
    """Write or replace results.json, a list of objects with `name`, `value` and `unit`."""
    content = [
        {"name": result.name, "value": round(result.value, 3), "unit": result.unit}
        for result in results
    ]
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
