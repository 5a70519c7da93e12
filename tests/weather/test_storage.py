"""The client of the store, with a real S3 server and with failing servers."""

import socket
from collections.abc import Iterator
from inspect import signature
from typing import Any

import pytest

from local.store import S3Server
from tests.weather.buckets import made_bucket
from tests.weather.ingest.scripted_server import Reply, scripted_server, unused_url
from weather.errors import ExitCode, StepError
from weather.settings import StoreSettings
from weather.storage import Store

PASSWORD = "a-secret-password"


@pytest.fixture(scope="module")
def bucket(s3_server: S3Server) -> str:
    return made_bucket(s3_server)


@pytest.fixture
def settings(s3_server: S3Server, bucket: str) -> StoreSettings:
    values: dict[str, Any] = {name.lower(): each for name, each in s3_server.environment.items()}
    return StoreSettings(
        weather_bucket=bucket,
        **values,
    )


@pytest.fixture
def store(settings: StoreSettings) -> Iterator[Store]:
    store = Store(settings)
    yield store
    store.delete(list(store.list()))


def changed(settings: StoreSettings, **values: Any) -> StoreSettings:
    return settings.model_copy(update=values)


def store_at(url: str, *, read_seconds: float = 30) -> Store:
    settings = StoreSettings(
        weather_bucket="weather",
        aws_endpoint_url=url,
        aws_access_key_id="name",
        aws_secret_access_key=PASSWORD,
        aws_region="us-east-1",
    )
    return Store(settings, connect_seconds=30, read_seconds=read_seconds, attempts=2)


def failure_of(store: Store) -> StepError:
    with pytest.raises(StepError) as failure:
        store.put("key", b"body")
    assert store.place in str(failure.value)
    assert PASSWORD not in str(failure.value)
    assert "\n" not in str(failure.value)
    return failure.value


def test_get_returns_what_was_put(store: Store) -> None:
    store.put("raw/a °.json", b"one\ntwo")
    assert store.get("raw/a °.json") == b"one\ntwo"


def test_a_second_put_replaces_the_object(store: Store) -> None:
    store.put("key", b"longer body")
    store.put("key", b"")
    assert store.get("key") == b""


def test_a_missing_key_returns_none(store: Store) -> None:
    assert store.get("nothing") is None


DENIED = Reply(b"<Error><Code>AccessDenied</Code></Error>", status=403)


def listed(*keys: str) -> Reply:
    entries = "".join(
        f"<Contents><Key>{key}</Key><Size>0</Size><ETag>1</ETag></Contents>" for key in keys
    )
    return Reply(f"<ListBucketResult>{entries}</ListBucketResult>".encode())


@pytest.mark.parametrize("others", [(), ("key-of-another-object",)])
def test_an_unlisted_key_with_access_denied_is_missing(
    others: tuple[str, ...],
) -> None:
    with scripted_server([DENIED, listed(*others)]) as server:
        assert store_at(server.url).get("key") is None


@pytest.mark.parametrize("listing", [listed("key"), DENIED], ids=["listed", "denied"])
def test_a_listed_key_with_access_denied_is_a_setting_error(listing: Reply) -> None:
    with scripted_server([DENIED, listing]) as server, pytest.raises(StepError) as failure:
        store_at(server.url).get("key")
    assert failure.value.exit_code == ExitCode.SETTING
    assert "GetObject: 403 AccessDenied" in str(failure.value)


def test_keys_are_listed_by_prefix_in_order(store: Store) -> None:
    for key in ("b/2", "a/1", "b/1", "b"):
        store.put(key, b"")
    assert list(store.list("b/")) == ["b/1", "b/2"]
    assert list(store.list()) == ["a/1", "b", "b/1", "b/2"]
    assert list(store.list("c")) == []


def test_delete_ignores_missing_keys(store: Store) -> None:
    store.put("a", b"")
    store.put("b", b"")
    store.delete(["a", "nothing"])
    store.delete([])
    assert list(store.list()) == ["b"]


