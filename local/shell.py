"""`make shell` and `make run`: the user's own commands, with the environment and S3 there."""

from collections.abc import Mapping

from local.folders import State
from local.foreground import run_in_foreground
from local.progress import Progress
from local.session import running_session
from weather.errors import ExitCode, StepError


def open_shell(outside: Mapping[str, str], state: State) -> int:
    """Open the user's shell until it is left; 0, whatever its last command's exit code was."""
    with running_session(outside, state, Progress()) as session:
        print("leave this shell with `exit`; S3 ends with it", flush=True)
        run_in_foreground([outside.get("SHELL") or "/bin/sh"], session.environment)
    return 0


def run_command(outside: Mapping[str, str], state: State, command: str) -> int:
    """Run one line of shell `command`; its exit code.

    StepError says how to write it when it is empty.
    """
    if not command.strip():
        raise StepError(
            'no command; say which: make run CMD="airflow dags test weather_pipeline"',
            ExitCode.SETTING,
        )
    with running_session(outside, state, Progress()) as session:
        return run_in_foreground(["/bin/sh", "-c", command], session.environment)
