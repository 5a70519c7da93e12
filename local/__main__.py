"""`python -m local demo|up|shell|run <command>`."""

import argparse
import os
import sys
from pathlib import Path

from local.demo import show_demo
from local.folders import PROJECT, State
from local.shell import open_shell, run_command
from local.signals import AskedToEnd, raise_when_asked_to_end
from local.up import keep_up
from weather.exit_codes import StepError


def main() -> int:
    """Run one command of the one-machine runtime; failures are one line on stderr."""
    parser = argparse.ArgumentParser(prog="local", description=__doc__)
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
    arguments = parser.parse_args()
    state = State(arguments.state.absolute())
    raise_when_asked_to_end()
    try:
        if arguments.name == "run":
            return run_command(os.environ, state, arguments.command)
        return COMMANDS[arguments.name](os.environ, state)
    except StepError as error:
        print(f"{arguments.name}: {error}", file=sys.stderr)
        return error.exit_code
    except AskedToEnd as asked:
        return asked.exit_code


COMMANDS = {"demo": show_demo, "up": keep_up, "shell": open_shell}

if __name__ == "__main__":
    sys.exit(main())
