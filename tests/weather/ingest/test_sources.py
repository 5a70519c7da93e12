"""Locations of several sources in one job."""

import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from tests.weather.ingest.examples import UNITS, WINDOW, Lines, location, responses_to, source_at
from tests.weather.ingest.scripted_server import Reply, scripted_server, unused_url
from weather.errors import ExitCode, StepError
from weather.ingest.fetch import RetryPolicy, SourceClient
from weather.ingest.http_json import Timeouts, parse_response
from weather.ingest.job import Call, Job, Stats
from weather.ingest.quota import quota_problem
from weather.ingest.run import CLIENTS, ingest
from weather.ingest.validate import common_format
from weather.locations import Location
from weather.published import read_source
from weather.source import OPEN_METEO, REPLAY, SOURCES, Source
from weather.storage import Store
from weather.window import HOUR, Window

Stored = Callable[[str], Lines]
Register = Callable[[str], None]

GAUGE = Source(
    name="Rain gauge",
    attribution="Rain by a gauge",
    url="https://gauge.example.org/",
    licence="CC0",
    licence_url="https://creativecommons.org/publicdomain/zero/1.0/",
)
RAIN = [0.5, None, 2.0]
RESPONSE = {"gauge": "garden", "rain": RAIN, "battery": "low"}
HEALTHY = Reply(json.dumps(responses_to(WINDOW, [1, 2])).encode())
HEALTHY_GAUGE = Reply(json.dumps(RESPONSE).encode())


class RainGauge(SourceClient):
    """Client of a server with one gauge's rain of the window's first hours."""

    source = GAUGE
    settings_names = "GAUGE_URL"
    locations_per_call = 1

    def __init__(self, address: str, timeouts: Timeouts) -> None:
        super().__init__(timeouts)
        self._address = address

    def base_url(self, call: Call, now: datetime) -> str:
        return self._address

    def request_fields(self, call: Call) -> dict[str, str]:
        return {"gauge": call.locations[0].id}

    def request(self, call: Call, base_url: str) -> list[object]:
        status, body, _ = self.http.send("GET", f"{base_url}/{call.locations[0].id}")
        return parse_response(status, body, expected=1)

    def wrong_location(self, response: object, location: Location, position: int) -> str | None:
        assert isinstance(response, dict)
        return None if response["gauge"] == location.id else "another gauge"

    def hours_of(self, response: object, window: Window) -> object:
        assert isinstance(response, dict)
        rain = {window.start + hour * HOUR: value for hour, value in enumerate(response["rain"])}
        return common_format(window, {"precipitation": rain})


@pytest.fixture
def register(monkeypatch: pytest.MonkeyPatch) -> Register:
    """Factory that adds the gauge at a URL to the sources."""

    def add(address: str) -> None:
        monkeypatch.setitem(SOURCES, "gauge", GAUGE)
        monkeypatch.setitem(
            CLIENTS,
            "gauge",
            lambda _, timeouts: RainGauge(address, timeouts),
        )

    return add


def garden() -> Location:
    return location(3).model_copy(update={"id": "garden", "source": "gauge"})


def job(*locations: Location) -> Job:
    return Job(WINDOW, 0, 1, locations)


def lines_of(stored: Stored) -> dict[str, dict[str, object]]:
    lines = [line for each in stored("raw/").values() for line in each]
    return {line["location"]["id"]: line for line in lines}


def test_every_source_has_a_client() -> None:
    assert CLIENTS.keys() == SOURCES.keys()


def test_each_source_gets_the_calls_for_its_locations(
    store: Store, retry_policy: RetryPolicy, stored: Stored, register: Register
) -> None:
    stats = Stats()
    with scripted_server([HEALTHY]) as server, scripted_server([HEALTHY_GAUGE]) as gauge:
        register(gauge.url)
        places = job(location(1), garden(), location(2))
        ingest(places, source_at(server.url), store, stats, retry_policy=retry_policy)
    assert [form["latitude"] for form in server.forms] == ["1.0,2.0"]
    assert gauge.paths == ["GET /garden"]
    assert sorted(key[-9:] for key in stored("raw/")) == ["0000.json", "0001.json"]
    assert (stats.calls, stats.accepted, stats.hours_accepted) == (2, 3, 18)
    lines = lines_of(stored)
    assert lines["garden"]["answer"] == RESPONSE
    assert lines["garden"]["host"] == gauge.url
    assert lines["garden"]["request"] == {"gauge": "garden"}
    assert lines["garden"]["location"] == garden().model_dump()
    hours = lines["garden"]["hours"]
    assert isinstance(hours, dict)
    assert hours["hourly"] == {name: [None] * 6 for name in UNITS} | {
        "time": [f"{WINDOW.start + hour * HOUR:%Y-%m-%dT%H:%M}" for hour in range(6)],
        "precipitation": [*RAIN, None, None, None],
    }
    # As lines of Open-Meteo were before there were other sources.
    assert "hours" not in lines["place-1"]
    assert lines["place-1"]["location"] == location(1).model_dump(exclude={"source"})
    assert read_source(store) == OPEN_METEO.model_copy(update={"others": (GAUGE,)})


