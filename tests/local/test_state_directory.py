"""The state directory is private, and keeps the files of each lake apart."""

import stat

from local.environment import StateDirectory


def test_the_state_directory_has_mode_700(state: StateDirectory) -> None:
    assert stat.S_IMODE(state.root.stat().st_mode) == 0o700


def test_each_store_and_bucket_has_its_own_catalog(state: StateDirectory) -> None:
    """A catalog refers to files of one store."""
    catalogs = {
        state.lake_catalog("", "weather"),
        state.lake_catalog("", "rain"),
        state.lake_catalog("https://s3.example.org", "weather"),
        state.replay.lake_catalog("", "weather"),
    }
    assert len(catalogs) == 4
    assert state.lake_catalog("", "weather") == state.root / "lake.sqlite"


def test_the_replay_has_its_own_store(state: StateDirectory) -> None:
    assert state.replay.store != state.store
