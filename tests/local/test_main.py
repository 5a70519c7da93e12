"""`python -m local`, as `make` calls it, with its own state directory."""

import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import unquote

import psutil
import pytest

from local.environment import PROJECT
from local.session import MANIFEST
from tests.local.observed_processes import running_with, wait_for

pytestmark = pytest.mark.slow

Run = Callable[..., "subprocess.CompletedProcess[str]"]

MISSING = "http://127.0.0.1:1"
"""URL without a server, because no tested command sends a request to the source."""


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state directory whose path has characters with a meaning to some program."""
    return tmp_path_factory.mktemp("bob's") / """100%2F ä #1? {{x}} {%y%} "q" `z` & [a], ; \\ b*"""


@pytest.fixture
def outside(outside: dict[str, str]) -> dict[str, str]:
    """An environment with a source, so that Open-Meteo gets no request."""
    return {**outside, "OPEN_METEO_URL": MISSING}


def command(state: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "local", "--state", str(state), *arguments]


@pytest.fixture
def run(state: Path, outside: dict[str, str]) -> Run:
    """Run one line of shell by `python -m local run`, in a state directory for this module."""

    def start(line: str, **settings: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            command(state, "run", line),
            cwd=PROJECT,
            env=outside | settings,
            input="from outside\n",
            capture_output=True,
            text=True,
            check=False,
        )

    return start


def test_a_commands_output_and_exit_code_are_passed_on(run: Run, state: Path) -> None:
    ended = run("cat; exit 42")
    assert (ended.returncode, ended.stdout) == (42, "from outside\n"), ended.stderr
    assert not running_with(str(state))


def test_a_command_has_programs_lake_and_catalog(run: Run, state: Path) -> None:
    ended = run(
        'command -v airflow; command -v dbt; python -m weather.lake create; echo "$LAKE_CATALOG"'
    )
    assert ended.returncode == 0, ended.stderr
    *programs, lake, catalog = ended.stdout.splitlines()
    assert programs == [str(Path(sys.executable).with_name(name)) for name in ("airflow", "dbt")]
    assert lake == '{"lake": "ready"}'
    assert catalog == f"sqlite:{state / 'lake.sqlite'}"


def test_a_command_inherits_the_settings_of_its_caller(run: Run) -> None:
    ended = run(
        "echo $WEATHER_BUCKET $AWS_ACCESS_KEY_ID", WEATHER_BUCKET="rain", AWS_ACCESS_KEY_ID="me"
    )
    assert ended.stdout == "rain me\n", ended.stderr


def test_the_manifest_path_ignores_dbt_target_path(run: Run, tmp_path: Path) -> None:
    for file in (MANIFEST, MANIFEST.with_name("made-from")):
        file.unlink(missing_ok=True)
    ended = run("true", DBT_TARGET_PATH=str(tmp_path / "elsewhere"))
    assert ended.returncode == 0, ended.stderr
    assert MANIFEST.exists()


def test_no_store_is_started_if_one_is_configured(run: Run, state: Path) -> None:
    named = run(shlex.join(command(state / "inner", "run", "echo $AWS_ENDPOINT_URL")))
    assert named.returncode == 0, named.stderr
    assert not (state / "inner" / "s3").exists()
    assert named.stdout.startswith("http://127.0.0.1:")


def test_a_missing_command_is_reported_in_one_line(run: Run) -> None:
    ended = run(" ")
    assert ended.returncode == 64
    assert ended.stderr == (
        'run: CMD is empty; for example: make run CMD="airflow dags test weather_pipeline"\n'
    )


def test_a_failed_step_is_reported_in_one_line(run: Run) -> None:
    ended = run("true", LAKE_CATALOG="mysql:nothing")
    assert ended.returncode == 1
    last = ended.stderr.splitlines()[-1]
    assert last.startswith("run: lake failed; its last lines: ")
    assert "LAKE_CATALOG" in last


def test_no_password_is_printed(run: Run, state: Path) -> None:
    ended = run("true")
    for line in (state / "credentials.json").read_text().splitlines():
        if ': "' in line:
            assert line.split('"')[3] not in ended.stdout + ended.stderr


