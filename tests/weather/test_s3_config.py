"""Compare what botocore, DuckDB and dbt send to a store, in the same environment."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

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
from weather import s3_config
from weather.dbt_environment import PROFILE
from weather.ducklake import LakeConnection, attached_lake
from weather.errors import ExitCode, StepError
from weather.lake.__main__ import main as lake_step
from weather.settings import LakeSettings, StoreSettings, read_settings
from weather.storage import Store

BUCKET = "weather-recorded"
SECRET = "a-secret-key"
TOKEN = "the/token+of=an hour"


@dataclass(frozen=True)
class Place:
    """The servers, and the CA's certificate."""

    store: Server
    secure_store: Server
    proxy: Server
    ca: Path

    def seen(self) -> set[Seen]:
        """Return the requests since the last call."""
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


@pytest.fixture(autouse=True)
def _lake(environment: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
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
    assert lake_step(["create"]) == 0
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
"""Cases for dbt too, which takes seconds for each."""

KEYS = {
    "AWS_ACCESS_KEY_ID": "long-lived",
    "AWS_SECRET_ACCESS_KEY": SECRET,
    "AWS_REGION": "eu-west-3",
}
PLAIN = Seen(
    url=f"http://127.0.0.1:{{store}}/{BUCKET}/{KEY}",
    access_key="long-lived",
    region="eu-west-3",
    token=None,
    proxy=None,
)
SECURE = replace(PLAIN, url=f"https://localhost:{{secure_store}}/{BUCKET}/{KEY}")
TO_PLAIN = {"AWS_ENDPOINT_URL": "http://127.0.0.1:{store}"}
TO_SECURE = {"AWS_ENDPOINT_URL": "https://localhost:{secure_store}"}

PROXY = "http://127.0.0.1:{proxy}"

PROFILES = f"""
[default]
aws_access_key_id = of-the-default-profile
aws_secret_access_key = {SECRET}
[work]
aws_access_key_id = of-a-profile
aws_secret_access_key = {SECRET}
aws_session_token = {TOKEN}
region = ap-south-1
"""

CREDENTIALS_SCRIPT = """
echo >> "$1"
number=$(wc -l < "$1" | tr -d ' ')
echo '{{"Version": 1, "SecretAccessKey": "x", "Expiration": "{expiry:%Y-%m-%dT%H:%M:%SZ}",
       "AccessKeyId": "key-'$number'", "SessionToken": "token-'$number'"}}'
"""

CASES: dict[str, tuple[dict[str, str], Seen]] = {
    "keys": ({**TO_PLAIN, **KEYS}, PLAIN),
    "keys without a region": (
        {**TO_PLAIN, **KEYS, "AWS_REGION": ""},
        replace(PLAIN, region="us-east-1"),
    ),
    "the region's other name": (
        {**TO_PLAIN, **KEYS, "AWS_REGION": "", "AWS_DEFAULT_REGION": "sa-east-1"},
        replace(PLAIN, region="sa-east-1"),
    ),
    "both names of the region": (
        {**TO_PLAIN, **KEYS, "AWS_DEFAULT_REGION": "sa-east-1"},
        PLAIN,
    ),
    "an address for S3 alone": (
        {
            "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
            "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:{store}",
            **KEYS,
        },
        PLAIN,
    ),
    "a session token": (
        {**TO_PLAIN, **KEYS, "AWS_SESSION_TOKEN": TOKEN},
        replace(PLAIN, token=TOKEN),
    ),
    "an empty session token": ({**TO_PLAIN, **KEYS, "AWS_SESSION_TOKEN": ""}, PLAIN),
    "keys beside a profile": ({**TO_PLAIN, **KEYS, "AWS_PROFILE": "work"}, PLAIN),
    "a profile": (
        {**TO_PLAIN, "AWS_PROFILE": "work"},
        replace(PLAIN, access_key="of-a-profile", region="ap-south-1", token=TOKEN),
    ),
    "the default profile": (
        TO_PLAIN,
        replace(PLAIN, access_key="of-the-default-profile", region="us-east-1"),
    ),
    "a CA bundle": ({**TO_SECURE, **KEYS, "AWS_CA_BUNDLE": "{ca}"}, SECURE),
    "a CA bundle by requests' name": ({**TO_SECURE, **KEYS, "REQUESTS_CA_BUNDLE": "{ca}"}, SECURE),
    "a CA bundle by OpenSSL's name": ({**TO_SECURE, **KEYS, "SSL_CERT_FILE": "{ca}"}, SECURE),
    "two CA bundles": (
        {**TO_SECURE, **KEYS, "AWS_CA_BUNDLE": "{ca}", "SSL_CERT_FILE": "/nowhere.pem"},
        SECURE,
    ),
    "a proxy": (
        {**TO_PLAIN, **KEYS, "HTTP_PROXY": PROXY},
        replace(PLAIN, proxy=""),
    ),
    "a proxy in small letters, without a scheme": (
        {**TO_PLAIN, **KEYS, "http_proxy": "127.0.0.1:{proxy}"},
        replace(PLAIN, proxy=""),
    ),
    "a proxy with a password": (
        {**TO_PLAIN, **KEYS, "HTTP_PROXY": "http://me:p%40ss%3Aword@127.0.0.1:{proxy}"},
        replace(PLAIN, proxy="me:p@ss:word"),
    ),
    "a proxy to https": (
        {
            **TO_SECURE,
            **KEYS,
            "AWS_CA_BUNDLE": "{ca}",
            "HTTPS_PROXY": "http://me:x@127.0.0.1:{proxy}",
        },
        replace(SECURE, proxy="me:x"),
    ),
    "a proxy for the other scheme": (
        {**TO_PLAIN, **KEYS, "https_proxy": PROXY},
        PLAIN,
    ),
    "a proxy that botocore does not read": (
        {**TO_PLAIN, **KEYS, "ALL_PROXY": PROXY},
        PLAIN,
    ),
    "no proxy for the host": (
        {**TO_PLAIN, **KEYS, "HTTP_PROXY": PROXY, "NO_PROXY": "a.org, 127.0.0.1"},
        PLAIN,
    ),
    "no proxy for the host and port": (
        {**TO_PLAIN, **KEYS, "http_proxy": PROXY, "no_proxy": "127.0.0.1:{store}"},
        PLAIN,
    ),
    "no proxy for the network": (
        {**TO_PLAIN, **KEYS, "HTTP_PROXY": PROXY, "NO_PROXY": "10.0.0.0/8,127.0.0.0/8"},
        PLAIN,
    ),
    "no proxy for other hosts": (
        {**TO_PLAIN, **KEYS, "HTTP_PROXY": PROXY, "NO_PROXY": "example.org,10.0.0.0/8"},
        replace(PLAIN, proxy=""),
    ),
}


TO_AWS = {**KEYS, "AWS_CA_BUNDLE": "{ca}", "HTTPS_PROXY": PROXY}

AWS_CASES: dict[str, tuple[dict[str, str], str]] = {
    "a region": ({}, f"{BUCKET}.s3.eu-west-3.amazonaws.com"),
    "the first region": ({"AWS_REGION": "us-east-1"}, f"{BUCKET}.s3.us-east-1.amazonaws.com"),
    "another partition": ({"AWS_REGION": "cn-north-1"}, f"{BUCKET}.s3.cn-north-1.amazonaws.com.cn"),
    "a bucket with a dot": (
        {"WEATHER_BUCKET": "weather.recorded"},
        "s3.eu-west-3.amazonaws.com/weather.recorded",
    ),
    "the address of AWS": (
        {"AWS_ENDPOINT_URL": "https://s3.eu-west-3.amazonaws.com"},
        f"s3.eu-west-3.amazonaws.com/{BUCKET}",
    ),
    "FIPS": (
        {"AWS_USE_FIPS_ENDPOINT": "true", "AWS_REGION": "us-east-1"},
        f"{BUCKET}.s3-fips.us-east-1.amazonaws.com",
    ),
}
"""Settings and the expected URL at AWS. A proxy responds in place of AWS."""


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
    variables, expected = CASES[case]
    enter(place, variables, monkeypatch)
    expected = replace(expected, url=filled(place, expected.url))
    for client in (*CLIENTS, by_dbt) if case in WITH_DBT else CLIENTS:
        assert client() == BODY, client.__name__
        assert place.seen() == {expected}, client.__name__


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
