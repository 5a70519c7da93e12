"""The commands of `python -m local`, and their failures as one line."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from local.demo import show_demo
from local.folders import PROJECT, State
from local.shell import open_shell, run_command
from local.up import keep_up
from weather.errors import ExitCode, StepError

COMMANDS = {"demo": show_demo, "up": keep_up, "shell": open_shell}


def run_named(arguments: Sequence[str]) -> int:
    """Run the command that the arguments name; its exit code."""
    given = _parser().parse_args(arguments)
    try:
        state = State(given.state.absolute())
        if given.name == "run":
            return run_command(os.environ, state, given.command)
        return COMMANDS[given.name](os.environ, state)
    except StepError as error:
        print(f"{given.name}: {error}", file=sys.stderr)
        return error.exit_code
    except OSError as error:
        # Of a copy, the file that could not be written is the second one.
        file = error.filename2 or error.filename or given.state
        print(
            f"{given.name}: {file}: {error.strerror or error}; see that the folder can be written"
            " to and the disk has room, then try again",
            file=sys.stderr,
        )
        return ExitCode.UNEXPECTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="local", description="Run the pipeline on one machine.")
    commands = parser.add_subparsers(dest="name", required=True)
    commands.add_parser("demo", help="run the pipeline once and print what the API answers")
    commands.add_parser("up", help="keep everything running until Ctrl-C")
    commands.add_parser("shell", help="open a shell with the environment active")
    run = commands.add_parser("run", help="run one command with the environment active")
    run.add_argument("command", help="a line for the shell")
    parser.add_argument(
        "--state",
        type=Path,
        default=PROJECT / ".weather",
        help="folder of everything that is made (default: .weather)",
    )
    return parser
