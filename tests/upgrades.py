"""Report failures in code that uses a library's internals with the library's version."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version

import pytest


@contextmanager
def internals(library: str, written_for: str, used_in: str) -> Iterator[None]:
    """Report any exception inside the `with` as a change of the library.

    Args:
        library: the distribution's name.
        written_for: the version that our code was written for.
        used_in: our files that use the internals.
    """
    try:
        yield
    except Exception as error:
        pytest.fail(
            f"{library} {version(library)} changed internals that {used_in} relies on "
            f"(written for {library} {written_for}): {type(error).__name__}: {error}. "
            f"Adapt {used_in}, or keep {library}=={written_for} in pyproject.toml."
        )
