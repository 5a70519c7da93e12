"""Find a page's examples: blocks of code, each followed by its output."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

CODE = {"sh", "python", "sql"}
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Example:
    """A block of code and the block of its output."""

    language: str
    code: str
    output: str
    line: int
    """Line of the page where the code begins."""


def examples_of(page: str) -> Iterator[Example]:
    """Yield the page's examples in order.

    Raises:
        ValueError: code and output blocks do not come in pairs.
    """
    blocks = list(BLOCK.finditer(page))
    if len(blocks) % 2:
        raise ValueError("A block of code lacks its output, or the other way round")
    for code, output in zip(blocks[::2], blocks[1::2], strict=True):
        line = page.count("\n", 0, code.start()) + 2
        if code[1] not in CODE or output[1] in CODE:
            raise ValueError(f"Line {line}: code and output do not alternate")
        yield Example(code[1], code[2], output[2], line)
