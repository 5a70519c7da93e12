"""`make shell` and `make run`: run a command in the terminal, with the environment and S3."""

import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from local.environment import StateDirectory
from local.processes import watched
from local.session import Progress, running_session
from local.supervisor import Interrupted, end_process_tree
from weather.errors import ExitCode, StepError

GRACE_SECONDS = 10.0


def open_shell(inherited: Mapping[str, str], state: StateDirectory) -> int:
    """Run the user's shell. Return 0, whatever the exit code of its last command."""
    with running_session(inherited, state, Progress()) as session:
        print("leave this shell with `exit`; S3 ends with it", flush=True)
        run_in_terminal([inherited.get("SHELL") or "/bin/sh"], session.environment)
    return 0


def run_command(inherited: Mapping[str, str], state: StateDirectory, command: str) -> int:
    """Run one line of shell. Return its exit code.

    Raises:
        StepError: the line is empty.
    """
    if not command.strip():
        raise StepError(
            'CMD is empty; for example: make run CMD="airflow dags test weather_pipeline"',
            ExitCode.SETTING,
        )
    with running_session(inherited, state, Progress()) as session:
        return run_in_terminal(["/bin/sh", "-c", command], session.environment)


def run_in_terminal(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run a command with this process's terminal and standard streams. Return its exit code.

    The command handles Ctrl-C itself, as in any shell. A stop signal to this process ends the
    command first. The exit code after a signal is 128 plus its number.
    """
    with _ignoring_ctrl_c():
        process = subprocess.Popen(arguments, env=dict(environment))
        with watched(process.pid):
            try:
                process.wait()
            except Interrupted:
                end_process_tree(process.pid, GRACE_SECONDS)
                raise
    code = process.returncode
    return code if code >= 0 else 128 - code


@contextmanager
def _ignoring_ctrl_c() -> Iterator[None]:
    """Ignore SIGINT in this process, because the terminal also sends SIGINT to the command."""
    if not sys.stdin.isatty():
        yield
        return
    # A handler instead of SIG_IGN, which the command would inherit.
    before = signal.signal(signal.SIGINT, lambda _number, _frame: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
