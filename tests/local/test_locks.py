"""Exclusive and shared lock files."""

from pathlib import Path
from threading import Event, Thread

from local.supervisor import SharedLock, exclusive_lock
from tests.timeouts import TIMEOUT_SECONDS


def test_a_second_process_waits_for_an_exclusive_lock(tmp_path: Path) -> None:
    lock, waits, done = tmp_path / "folder" / "lock", Event(), Event()

    def second() -> None:
        with exclusive_lock(lock, waiting=waits.set):
            done.set()

    with exclusive_lock(lock, waiting=lambda: None):
        thread = Thread(target=second)
        thread.start()
        assert waits.wait(TIMEOUT_SECONDS)
        assert not done.is_set()
    assert done.wait(TIMEOUT_SECONDS)
    thread.join()


def test_a_free_lock_is_taken_without_waiting(tmp_path: Path) -> None:
    waited = Event()
    with exclusive_lock(tmp_path / "lock", waiting=waited.set):
        assert not waited.is_set()


def test_a_removed_lock_file_does_not_affect_a_later_owner(tmp_path: Path) -> None:
    first = SharedLock(tmp_path / "lock")
    (tmp_path / "lock").unlink()
    second = SharedLock(tmp_path / "lock")
    assert not first.try_exclusive()
    assert second.try_exclusive()
    first.close()
    second.close()
