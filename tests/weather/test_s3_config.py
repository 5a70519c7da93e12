"""Compare what botocore, DuckDB and dbt send to a store, in the same environment."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import copyfile

import pytest

from tests.pipeline import PROJECT
from tests.weather.recorded_s3 import (
    BODY,
    KEY,
    Seen,
    Server,
    recording_server,
    write_certificates,
)
from tests.weather.s3_cases import (
    AWS_CASES,
    BUCKET,
    CASES,
    KEYS,
    PROFILES,
    SECRET,
    TO_AWS,
    TO_PLAIN,
    TO_SECURE,
)
from weather import s3_config
from weather.dbt_environment import PROFILE
from weather.ducklake import LakeConnection, attached_lake
from weather.errors import ExitCode, StepError
from weather.lake.__main__ import main as lake_step
from weather.settings import LakeSettings, StoreSettings, read_settings
from weather.storage import Store


@dataclass(frozen=True)
class Place:
    """The store and proxy servers, and the CA's certificate."""

    store: Server
    secure_store: Server
    proxy: Server
    ca: Path

    def seen(self) -> set[Seen]:
        """Return the requests that the servers received since the last call."""
        found: set[Seen] = set()
        for server in (self.store, self.secure_store, self.proxy):
            found |= set(server.seen)
            server.seen.clear()
        return found


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    ca, pem = write_certificates(tmp_path_factory.mktemp("tls"))
    with (
        recording_server() as store,
        recording_server(tls=pem) as secure_store,
        recording_server(tls=pem, is_proxy=True) as proxy,
    ):
        yield Place(store, secure_store, proxy, ca)


@pytest.fixture(scope="module")
def empty_catalog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file for the empty lake's catalog, which the first test creates."""
    return tmp_path_factory.mktemp("catalog") / "empty.sqlite"


