"""Pages of several locations, columns and formats."""

import csv
import io

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.api.conftest import LYONS_DAYS, NEWEST_DAY

PATHS = ["/weather/summary", "/weather/hourly", "/weather/monthly", "/weather/yearly", "/locations"]


def pages(client: httpx.Client, path: str) -> list[list[dict[str, object]]]:
    """Yield pages, following `Link`."""
    found = []
    address: str | None = path
    while address:
        response = client.get(address)
        assert response.status_code == 200, response.text
        found.append(response.json())
        address = response.links.get("next", {}).get("url")
    return found


def test_all_locations_are_ordered_by_date_then_id(client: httpx.Client) -> None:
    rows = client.get("/weather/summary?location=all").json()
    assert len(rows) == LYONS_DAYS + 3 + 1
    assert [row["location"] for row in rows[:4]] == ["lyon", "new-york", "lyon", "new-york"]
    assert rows == sorted(
        sorted(rows, key=lambda row: row["location"]), key=lambda row: row["date"], reverse=True
    )


def test_several_locations(client: httpx.Client) -> None:
    rows = client.get("/weather/summary?location=new-york&location=lyon&location=kolkata").json()
    assert len(rows) == LYONS_DAYS + 3
    assert {row["location"] for row in rows} == {"lyon", "new-york"}
    twice = client.get("/weather/summary?location=lyon&location=lyon").json()
    assert twice == client.get("/weather/summary").json()


def test_an_unknown_location_among_known_ones_is_reported(client: httpx.Client) -> None:
    response = client.get("/weather/summary?location=lyon&location=paris")
    assert response.status_code == 404
    assert "'paris'" in response.json()["detail"]
    many = "&".join(["location=lyon"] * 101)
    assert client.get(f"/weather/summary?{many}").status_code == 422


@pytest.mark.parametrize("limit", [1, 2, 5, 13, 14, 15])
@pytest.mark.parametrize(
    "query", ["location=all", "location=lyon&location=atlantis", "end=2025-11-18&location=lyon"]
)
def test_joined_pages_equal_the_unpaged_response(
    client: httpx.Client, query: str, limit: int
) -> None:
    whole = client.get(f"/weather/summary?{query}").json()
    parts = pages(client, f"/weather/summary?limit={limit}&{query}")
    assert [row for part in parts for row in part] == whole
    assert all(len(part) == limit for part in parts[:-1])


def test_the_last_page_has_no_next_link(client: httpx.Client) -> None:
    assert "next" not in client.get(f"/weather/summary?limit={LYONS_DAYS}").links
    assert "next" in client.get(f"/weather/summary?limit={LYONS_DAYS - 1}").links


@pytest.mark.parametrize("cursor", ["", "next", "00", "0000000g", "zz" * 200, "00004f6"])
def test_an_invalid_cursor_is_rejected(client: httpx.Client, cursor: str) -> None:
    response = client.get("/weather/summary", params={"cursor": cursor})
    assert response.status_code == 422
    assert response.json()["errors"][0]["parameter"] == "cursor"


def test_fields_select_and_order_the_columns(client: httpx.Client) -> None:
    rows = client.get("/weather/summary?fields=temp_max_c,date&limit=2").json()
    assert [list(row) for row in rows] == [["temp_max_c", "date"]] * 2
    latest = client.get("/weather/latest?fields=is_complete").json()
    assert latest == {"is_complete": False}
    for wrong in ("", "temperature", "date,", "date;hours"):
        response = client.get("/weather/summary", params={"fields": wrong})
        assert response.status_code == 422, wrong


@pytest.mark.parametrize("path", PATHS)
def test_the_four_formats_have_the_same_rows(client: httpx.Client, path: str) -> None:
    rows = client.get(path).json()
    by_name = client.get(f"{path}?format=parquet")
    by_header = client.get(path, headers={"Accept": "application/vnd.apache.parquet"})
    assert by_name.headers["content-type"] == "application/vnd.apache.parquet"
    assert by_name.content == by_header.content
    table = pq.read_table(io.BytesIO(by_name.content))
    assert len(table) == len(rows)
    assert table.schema.names == list(rows[0])
    stream = client.get(path, headers={"Accept": "application/vnd.apache.arrow.stream"})
    assert pa.ipc.open_stream(stream.content).read_all().to_pylist() == table.to_pylist()
    text = client.get(path, headers={"Accept": "text/csv"})
    assert text.headers["content-type"] == "text/csv; charset=utf-8"
    assert text.headers["content-disposition"].startswith("attachment; filename=")
    lines = list(csv.DictReader(io.StringIO(text.text)))
    assert [set(line) for line in lines] == [set(row) for row in rows]
    for line, row in zip(lines, rows, strict=True):
        assert {name: value or None for name, value in line.items()} == {
            name: None if value is None else shown(value) for name, value in row.items()
        }


def shown(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def test_the_format_parameter_overrides_accept(client: httpx.Client) -> None:
    response = client.get("/weather/latest?format=csv", headers={"Accept": "application/json"})
    assert response.text.splitlines()[1].startswith(f"lyon,{NEWEST_DAY},")
    assert client.get("/weather/latest?format=xml").status_code == 422