def test_delete_sends_several_batches(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("weather.storage.KEYS_PER_DELETION", 3)
    for number in range(7):
        store.put(f"many/{number}", b"")
    store.delete(store.list("many/"))
    assert list(store.list()) == []


def test_a_missing_bucket_is_a_setting_error(settings: StoreSettings) -> None:
    missing = Store(changed(settings, weather_bucket="weather-nowhere"))
    with pytest.raises(StepError) as failure:
        list(missing.list())
    assert failure.value.exit_code == ExitCode.SETTING
    assert "NoSuchBucket" in str(failure.value)
    assert "bucket 'weather-nowhere'" in str(failure.value)
    with pytest.raises(StepError):
        missing.get("key")


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("aws_access_key_id", "InvalidAccessKeyId"),
        ("aws_secret_access_key", "SignatureDoesNotMatch"),
    ],
)
def test_wrong_credentials_are_a_setting_error(
    settings: StoreSettings, name: str, code: str
) -> None:
    failure = failure_of(Store(changed(settings, **{name: PASSWORD})))
    assert failure.exit_code == ExitCode.SETTING
    assert code in str(failure)


def test_a_malformed_region_is_a_setting_error(settings: StoreSettings) -> None:
    with pytest.raises(StepError) as failure:
        Store(changed(settings, aws_region="no region"))
    assert failure.value.exit_code == ExitCode.SETTING
    assert "AWS_REGION" in str(failure.value)


def test_an_unreachable_store_is_unavailable() -> None:
    with unused_url() as url:
        assert failure_of(store_at(url)).exit_code == ExitCode.UNAVAILABLE


def test_an_unresponsive_store_is_unavailable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        failure = failure_of(store_at(f"http://127.0.0.1:{port}", read_seconds=0.3))
    assert failure.exit_code == ExitCode.UNAVAILABLE


def test_each_attempt_at_an_unresponsive_store_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        store = store_at(f"http://127.0.0.1:{silent.getsockname()[1]}", read_seconds=0.3)
        failure_of(store)
    (line,) = caplog.messages
    assert line.startswith(f"The S3 store ({store.place}): PutObject failed, attempt 1 of 2: Read ")
    assert PASSWORD not in line


def test_an_unresponsive_store_fails_within_a_minute() -> None:
    limits = {
        name: float(each.default)
        for name, each in signature(Store).parameters.items()
        if each.default is not each.empty
    }
    # botocore's standard mode waits up to 1, 2, 4 ... seconds between attempts.
    waits = 2 ** (limits["attempts"] - 1) - 1
    assert limits["attempts"] * limits["read_seconds"] + waits < 60
    assert limits["attempts"] * limits["connect_seconds"] + waits < 60


@pytest.mark.parametrize("status", [500, 503])
def test_a_failing_store_is_retried_and_then_unavailable(status: int) -> None:
    with scripted_server([Reply(b"<html>busy</html>", status=status)]) as server:
        failure = failure_of(store_at(server.url))
        assert failure.exit_code == ExitCode.UNAVAILABLE
        assert len(server.forms) == 2


def test_a_transient_error_of_the_store_is_retried() -> None:
    with scripted_server([Reply(status=503), Reply()]) as server:
        store_at(server.url).put("key", b"body")


def test_a_truncated_response_is_unavailable() -> None:
    with scripted_server([Reply(b"half", cut=True)]) as server, pytest.raises(StepError) as failure:
        store_at(server.url).get("key")
    assert failure.value.exit_code == ExitCode.UNAVAILABLE


def test_a_server_other_than_s3_is_unavailable() -> None:
    with scripted_server([Reply(b"<html>hello")]) as server, pytest.raises(StepError) as failure:
        list(store_at(server.url).list())
    assert failure.value.exit_code == ExitCode.UNAVAILABLE


def test_repr_of_a_store_shows_no_secret(settings: StoreSettings) -> None:
    store = Store(changed(settings, aws_secret_access_key=PASSWORD))
    assert PASSWORD not in repr(store) + str(vars(store))
