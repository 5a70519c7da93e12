"""Generate dbt's files from weather/variables.py: `make variables`."""

import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import yaml

from weather.variables import VARIABLES, RangeTest, Variable

DBT_PROJECT = Path(__file__).resolve().parents[1] / "dbt_project"

BLOCK = re.compile(
    r"(?P<start> *# Generated from weather/variables\.py: (?P<name>\w+)\n).*?(?P<end> *# End\n)",
    re.DOTALL,
)


def generated_files(
    project: Path = DBT_PROJECT, variables: Sequence[Variable] = VARIABLES
) -> dict[Path, str]:
    """Return the generated files' contents by path."""
    macros, models = project / "macros" / "variables.sql", project / "models" / "models.yml"

    def columns(block: re.Match[str]) -> str:
        lines = COLUMNS[block["name"]](variables)
        indented = (f"      {line}\n" for line in lines)
        return block["start"] + "".join(indented) + block["end"]

    return {
        macros: _macro(variables),
        models: BLOCK.sub(columns, models.read_text(encoding="utf-8")),
    }


def _macro(variables: Sequence[Variable]) -> str:
    entries = "".join(_entry(variable) for variable in variables)
    return (
        "{#- Generated from weather/variables.py by `make variables`. -#}\n"
        "{% macro weather_variables() -%}\n"
        f"{{{{ return([\n{entries}]) }}}}\n"
        "{%- endmacro %}\n"
    )


def _entry(variable: Variable) -> str:
    entry = {
        "column": variable.column,
        "source_name": variable.source_name,
        "lowest": variable.possible[0],
        "highest": variable.possible[1],
        "preceding_hour": variable.preceding_hour,
        "functions": {each.column: each.function for each in variable.statistics},
    }
    lines = (
        f"        {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)},\n"
        for key, value in entry.items()
    )
    return f"    {{\n{''.join(lines)}    }},\n"


def _received_columns(variables: Sequence[Variable]) -> Iterator[str]:
    for variable in variables:
        yield f"- name: {variable.column}"
        yield f"  description: {_yaml(variable.description)}"


def _hourly_columns(variables: Sequence[Variable]) -> Iterator[str]:
    for variable in variables:
        yield from _column(variable.column, variable.description)
        yield from _tests(variable.tests)


def _daily_columns(variables: Sequence[Variable]) -> Iterator[str]:
    for variable in variables:
        for statistic in variable.statistics:
            yield from _column(statistic.column, statistic.description)
            yield from _tests(statistic.tests, key="date")


COLUMNS: Mapping[str, Callable[[Sequence[Variable]], Iterator[str]]] = {
    "received": _received_columns,
    "hourly": _hourly_columns,
    "daily": _daily_columns,
}


def _column(name: str, description: str) -> Iterator[str]:
    yield f"- name: {name}"
    yield "  data_type: double"
    yield f"  description: {_yaml(description)}"


def _yaml(text: str) -> str:
    dumped: str = yaml.safe_dump(text, width=1000, allow_unicode=True)
    return dumped.removesuffix("\n").removesuffix("\n...")


def _tests(tests: Sequence[RangeTest], key: str = "") -> Iterator[str]:
    if tests:
        yield "  data_tests:"
    for test in tests:
        arguments = [f"lowest: {test.lowest}"]
        if test.highest is not None:
            arguments.append(f"highest: {test.highest}")
        if key:
            arguments.append(f"key: {key}")
        yield "    - between:"
        yield f"        name: {test.name}"
        yield f"        arguments: {{{', '.join(arguments)}}}"
        if test.severity != "error":
            yield "        config:"
            yield f"          severity: {test.severity}"


def main() -> None:
    """Write the files that are stale. With `--check`, fail instead."""
    stale = {
        path: text
        for path, text in generated_files().items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    }
    if stale and sys.argv[1:] == ["--check"]:
        names = ", ".join(path.name for path in stale)
        sys.exit(f"{names}: older than weather/variables.py; run `make variables`")
    for path, text in stale.items():
        path.write_text(text, encoding="utf-8")
        print(f"changed: {path.relative_to(DBT_PROJECT.parent)}", file=sys.stderr)


if __name__ == "__main__":
    main()
