"""`python -m local demo|up|shell|run <command>`."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from local.supervisor import Interrupted, raise_on_signal
from weather.errors import ExitCode, StepError

DEFAULT_STATE = Path(__file__).resolve().parent.parent / ".weather"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code. Print failures as one line on stderr."""
    raise_on_signal()
    try:
        given = _parser().parse_args(arguments)
        return _run(given)
    except Interrupted as interrupted:
        print(f"{interrupted}: ended, and nothing is left running", file=sys.stderr)
        return interrupted.exit_code
    except StepError as error:
        print(f"{given.name}: {error}", file=sys.stderr)
        return error.exit_code
    except OSError as error:
        # The file that could not be written: of a copy or a rename, the second one.
        file = error.filename2 or error.filename or given.state
        print(
            f"{given.name}: {file}: {error.strerror or error}; check that the folder is writable"
            " and the disk is not full, then try again",
            file=sys.stderr,
        )
        return ExitCode.UNEXPECTED


def _run(given: argparse.Namespace) -> int:
    # Imported here, because imports take a second, in which Ctrl-C must not print a traceback.
    from local.demo import run_demo
    from local.environment import StateDirectory
    from local.shell import open_shell, run_command
    from local.up import run_up
    from weather.schedule import ScheduleSettings
    from weather.settings import read_settings

    if given.name in {"demo", "up"}:
        # Otherwise only the log of Airflow's DAG processor names a contradiction.
        read_settings(ScheduleSettings)
    state = StateDirectory(given.state.absolute())
    if given.name == "run":
        return run_command(os.environ, state, given.command)
    return {"demo": run_demo, "up": run_up, "shell": open_shell}[given.name](os.environ, state)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="local", description="Run the pipeline on one machine.")
    commands = parser.add_subparsers(dest="name", required=True)
    commands.add_parser("demo", help="run the DAG once and print the API's response")
    commands.add_parser("up", help="run all services until Ctrl-C")
    commands.add_parser("shell", help="open a shell with the environment active")
    run = commands.add_parser("run", help="run one command with the environment active")
    run.add_argument("command", help="a line for the shell")
    parser.add_argument(
        "--state",
        type=Path,
        default=DEFAULT_STATE,
        help="folder of all files that are written (default: .weather)",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
