from pathlib import Path
from threading import Event, Thread

from local.lease import Lease, one_at_a_time
from tests.patience import PATIENCE


def test_the_second_one_says_that_it_waits_and_then_has_its_turn(tmp_path: Path) -> None:
    lock, waits, done = tmp_path / "folder" / "lock", Event(), Event()

    def second() -> None:
        with one_at_a_time(lock, waiting=waits.set):
            done.set()

    with one_at_a_time(lock, waiting=lambda: None):
        thread = Thread(target=second)
        thread.start()
        assert waits.wait(PATIENCE)
        assert not done.is_set()
    assert done.wait(PATIENCE)
    thread.join()


def test_the_first_one_does_not_say_that_it_waits(tmp_path: Path) -> None:
    waited = Event()
    with one_at_a_time(tmp_path / "lock", waiting=waited.set):
        assert not waited.is_set()


def test_a_lease_whose_file_was_removed_ends_no_later_service(tmp_path: Path) -> None:
    first = Lease(tmp_path / "lease")
    (tmp_path / "lease").unlink()
    second = Lease(tmp_path / "lease")
    assert not first.give_up()
    assert second.give_up()
    first.close()
    second.close()