AIRFLOWS_PLACES = """python -c '
from airflow.configuration import conf
print(conf.get("core", "plugins_folder"))
print(conf.get("logging", "base_log_folder"))
print(conf.get("database", "sql_alchemy_conn"))
'"""


def test_airflow_keeps_everything_in_the_state_directory(run: Run, state: Path) -> None:
    ended = run(AIRFLOWS_PLACES)
    assert ended.returncode == 0, ended.stderr
    plugins, logs, address = ended.stdout.splitlines()
    home = state / "airflow"
    assert (plugins, logs) == (str(home / "plugins"), str(home / "logs"))
    assert unquote(address) == f"sqlite:///{home / 'airflow.db'}"
    assert (home / "airflow.db").stat().st_size > 0


def test_a_user_without_a_home_can_run_a_command(run: Run, outside: dict[str, str]) -> None:
    ended = run("echo $HOME", HOME="")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.strip()


@pytest.mark.parametrize("place", ["/proc/weather", "/dev/null", "/dev/null/weather"])
def test_a_read_only_state_directory_is_reported_in_one_line(
    outside: dict[str, str], place: str
) -> None:
    ended = subprocess.run(
        command(Path(place), "run", "true"),
        cwd=PROJECT,
        env=outside,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert line.startswith(f"run: {place}")
    assert "check that the folder is writable" in line


@pytest.mark.parametrize("name", ["demo", "up"])
def test_contradicting_settings_are_reported_in_one_line(
    outside: dict[str, str], tmp_path: Path, name: str
) -> None:
    ended = subprocess.run(
        command(tmp_path, name),
        cwd=PROJECT,
        env={**outside, "WEATHER_SCHEDULE_HOURS": "3", "WEATHER_FRESH_HOURS": "3"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 64
    (line,) = ended.stderr.splitlines()
    assert line.startswith(f"{name}: Wrong settings: WEATHER_FRESH_HOURS: ")
    assert "WEATHER_SCHEDULE_HOURS" in line


def test_ctrl_c_during_imports_is_reported_in_one_line(
    outside: dict[str, str], tmp_path: Path
) -> None:
    with subprocess.Popen(
        command(tmp_path, "run", "sleep 60"), cwd=PROJECT, env=outside, stderr=subprocess.PIPE
    ) as process:
        # The first lines need less CPU time, and the imports after them more.
        wait_for(lambda: sum(psutil.Process(process.pid).cpu_times()[:2]) > 0.15)
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        stderr = process.stderr.read().decode()
    assert process.returncode == 128 + signal.SIGINT
    assert stderr == "SIGINT: ended, and nothing is left running\n"


def test_a_removed_store_is_reported_and_a_new_lake_starts(run: Run, state: Path) -> None:
    assert run("true").returncode == 0
    shutil.rmtree(state / "s3")
    ended = run("python -m weather.lake create")
    assert ended.returncode == 0, ended.stderr
    (line,) = [line for line in ended.stderr.splitlines() if "was removed" in line]
    (kept,) = state.glob("lake.sqlite.*")
    assert f"the store in {state / 's3'} was removed" in line
    assert f"kept as {kept.name}" in line
    assert "was removed" not in run("true").stderr


@pytest.fixture
def sleeping(state: Path, outside: dict[str, str]) -> Iterator["subprocess.Popen[str]"]:
    """A process of `python -m local run` whose command sleeps, with a running S3 server."""
    process = subprocess.Popen(
        command(state, "run", "echo ready; sleep 60"),
        cwd=PROJECT,
        env=outside,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    assert running_with(str(state / "s3"))
    yield process
    process.kill()
    process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_command_leaves_no_process(
    sleeping: "subprocess.Popen[str]", state: Path, number: signal.Signals
) -> None:
    sleeping.send_signal(number)
    assert sleeping.wait(60) == 128 + number
    assert not running_with(str(state))


def test_a_killed_command_leaves_no_process(sleeping: "subprocess.Popen[str]", state: Path) -> None:
    sleeping.kill()
    wait_for(lambda: not running_with(str(state)))
