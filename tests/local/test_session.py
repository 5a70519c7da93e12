"""A session reports a service that has ended."""

import psutil
import pytest

from local import source
from local.environment import StateDirectory
from local.session import Progress, Session, mark_replay, running_session
from local.store import S3Server
from tests.local.observed_processes import wait_for
from tests.weather.buckets import made_bucket
from weather.errors import StepError
from weather.published import PUBLISHED_KEY, read_source
from weather.settings import StoreSettings
from weather.source import OPEN_METEO, REPLAY
from weather.storage import Store

pytestmark = pytest.mark.slow


def failure(session: Session) -> str:
    try:
        session.require_running()
    except StepError as error:
        return str(error)
    return ""


def test_a_store_or_a_replay_that_ends_is_reported(
    state: StateDirectory, outside: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "OPEN_METEO", "http://127.0.0.1:1")
    with running_session(outside, state, Progress()) as session:
        assert failure(session) == ""
        assert session.replay
        session.replay.supervisor.terminate()
        wait_for(lambda: failure(session).startswith("the replay server has ended; its last lines"))
        assert session.store
        (server,) = psutil.Process(session.store.supervisor).children()
        server.kill()
        wait_for(lambda: failure(session).startswith("S3 has ended; its last lines: "))


def test_a_replay_published_by_an_older_version_is_marked(
    s3_server: S3Server,
) -> None:
    environment = {**s3_server.environment, "WEATHER_BUCKET": made_bucket(s3_server)}
    store = Store(StoreSettings.model_validate({k.lower(): v for k, v in environment.items()}))
    mark_replay(environment)
    assert list(store.list()) == []
    store.put(
        PUBLISHED_KEY,
        b'{"snapshot_id": 1, "published_at": "2026-11-20T05:10:00Z",'
        b' "window_end": "2026-11-20T05:00:00Z"}',
    )
    assert read_source(store) == OPEN_METEO
    mark_replay(environment)
    assert read_source(store) == REPLAY
