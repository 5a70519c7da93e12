"""scripts/words.py finds banned words in text, but not in code."""

from pathlib import Path

import pytest

from scripts.words import main


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("a.py", '"""Start anew."""\n', 1),
        ("a.py", "anew = patience = 1  # fine\n", 0),
        ("a.py", 'KEY = "answer"\n', 0),
        ("a.py", 'raise ValueError("the server answers")\n', 1),
        ("a.py", '"""Return `answers` of `raw/`."""\n', 0),
        ("a.py", "# This is no longer needed.\n", 0),
        ("a.py", "# This is no city.\n", 1),
        ("a.py", "# These are no cities.\n", 1),
        ("a.py", "# There are no cities.\n", 0),
        ("a.py", '"""What a city is."""\n', 1),
        ("a.py", "def test_it_starts_anew() -> None: ...\n", 2),
        ("a.py", "async def test_the_server_answers() -> None: ...\n", 1),
        ("a.py", "def test_a_request_is_sent() -> None: ...\n", 0),
        ("a.py", "test_it_starts_anew()\n", 0),
        ("a.md", "Nobody reads this.\n\n    nobody\n\n```sh\nask\n```\n", 1),
        ("a.md", "A.\n\n    x\n\nNobody.\n", 1),
        ("a.yaml", "key: 1  # stands here, released by Helm\n", 1),
        ("a.py", "# None if there is no such key.\n", 0),
        ("a.sql", "{#- An answer. -#}\nselect answer -- asked\n", 2),
        ("a.py", 'LABEL = "no answers"  # words: keep, a label\n', 0),
        ("a.png", "anew", 0),
    ],
)
def test_banned_words_are_found_in_text(
    name: str,
    content: str,
    found: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("scripts.words.tracked_files", lambda _: [Path(name)])
    assert main(["."]) == min(found, 1)
    assert capsys.readouterr().out.count("write ") == found
