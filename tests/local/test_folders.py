import stat

from local.folders import State


def test_only_the_owner_looks_into_the_state(state: State) -> None:
    assert stat.S_IMODE(state.root.stat().st_mode) == 0o700


def test_each_lake_has_a_catalog_of_its_own(state: State) -> None:
    """Or the tables of one would name files that only the other's store has."""
    catalogs = {
        state.lake_catalog("", "weather"),
        state.lake_catalog("", "rain"),
        state.lake_catalog("https://s3.example.org", "weather"),
        state.of_replay.lake_catalog("", "weather"),
    }
    assert len(catalogs) == 4
    assert state.lake_catalog("", "weather") == state.root / "lake.sqlite"


def test_replayed_weather_is_kept_apart(state: State) -> None:
    assert state.of_replay.store != state.store
