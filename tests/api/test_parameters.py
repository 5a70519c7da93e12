"""Requests with more parameters than any can mean, and with one again."""

from itertools import islice, product
from string import ascii_lowercase

import httpx
import pytest

from api.http.problems import MAX_ERRORS
from api.routes.parameters import MAX_LOCATIONS, MAX_PARAMETERS


def unknown(number: int) -> str:
    """A query with so many parameters that no route knows."""
    return "&".join("".join(name) for name in islice(product(ascii_lowercase, repeat=3), number))


@pytest.mark.parametrize("path", ["/weather/summary", "/weather/hourly", "/locations"])
@pytest.mark.parametrize("number", [MAX_PARAMETERS + 1, 7_900])
def test_too_many_are_refused_unread(client: httpx.Client, path: str, number: int) -> None:
    answer = client.get(f"{path}?{unknown(number)}")
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    assert f"at most {MAX_PARAMETERS}" in answer.json()["detail"]


def test_the_first_wrong_ones_are_named(client: httpx.Client) -> None:
    names = unknown(MAX_PARAMETERS)
    answer = client.get(f"/weather/summary?{names}")
    assert answer.status_code == 422
    problem = answer.json()
    assert [error["parameter"] for error in problem["errors"]] == names.split("&")[:MAX_ERRORS]
    rest = MAX_PARAMETERS - MAX_ERRORS
    assert problem["detail"].endswith(f"and {rest} more invalid parameters.")


def test_every_location_may_be_named_beside_the_others(client: httpx.Client) -> None:
    query = "location=lyon&" * MAX_LOCATIONS + "start=2025-11-01&end=2025-11-30&limit=1"
    answer = client.get(f"/weather/summary?{query}&fields=date&format=json")
    assert answer.json() == [{"date": "2025-11-20"}]


REPEATED = {
    "/weather/summary": ["start", "end", "limit", "cursor", "fields", "format"],
    "/weather/monthly": ["start", "end", "limit", "cursor", "fields", "format"],
    "/weather/yearly": ["start", "end", "limit", "cursor", "fields", "format"],
    "/weather/latest": ["location", "fields", "format"],
    "/weather/hourly": ["location", "start", "end", "limit", "fields", "format"],
    "/locations": ["fields", "format"],
}


@pytest.mark.parametrize("path", REPEATED)
def test_none_is_dropped_in_favour_of_another_of_its_name(client: httpx.Client, path: str) -> None:
    for name in REPEATED[path]:
        answer = client.get(path, params=[(name, "lyon"), (name, "new-york")])
        assert answer.status_code == 422, name
        assert answer.json()["errors"] == [
            {
                "parameter": name,
                "expected": "one value",
                "detail": "'new-york': The parameter occurs 2 times",
            }
        ]


def test_every_parameter_is_tried_above(client: httpx.Client) -> None:
    several = {
        path: [
            parameter["name"]
            for parameter in operations["get"].get("parameters", [])
            if parameter["schema"].get("type") != "array"
        ]
        for path, operations in client.get("/openapi.json").json()["paths"].items()
    }
    assert {path: sorted(names) for path, names in several.items() if names} == {
        path: sorted(names) for path, names in REPEATED.items()
    }
