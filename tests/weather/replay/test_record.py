"""What the replay tells about the requests it got."""

from concurrent.futures import ThreadPoolExecutor
from time import sleep

import httpx

FORM = {
    "latitude": "45.75,40.71",
    "longitude": "4.85,-74.01",
    "hourly": "temperature_2m",
    "apikey": "secret",
}


def test_requests_and_locations_are_counted(replay: httpx.Client) -> None:
    replay.post("/v1/forecast", data=FORM)
    sleep(0.1)
    replay.get("/v1/forecast", params={"hourly": "nonsense"})
    told = replay.get("/replay/requests").json()
    assert (told["requests"], told["locations"], told["most_at_once"]) == (2, 2, 1)
    first, second = told["each"]
    assert first["seconds_since_previous"] is None
    assert second["seconds_since_previous"] >= 0.1
    assert [first["method"], second["method"]] == ["POST", "GET"]
    assert [first["locations"], second["locations"]] == [2, 0]
    assert first["parameters"]["latitude"] == "45.75,40.71"


def test_a_key_is_not_told(replay: httpx.Client) -> None:
    replay.post("/v1/forecast", data=FORM)
    told = replay.get("/replay/requests")
    assert told.json()["each"][0]["parameters"]["apikey"] == "(given)"
    assert "secret" not in told.text


def test_simultaneous_requests_are_seen(replay: httpx.Client) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: replay.post("/v1/forecast", data=FORM), range(16)))
    assert 2 <= replay.get("/replay/requests").json()["most_at_once"] <= 4


def test_requests_are_forgotten(replay: httpx.Client) -> None:
    replay.post("/v1/forecast", data=FORM)
    assert replay.delete("/replay/requests").json() == {
        "requests": 0,
        "locations": 0,
        "most_at_once": 0,
        "each": [],
    }