@pytest.fixture(autouse=True)
def _lake(
    environment: None, empty_catalog: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """Create an empty lake, and remove proxies and the machine's own settings."""
    for name in list(os.environ):
        if name.lower().endswith("_proxy") or name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("WEATHER_BUCKET", BUCKET)
    monkeypatch.setenv("WEATHER_WINDOW_START", "2026-11-26T04:00:00+00:00")
    monkeypatch.setenv("WEATHER_WINDOW_END", "2026-11-26T05:00:00+00:00")
    s3_config._session.cache_clear()
    catalog = Path(os.environ["LAKE_CATALOG"].removeprefix("sqlite:"))
    if not empty_catalog.exists():
        assert lake_step(["create"]) == 0
        catalog.rename(empty_catalog)
    copyfile(empty_catalog, catalog)
    yield
    s3_config._session.cache_clear()


def bucket() -> str:
    return os.environ["WEATHER_BUCKET"]


def by_botocore() -> bytes | None:
    return Store(read_settings(StoreSettings), attempts=1).get(KEY)


def by_duckdb() -> bytes | None:
    with attached_lake(read_settings(LakeSettings)) as lake:
        rows = lake.execute(f"SELECT content FROM read_blob('s3://{bucket()}/{KEY}')").fetchall()
    return bytes(rows[0][0])


def by_dbt() -> bytes | None:
    query = f"SELECT content FROM read_text('s3://{bucket()}/{KEY}')"
    command = [str(Path(sys.executable).with_name("dbt")), "show", "--quiet", "--inline", query]
    shown = subprocess.run(
        [*command, *PROJECT, *PROFILE], check=False, capture_output=True, text=True
    )
    assert shown.returncode == 0, shown.stdout
    log = Path(os.environ["DBT_LOG_PATH"], "dbt.log").read_text()
    # dbt must not parse the project again because of the store's settings.
    assert "Unable to do partial parsing because profile" not in log
    return BODY if f"| {BODY.decode()} " in shown.stdout else None


CLIENTS: tuple[Callable[[], bytes | None], ...] = (by_botocore, by_duckdb)

WITH_DBT = ("a session token", "a profile", "a CA bundle", "a proxy with a password")
"""The few cases that dbt runs too, because each takes dbt seconds."""

CREDENTIALS_SCRIPT = """
echo >> "$1"
number=$(wc -l < "$1" | tr -d ' ')
echo '{{"Version": 1, "SecretAccessKey": "x", "Expiration": "{expiry:%Y-%m-%dT%H:%M:%SZ}",
       "AccessKeyId": "key-'$number'", "SessionToken": "token-'$number'"}}'
"""


def enter(place: Place, variables: dict[str, str], environment: pytest.MonkeyPatch) -> None:
    """Set these variables, and unset all others of the store."""
    Path(os.environ["AWS_SHARED_CREDENTIALS_FILE"]).write_text(PROFILES)
    for name in (*KEYS, "AWS_ENDPOINT_URL"):
        environment.delenv(name, raising=False)
    for name, value in variables.items():
        environment.setenv(name, filled(place, value))
    s3_config._session.cache_clear()


def filled(place: Place, text: str) -> str:
    return text.format(
        store=place.store.port,
        secure_store=place.secure_store.port,
        proxy=place.proxy.port,
        ca=place.ca,
    )


@pytest.mark.parametrize("case", CASES)
def test_all_clients_send_the_same_request(
    place: Place, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    for client in CLIENTS:
        require_same_requests(client, place, monkeypatch, case)


@pytest.mark.slow
@pytest.mark.parametrize("case", WITH_DBT)
def test_dbt_sends_the_same_request(
    place: Place, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    require_same_requests(by_dbt, place, monkeypatch, case)


def require_same_requests(
    client: Callable[[], bytes | None], place: Place, environment: pytest.MonkeyPatch, case: str
) -> None:
    variables, expected = CASES[case]
    enter(place, variables, environment)
    assert client() == BODY, client.__name__
    assert place.seen() == {replace(expected, url=filled(place, expected.url))}, client.__name__


@pytest.mark.parametrize("case", AWS_CASES)
def test_both_clients_use_the_same_aws_endpoint(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    variables, address = AWS_CASES[case]
    lake = {"LAKE_CATALOG": f"sqlite:{tmp_path / 'of-this-bucket.sqlite'}"}
    enter(place, {**TO_AWS, **lake, **variables}, monkeypatch)
    assert lake_step(["create"]) == 0
    for client in CLIENTS:
        assert client() == BODY, client.__name__
        (seen,) = place.seen()
        assert seen.url == f"https://{address}/{KEY}", client.__name__
        assert seen.region == variables.get("AWS_REGION", "eu-west-3")


@pytest.mark.parametrize("client", CLIENTS)
def test_an_unknown_ca_is_reported_with_the_setting(
    place: Place, monkeypatch: pytest.MonkeyPatch, client: Callable[[], bytes | None]
) -> None:
    enter(place, {**TO_SECURE, **KEYS}, monkeypatch)
    with pytest.raises(StepError) as failure:
        client()
    assert failure.value.exit_code == ExitCode.SETTING
    assert "Set AWS_CA_BUNDLE to" in str(failure.value)
    assert "\n" not in str(failure.value)


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"AWS_CA_BUNDLE": "/nowhere.pem"}, "AWS_CA_BUNDLE"),
        ({"REQUESTS_CA_BUNDLE": "/nowhere.pem"}, "REQUESTS_CA_BUNDLE: /nowhere.pem"),
        ({"SSL_CERT_FILE": __file__}, f"SSL_CERT_FILE: {__file__}"),
        ({"HTTPS_PROXY": f"https://me:{SECRET}@proxy:3128"}, "HTTPS_PROXY"),
        ({"HTTPS_PROXY": f"socks5://me:{SECRET}@proxy:1080"}, "HTTPS_PROXY"),
        ({"HTTPS_PROXY": f"http://me:{SECRET}@proxy:port"}, "HTTPS_PROXY"),
        ({"AWS_PROFILE": "nowhere"}, "nowhere"),
        ({"AWS_SECRET_ACCESS_KEY": ""}, "AWS_SECRET_ACCESS_KEY: is missing"),
        ({"AWS_ACCESS_KEY_ID": ""}, "AWS_ACCESS_KEY_ID: is missing"),
    ],
)
def test_invalid_settings_are_setting_errors_in_both_clients(
    place: Place, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], named: str
) -> None:
    enter(place, {**TO_SECURE, **KEYS, **variables}, monkeypatch)
    messages = []
    for client in CLIENTS:
        with pytest.raises(StepError) as failure:
            client()
        assert failure.value.exit_code == ExitCode.SETTING
        messages.append(str(failure.value))
    assert named in messages[0]
    assert SECRET not in messages[0]
    assert "\n" not in messages[0]
    assert len(set(messages)) == 1
    assert place.seen() == set()


def test_missing_credentials_are_a_setting_error(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    enter(place, TO_PLAIN, monkeypatch)
    Path(os.environ["AWS_SHARED_CREDENTIALS_FILE"]).unlink()
    for client in CLIENTS:
        with pytest.raises(StepError, match="AWS_ACCESS_KEY_ID: is missing") as failure:
            client()
        assert failure.value.exit_code == ExitCode.SETTING


def test_renewed_credentials_are_used_by_an_open_lake(
    place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """botocore renews credentials that expire within 15 minutes: here at each use."""
    enter(place, TO_PLAIN, monkeypatch)
    script = tmp_path / "credentials.sh"
    script.write_text(CREDENTIALS_SCRIPT.format(expiry=datetime.now(UTC) + timedelta(minutes=12)))
    profile = f"[profile short]\ncredential_process = sh {script} {tmp_path / 'calls'}\n"
    Path(os.environ["AWS_CONFIG_FILE"]).write_text(profile)
    monkeypatch.setenv("AWS_PROFILE", "short")
    connection = LakeConnection(read_settings(LakeSettings))
    keys = []
    for _ in range(2):
        with connection.attached(0) as lake:
            lake.execute(f"FROM read_blob('s3://{bucket()}/{KEY}')").fetchall()
        keys.append({(each.access_key, each.token) for each in place.seen()})
    # The first use sends two requests: the second one for longer-lived credentials.
    assert keys[0] != keys[1]
    assert all(
        access.removeprefix("key-") == token.removeprefix("token-")
        for each in keys
        for access, token in each
        if token
    )
