"""`python -m local demo|up|shell|run <command>`."""

import sys

from local.signals import AskedToEnd, raise_when_asked_to_end


def main() -> int:
    """Run one command of the one-machine runtime; failures are one line on stderr."""
    raise_when_asked_to_end()
    try:
        # The imports take a second, and Ctrl-C within it must not show a traceback.
        from local.commands import run_named

        return run_named(sys.argv[1:])
    except AskedToEnd as asked:
        print(f"{asked}: ended, and nothing is left running", file=sys.stderr)
        return asked.exit_code


if __name__ == "__main__":
    sys.exit(main())
