"""Run the images like pods: with a read-only root, as their own user, without a network."""

import json
import subprocess

import pytest

from bench.images import SETTINGS, image_names, skip_reason

pytestmark = pytest.mark.slow

IMAGES = ["ingest", "dbt", "airflow", "replay", "store-setup", "api"]
WINDOW = {
    "WEATHER_WINDOW_START": "2026-11-20T05:00:00+00:00",
    "WEATHER_WINDOW_END": "2026-11-20T06:00:00+00:00",
}
PROGRAMS = {
    "ingest": "python -m weather.ingest --help",
    "dbt": "python -m weather.lake --help",
    "airflow": "airflow version",
    "replay": "python -m weather.replay --help",
    "store-setup": "python -c 'import weather.store_setup.__main__'",
    "api": "python -m api --help",
}
LIST_UNCOMPILED = """
import importlib.util, os, pathlib, sys
# Airflow's lock brings a file for Python 2; scripts in a bin folder are not imported.
for folder in {folder for folder in sys.path if os.path.isdir(folder)}:
    for source in pathlib.Path(folder).rglob("*.py"):
        compiled = importlib.util.cache_from_source(str(source))
        if source.name != "_py2.py" and not os.path.exists(compiled):
            print(source)
"""


@pytest.fixture(scope="session")
def names() -> dict[str, str]:
    """Full name of each image, built from the current files."""
    if reason := skip_reason():
        pytest.skip(reason)
    found = image_names()
    known = subprocess.run(
        ["docker", "image", "inspect", *found.values()], capture_output=True, check=False
    )
    if known.returncode:
        pytest.skip("no images of the current files: run `make images`")
    return found


def run(name: str, command: str, **settings: str) -> subprocess.CompletedProcess[str]:
    environment = [f"--env={key}={value}" for key, value in {**SETTINGS, **settings}.items()]
    restrictions = ["--read-only", "--tmpfs=/tmp", "--network=none", "--cap-drop=ALL"]
    return subprocess.run(
        ["docker", "run", "--rm", *restrictions, *environment, name, "bash", "-c", command],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("image", IMAGES)
def test_the_program_starts(names: dict[str, str], image: str) -> None:
    ended = run(names[image], PROGRAMS[image])
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize("image", IMAGES)
def test_no_module_is_compiled_at_run_time(names: dict[str, str], image: str) -> None:
    ended = run(names[image], f"python - <<'END'\n{LIST_UNCOMPILED}\nEND")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


@pytest.mark.parametrize("image", IMAGES)
def test_the_user_can_write_no_program(names: dict[str, str], image: str) -> None:
    ended = run(names[image], "id -u; find /app /venv /duckdb -writable 2>/dev/null; true")
    assert ended.stdout.split() == ["50000" if image == "airflow" else "10001"]


def test_dbt_reuses_the_partial_parse_of_the_build(names: dict[str, str]) -> None:
    ended = run(
        names["dbt"],
        "dbt build --select fqn:weather.stg_weather --profile weather --target lake"
        " --project-dir /app/dbt_project; find /tmp -type f -name '*.msgpack'",
        **WINDOW,
        LAKE_CATALOG="sqlite:/tmp/lake.sqlite",
        AWS_ENDPOINT_URL="http://127.0.0.1:9",
        WEATHER_BUCKET="another-bucket",
        DBT_LOG_LEVEL="debug",
        DBT_LOG_FORMAT="json",
    )
    messages = [json.loads(line)["info"]["msg"] for line in ended.stdout.splitlines()]
    assert "Partial parsing enabled, no changes found, skipping parsing" in messages
    assert [line for line in messages if "Unable to do partial parsing" in line] == []
    # dbt fails at the missing lake, after it has loaded the extensions.
    assert 'Existing DuckLake at metadata catalog "sqlite:/tmp/lake.sqlite" does not exist' in (
        "\n".join(messages)
    )


def test_a_lake_is_created_with_the_images_extensions(names: dict[str, str]) -> None:
    ended = run(
        names["dbt"],
        "python -m weather.lake create",
        LAKE_CATALOG="sqlite:/tmp/lake.sqlite",
        AWS_ENDPOINT_URL="http://127.0.0.1:9",
    )
    assert (ended.returncode, ended.stderr) == (0, "")


def test_the_dag_loads_and_uses_the_images_tag(names: dict[str, str]) -> None:
    program = (
        "import sys; sys.path.insert(0, 'dags')\n"
        "from weather_pipeline import dag\n"
        "print('IMAGE', dag.get_task('publish').image, len(dag.tasks))"
    )
    ended = run(names["airflow"], f"python - <<'END'\n{program}\nEND")
    assert ended.returncode == 0, ended.stderr
    assert f"IMAGE {names['dbt']} " in ended.stdout


def test_airflow_and_dbt_have_the_same_manifest(names: dict[str, str]) -> None:
    airflow = run(names["airflow"], "sha256sum < dbt_project/target/manifest.json")
    dbt = run(names["dbt"], "sha256sum < dbt_project/target/manifest.json")
    assert airflow.stdout == dbt.stdout != ""