@pytest.mark.parametrize(
    ("numbers", "code"), [([1, 2], ExitCode.REJECTED), ([1], ExitCode.UNAVAILABLE)]
)
def test_an_unreachable_source_does_not_block_others(
    store: Store,
    retry_policy: RetryPolicy,
    stored: Stored,
    register: Register,
    numbers: list[int],
    code: ExitCode,
) -> None:
    stats = Stats()
    responses = responses_to(WINDOW, numbers)
    with (
        scripted_server([Reply(json.dumps(responses).encode())]) as server,
        unused_url() as gauge,
    ):
        register(gauge)
        places = job(garden(), *map(location, numbers))
        with pytest.raises(StepError) as failure:
            ingest(places, source_at(server.url), store, stats, retry_policy=retry_policy)
    assert f"(garden, {gauge}) failed after 5 attempts" in str(failure.value)
    assert f"The {len(numbers)} accepted responses are stored." in str(failure.value)
    # Less than half of the locations are not worth another request for all.
    assert failure.value.exit_code == code
    assert stats.accepted == len(numbers)
    assert lines_of(stored).keys() == {f"place-{number}" for number in numbers}


def test_a_failure_of_most_locations_keeps_its_exit_code(
    store: Store, retry_policy: RetryPolicy, stored: Stored, register: Register
) -> None:
    limit = Reply(b'{"error": true, "reason": "Hourly API request limit exceeded."}', 429)
    with (
        scripted_server([limit]) as server,
        scripted_server([HEALTHY_GAUGE]) as gauge,
    ):
        register(gauge.url)
        places = job(location(1), location(2), garden())
        with pytest.raises(StepError) as failure:
            ingest(places, source_at(server.url), store, Stats(), retry_policy=retry_policy)
    assert failure.value.exit_code == ExitCode.WAIT_NEXT_HOUR
    assert lines_of(stored).keys() == {"garden"}


def test_a_defect_in_a_client_does_not_block_others(
    store: Store,
    retry_policy: RetryPolicy,
    stored: Stored,
    register: Register,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(RainGauge, "request", lambda *_: 1 / 0)
    register("http://127.0.0.1:1")
    places = job(garden(), location(1), location(2))
    with scripted_server([HEALTHY]) as server:
        settings = source_at(server.url)
        with pytest.raises(StepError) as failure:
            ingest(places, settings, store, Stats(), retry_policy=retry_policy)
    assert failure.value.exit_code == ExitCode.REJECTED
    assert "unexpected ZeroDivisionError" in str(failure.value)
    assert lines_of(stored).keys() == {"place-1", "place-2"}


def test_a_missing_setting_of_a_source_does_not_block_others(
    store: Store,
    retry_policy: RetryPolicy,
    stored: Stored,
    register: Register,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(RainGauge, "problem", lambda *_: "GAUGE_URL: is missing.")
    register("")
    places = job(garden(), location(1), location(2))
    with scripted_server([HEALTHY]) as server:
        settings = source_at(server.url)
        with pytest.raises(StepError, match="GAUGE_URL: is missing") as failure:
            ingest(places, settings, store, Stats(), retry_policy=retry_policy)
    assert failure.value.exit_code == ExitCode.SETTING
    assert lines_of(stored).keys() == {"place-1", "place-2"}


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        ({"gauge": "garden"}, "unexpected structure: KeyError: 'rain'"),
        ({"gauge": "roof", "rain": RAIN}, "another gauge"),
        ({"gauge": "garden", "rain": ["much"]}, "precipitation at 2024-02-10T22:00 is 'much'"),
        ({"gauge": "garden", "rain": []}, "all values of the 6 hours are null"),
        ([], "0 responses for 1 locations"),
    ],
)
def test_an_invalid_response_of_a_source_is_rejected(
    store: Store,
    retry_policy: RetryPolicy,
    stored: Stored,
    register: Register,
    response: object,
    reason: str,
) -> None:
    with (
        scripted_server([HEALTHY]) as server,
        scripted_server([Reply(json.dumps(response).encode())]) as gauge,
    ):
        register(gauge.url)
        places = job(location(1), location(2), garden())
        with pytest.raises(StepError) as failure:
            ingest(places, source_at(server.url), store, Stats(), retry_policy=retry_policy)
    assert failure.value.exit_code == ExitCode.REJECTED
    assert "garden" in str(failure.value)
    assert reason in str(failure.value)
    lines = lines_of(stored)
    assert lines["place-1"]["accepted"]
    if response:
        assert (lines["garden"]["accepted"], lines["garden"]["answer"]) == (False, response)


@pytest.mark.parametrize("replay_first", [True, False])
def test_a_replay_and_another_source_of_weather_do_not_mix(
    store: Store,
    retry_policy: RetryPolicy,
    stored: Stored,
    register: Register,
    faulty_replay: str,
    *,
    replay_first: bool,
) -> None:
    places = [location(1), garden()] if replay_first else [garden(), location(1)]
    replay = source_at(faulty_replay)
    with scripted_server([HEALTHY_GAUGE]) as gauge:
        register(gauge.url)
        with pytest.raises(StepError) as failure:
            ingest(job(*places), replay, store, Stats(), retry_policy=retry_policy)
    assert failure.value.exit_code == ExitCode.SETTING
    assert "a replay never mixes with weather" in str(failure.value)
    assert lines_of(stored).keys() == {"place-1" if replay_first else "garden"}
    assert read_source(store) == (REPLAY if replay_first else GAUGE)


def test_only_locations_of_open_meteo_count_for_its_quota(register: Register) -> None:
    register("http://127.0.0.1:1")
    numbers = range(5_001)
    free = source_at("https://api.open-meteo.com")
    now = datetime(2024, 2, 11, 5, tzinfo=UTC)
    places = [location(number) for number in numbers]
    assert quota_problem(job(*places), free, now) is not None
    places[0] = garden()
    assert quota_problem(job(*places), free, now) is None
