"""The project's pages of documentation."""

from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
PAGES = {
    file.relative_to(PROJECT).as_posix(): file.read_text(encoding="utf-8")
    for pattern in ("*.md", "dags/*.md", "docs/**/*.md", "tests/*.md")
    for file in sorted(PROJECT.glob(pattern))
}
"""Text of each page by its path in the project."""
