"""Retry gateways' error pages, and follow redirects of the same host only."""

from collections.abc import Callable

import httpx
import pytest

from tests.weather.ingest.examples import (
    HEALTHY,
    JOB,
    Lines,
    source_at,
)
from tests.weather.ingest.scripted_server import Form, Reply, scripted_server
from weather.errors import ExitCode, StepError
from weather.ingest.fetch import RetryPolicy
from weather.ingest.http_json import AttemptFailed
from weather.ingest.job import Stats
from weather.ingest.open_meteo import _redirect_target
from weather.ingest.run import ingest
from weather.published import SOURCE_KEY, read_source
from weather.source import REPLAY
from weather.storage import Store

Stored = Callable[[str], Lines]


def test_a_gateways_error_does_not_name_the_source(
    store: Store, retry_policy: RetryPolicy, faulty_replay: str
) -> None:
    page = Reply(b"<html><title>502 Bad Gateway</title></html>", status=502)
    with scripted_server([page]) as gateway, pytest.raises(StepError):
        ingest(JOB, source_at(gateway.url), store, Stats(), retry_policy=retry_policy)
    assert store.get(SOURCE_KEY) is None
    ingest(JOB, source_at(faulty_replay), store, Stats(), retry_policy=retry_policy)
    assert read_source(store) == REPLAY


@pytest.mark.parametrize("status", [408, 425, 403, 404, 502])
def test_a_gateways_error_page_is_retried(
    store: Store, retry_policy: RetryPolicy, status: int
) -> None:
    page = Reply(b"<html><head><title>Gateway</title></head></html>", status=status)
    stats = Stats()
    with scripted_server([page, page, HEALTHY]) as server:
        ingest(JOB, source_at(server.url), store, stats, retry_policy=retry_policy)
    assert (stats.accepted, stats.retries.total()) == (2, 2)


def test_an_error_message_identifies_a_gateway(store: Store, retry_policy: RetryPolicy) -> None:
    with (
        scripted_server([Reply(b"<title>404 Not Found</title>", status=404)]) as server,
        pytest.raises(StepError) as failure,
    ):
        ingest(JOB, source_at(server.url), store, Stats(), retry_policy=retry_policy)
    assert failure.value.exit_code == ExitCode.UNAVAILABLE
    assert "failed after 5 attempts" in str(failure.value)
    assert "404: Not Found" in str(failure.value)
    assert "check OPEN_METEO_URL, OPEN_METEO_ARCHIVE_URL" in str(failure.value)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("target", ["/moved/v1/forecast", "{url}/moved/v1/forecast?x=1"])
def test_a_redirect_of_the_same_host_gets_the_whole_form(
    store: Store, retry_policy: RetryPolicy, status: int, target: str
) -> None:
    def reply(_: Form) -> Reply:
        if server.paths[-1] == "POST /v1/forecast":
            return Reply(b"Moved", status, location=target.format(url=server.url))
        return HEALTHY

    stats = Stats()
    with scripted_server(reply) as server:
        ingest(JOB, source_at(server.url, key="secret"), store, stats, retry_policy=retry_policy)
    assert (stats.accepted, stats.retries.total()) == (2, 0)
    assert server.paths[1].startswith("POST /moved/v1/forecast")
    assert server.forms[0] == server.forms[1]
    assert server.forms[1]["latitude"] == "1.0,2.0"


@pytest.mark.parametrize(
    "target",
    ["http://api.example.org/v1/forecast", "//127.0.0.2/v1/forecast", "http://127.0.0.1:9/x"],
)
def test_a_redirect_to_another_host_is_not_followed(
    store: Store, retry_policy: RetryPolicy, target: str
) -> None:
    with (
        scripted_server([Reply(b"", 308, location=target)]) as server,
        pytest.raises(StepError) as failure,
    ):
        ingest(JOB, source_at(server.url, key="secret"), store, Stats(), retry_policy=retry_policy)
    assert failure.value.exit_code == ExitCode.REFUSED
    assert "308: a redirect to http://" in str(failure.value)
    assert target in str(failure.value)
    assert "set OPEN_METEO_URL" in str(failure.value)
    assert len(server.forms) == 1


def test_a_redirect_loop_ends(store: Store, retry_policy: RetryPolicy) -> None:
    with (
        scripted_server([Reply(b"", 307, location="/v1/forecast")]) as server,
        pytest.raises(StepError) as failure,
    ):
        ingest(JOB, source_at(server.url), store, Stats(), retry_policy=retry_policy)
    assert failure.value.exit_code == ExitCode.REFUSED
    assert "307: more than 5 redirects, the last one to http://" in str(failure.value)
    assert len(server.forms) == 6


def test_a_redirect_to_https_of_the_same_host_is_followed() -> None:
    url = httpx.URL("http://api.open-meteo.com/v1/forecast")
    secure = "https://api.open-meteo.com/v1/forecast"
    assert str(_redirect_target(url, secure, 301, b"")) == secure
    with pytest.raises(AttemptFailed, match="a redirect to http://api"):
        _redirect_target(httpx.URL(secure), str(url), 301, b"")
