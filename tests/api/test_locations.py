"""/locations."""

import httpx
import pytest

from tests.api.conftest import LYONS_DAYS

pytestmark = pytest.mark.slow


def test_locations_have_first_date_last_date_and_days(client: httpx.Client) -> None:
    lyon, new_york, kolkata = client.get("/locations").json()
    assert lyon.pop("newest_hour").endswith("Z")
    assert lyon == {
        "id": "lyon",
        "name": "Lyon <sur Rhône>",
        "latitude": 45.75,
        "longitude": 4.85,
        "timezone": "Europe/Paris",
        "is_default": True,
        "first_date": "2025-11-11",
        "last_date": "2025-11-20",
        "days": LYONS_DAYS,
    }
    assert new_york["days"] == 3
    assert not new_york["is_default"]
    assert [kolkata[name] for name in ("first_date", "last_date", "days", "newest_hour")] == [
        None
    ] * 4
