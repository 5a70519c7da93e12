"""The command `airflow dags test`: one run in the foreground, of which nobody else takes care."""

import sys


def is_dags_test() -> bool:
    """Whether this process is that command."""
    return sys.argv[1:3] == ["dags", "test"]
