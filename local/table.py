"""Rows of the API's answer as an aligned table."""

from collections.abc import Mapping, Sequence


def table(rows: Sequence[Mapping[str, object]]) -> list[str]:
    """Lines of a table with a heading: the columns of the first row, numbers to the right.

    A missing value is shown as `-`.
    """
    if not rows:
        return []
    columns = list(rows[0])
    cells = [columns, *([_text(row.get(column)) for column in columns] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    is_number = [any(_is_number(row.get(column)) for row in rows) for column in columns]
    return [
        "  ".join(
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(line, widths, is_number, strict=True)
        ).rstrip()
        for line in cells
    ]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _text(value: object) -> str:
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case _:
            return str(value)
