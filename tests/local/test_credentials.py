"""Generate, store and load the local credentials."""

import stat
from pathlib import Path

import pytest

from local.environment import load_credentials, make_credentials, write_private
from weather.errors import StepError


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_credentials_are_generated_once(tmp_path: Path) -> None:
    first = load_credentials(tmp_path / "credentials.json")
    assert load_credentials(tmp_path / "credentials.json") == first


def test_credentials_of_two_clones_differ(tmp_path: Path) -> None:
    first = load_credentials(tmp_path / "one" / "credentials.json")
    assert load_credentials(tmp_path / "two" / "credentials.json") != first


def test_the_credentials_file_has_mode_600(tmp_path: Path) -> None:
    load_credentials(tmp_path / "credentials.json")
    assert mode(tmp_path / "credentials.json") == 0o600


def test_no_temporary_file_remains_in_the_folder(tmp_path: Path) -> None:
    load_credentials(tmp_path / "credentials.json")
    assert [path.name for path in tmp_path.iterdir()] == ["credentials.json"]


def test_a_readable_file_gets_mode_600(tmp_path: Path) -> None:
    path = tmp_path / "passwords.json"
    path.touch(mode=0o644)
    write_private(path, {"admin": "secret"})
    assert mode(path) == 0o600


def test_repr_shows_no_secret() -> None:
    made = make_credentials()
    for secret in (made.s3.secret_access_key, made.airflow_password, made.airflow_jwt_secret):
        assert secret not in repr(made) + repr(made.s3)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"s3": {}}', "null"])
def test_a_damaged_file_is_reported_with_the_remedy(tmp_path: Path, content: str) -> None:
    path = tmp_path / "credentials.json"
    path.write_text(content)
    with pytest.raises(StepError, match=r"credentials\.json is damaged; remove it"):
        load_credentials(path)
    path.unlink()
    load_credentials(path)
