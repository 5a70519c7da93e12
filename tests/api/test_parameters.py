"""Requests with too many or repeated parameters."""

from itertools import islice, product
from string import ascii_lowercase

import httpx
import pytest

from api.http.problems import MAX_ERRORS
from api.routes.parameters import MAX_LOCATIONS, MAX_PARAMETERS


def unknown(number: int) -> str:
    """Return a query of unknown parameters."""
    return "&".join("".join(name) for name in islice(product(ascii_lowercase, repeat=3), number))


@pytest.mark.parametrize("path", ["/weather/summary", "/weather/hourly", "/locations"])
@pytest.mark.parametrize("number", [MAX_PARAMETERS + 1, 7_900])
def test_too_many_parameters_are_rejected(client: httpx.Client, path: str, number: int) -> None:
    response = client.get(f"{path}?{unknown(number)}")
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["cache-control"] == "no-store"
    assert f"at most {MAX_PARAMETERS}" in response.json()["detail"]


def test_the_first_invalid_parameters_are_listed(client: httpx.Client) -> None:
    names = unknown(MAX_PARAMETERS)
    response = client.get(f"/weather/summary?{names}")
    assert response.status_code == 422
    problem = response.json()
    assert [error["parameter"] for error in problem["errors"]] == names.split("&")[:MAX_ERRORS]
    rest = MAX_PARAMETERS - MAX_ERRORS
    assert problem["detail"].endswith(f"and {rest} more invalid parameters.")


def test_the_maximum_number_of_locations_is_accepted(client: httpx.Client) -> None:
    query = "location=lyon&" * MAX_LOCATIONS + "start=2025-11-01&end=2025-11-30&limit=1"
    response = client.get(f"/weather/summary?{query}&fields=date&format=json")
    assert response.json() == [{"date": "2025-11-20"}]


REPEATED = {
    "/weather/summary": ["start", "end", "limit", "cursor", "fields", "format"],
    "/weather/monthly": ["start", "end", "limit", "cursor", "fields", "format"],
    "/weather/yearly": ["start", "end", "limit", "cursor", "fields", "format"],
    "/weather/latest": ["location", "fields", "format"],
    "/weather/hourly": ["location", "start", "end", "limit", "fields", "format"],
    "/locations": ["fields", "format"],
}


@pytest.mark.parametrize("path", REPEATED)
def test_a_repeated_parameter_is_rejected(client: httpx.Client, path: str) -> None:
    for name in REPEATED[path]:
        response = client.get(path, params=[(name, "lyon"), (name, "new-york")])
        assert response.status_code == 422, name
        assert response.json()["errors"] == [
            {
                "parameter": name,
                "expected": "one value",
                "detail": "'new-york': The parameter occurs 2 times",
            }
        ]


def test_every_single_valued_parameter_is_tested(client: httpx.Client) -> None:
    single_valued = {
        path: [
            parameter["name"]
            for parameter in operations["get"].get("parameters", [])
            if parameter["schema"].get("type") != "array"
        ]
        for path, operations in client.get("/openapi.json").json()["paths"].items()
    }
    assert {path: sorted(names) for path, names in single_valued.items() if names} == {
        path: sorted(names) for path, names in REPEATED.items()
    }
