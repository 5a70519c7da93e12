"""Rules for every Dockerfile that hadolint does not check."""

import re
from pathlib import Path

import pytest
import yaml

from weather.ducklake import POSTGRES_TIMEOUTS

PROJECT = Path(__file__).resolve().parents[2]
DOCKERFILES = {path.parent.name: path for path in PROJECT.glob("images/*/Dockerfile")}
USERS = {"airflow": "50000:0"}
OUR_USER = "10001:10001"

Instruction = tuple[str, str]


def instructions(image: str) -> list[Instruction]:
    """Return each instruction of a Dockerfile, with its lines joined."""
    text = re.sub(r"^#.*\n", "", DOCKERFILES[image].read_text(), flags=re.MULTILINE)
    joined = re.sub(r"\\\n\s*", "", text)
    found = [line.partition(" ") for line in joined.splitlines() if line]
    return [(word, rest) for word, _, rest in found]


def values(image: str, word: str) -> list[str]:
    return [rest for each, rest in instructions(image) if each == word]


def test_every_image_has_a_dockerfile() -> None:
    assert DOCKERFILES.keys() == {"ingest", "dbt", "airflow", "replay", "store-setup", "api"}


@pytest.mark.parametrize("image", DOCKERFILES)
def test_base_images_have_a_fixed_version(image: str) -> None:
    for base in values(image, "FROM"):
        name = base.partition(" ")[0]
        assert name == "${DBT_IMAGE}" or re.search(r":\d+\.\d+", name), name


@pytest.mark.parametrize("image", DOCKERFILES)
def test_the_user_is_a_number_other_than_root(image: str) -> None:
    last = [rest for word, rest in instructions(image) if word in ("FROM", "USER")][-1]
    assert last == USERS.get(image, OUR_USER)


@pytest.mark.parametrize("image", DOCKERFILES)
def test_packages_come_from_the_lock_with_hashes(image: str) -> None:
    installs = re.findall(r"pip install [^&]*", "\n".join(values(image, "RUN")))
    locks = [re.search(r"--requirement /requirements/(\S+)\.txt", install) for install in installs]
    assert {lock and lock[1] for lock in locks} - {"uv"} == {image}
    assert all("--require-hashes" in install for install in installs)


@pytest.mark.parametrize("image", DOCKERFILES)
def test_labels_have_revision_and_version(image: str) -> None:
    (labels,) = values(image, "LABEL")
    assert "org.opencontainers.image.revision=$REVISION" in labels
    assert "org.opencontainers.image.version=$VERSION" in labels


@pytest.mark.parametrize("image", DOCKERFILES)
def test_the_image_contains_licence_and_notices(image: str) -> None:
    assert "LICENSE NOTICE /licenses/" in values(image, "COPY")


@pytest.mark.parametrize("image", DOCKERFILES)
def test_no_secrets_and_no_index_urls(image: str) -> None:
    text = "\n".join(rest for _, rest in instructions(image))
    assert not re.search(r"(?i)password|token|index.url", text)
    assert not re.findall(r"\w*(?:SECRET|KEY)\w*=\S+", text)


@pytest.mark.parametrize("image", DOCKERFILES)
def test_copied_files_exist(image: str) -> None:
    copies = [copy.split()[:-1] for copy in values(image, "COPY") if "--from" not in copy]
    sources = {source for copy in copies for source in copy}
    assert sources
    assert {source for source in sources if not any(PROJECT.glob(source))} == set()


def test_dbt_parse_has_the_options_of_the_pods() -> None:
    pod = yaml.safe_load((PROJECT / "tests/dags/pod_specs/models.stg_weather.yaml").read_text())
    arguments = " ".join(pod["spec"]["containers"][0]["args"])
    named = re.findall(r"--(?:profile|target|project-dir) \S+", arguments)
    assert len(named) == 3
    (parse,) = [command for command in values("dbt", "RUN") if "dbt parse" in command]
    assert [option for option in named if option not in parse] == []


def test_dbts_temporary_files_are_on_the_scratch_volume() -> None:
    profile = yaml.safe_load((PROJECT / "dbt_project/profiles.yml").read_text())
    options = profile["weather"]["outputs"]["lake"]["config_options"]
    assert options["temp_directory"] == "{{ env_var('DBT_TARGET_PATH', 'target') }}/duckdb"
    # With another value, dbt would discard the image's partial parse.
    assert any("DBT_TARGET_PATH=/tmp/target " in command for command in values("dbt", "RUN"))
    assert "DBT_TARGET_PATH=/tmp/target" in values("dbt", "ENV")[-1].split()


def test_dbt_has_the_connect_timeout_of_the_other_steps() -> None:
    assert (
        f"PGCONNECT_TIMEOUT={POSTGRES_TIMEOUTS['connect_timeout']}"
        in values("dbt", "ENV")[-1].split()
    )
