from local.table import table


def test_words_stand_left_and_numbers_right() -> None:
    rows: list[dict[str, object]] = [
        {"location": "lyon", "temp_min_c": -0.5, "is_complete": True},
        {"location": "new-york", "temp_min_c": 10.0, "is_complete": False},
        {"location": "x", "temp_min_c": None, "is_complete": False},
    ]
    assert table(rows) == [
        "location  temp_min_c  is_complete",
        "lyon            -0.5  yes",
        "new-york        10.0  no",
        "x                  -  no",
    ]


def test_no_rows_make_no_table() -> None:
    assert table([]) == []
