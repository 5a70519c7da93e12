import stat

from local.environment import StateDirectory


def test_only_its_owner_can_read_the_state_directory(state: StateDirectory) -> None:
    assert stat.S_IMODE(state.root.stat().st_mode) == 0o700


def test_each_lake_has_a_catalog_of_its_own(state: StateDirectory) -> None:
    """A catalog names files of one store."""
    catalogs = {
        state.lake_catalog("", "weather"),
        state.lake_catalog("", "rain"),
        state.lake_catalog("https://s3.example.org", "weather"),
        state.replay.lake_catalog("", "weather"),
    }
    assert len(catalogs) == 4
    assert state.lake_catalog("", "weather") == state.root / "lake.sqlite"


def test_replayed_weather_is_kept_apart(state: StateDirectory) -> None:
    assert state.replay.store != state.store
