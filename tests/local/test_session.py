"""A session notices when something of its own ends by itself."""

import psutil
import pytest

from local import source
from local.folders import State
from local.progress import Progress
from local.session import Session, running_session
from tests.local.observing import wait_for
from weather.exit_codes import StepError


def failure(session: Session) -> str:
    try:
        session.require_running()
    except StepError as error:
        return str(error)
    return ""


def test_a_store_or_a_replay_that_ends_is_told(
    state: State, outside: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "OPEN_METEO", "http://127.0.0.1:1")
    with running_session(outside, state, Progress()) as session:
        assert failure(session) == ""
        assert session.replay
        session.replay.keeper.terminate()
        wait_for(lambda: failure(session).startswith("the replay server has ended; its last lines"))
        assert session.store
        (server,) = psutil.Process(session.store.keeper).children()
        server.kill()
        wait_for(lambda: failure(session).startswith("S3 has ended; its last lines: "))
