"""Examples are found in a page."""

import pytest

from tests.docs.examples import Example, examples_of

pytestmark = pytest.mark.slow

PAGE = """# Title

```sh
echo a
echo b
```

It prints:

```text
a
b
```

```sql
SELECT 1
```

```text
```
"""


def test_an_example_has_code_output_and_line() -> None:
    assert list(examples_of(PAGE)) == [
        Example("sh", "echo a\necho b\n", "a\nb\n", 4),
        Example("sql", "SELECT 1\n", "", 16),
    ]


@pytest.mark.parametrize(
    "page",
    ["```sh\necho a\n```\n", f"{PAGE}```sh\n```\n```sh\n```\n", "```text\na\n```\n```sh\n```\n"],
)
def test_code_and_output_must_come_in_pairs(page: str) -> None:
    with pytest.raises(ValueError, match=r"alternate|lacks"):
        list(examples_of(page))
