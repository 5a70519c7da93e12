"""Find words in docs, docstrings, comments and messages that have a plainer or standard term.

Usage: python scripts/words.py [PATH...]
"""

import io
import re
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

# Regular expression of a word, and what to write instead.
INSTEAD = {
    r"anew": "again",
    r"mend(?:s|ed|ing)?": "repair, fix, correct",
    r"stands": "is",
    r"(?:hand(?:s|ed|ing)?) out": "return, serve, send",
    r"patien(?:ce|t)": "time limit, timeout, retries",
    r"allowance": "rate limit, quota",
    r"keepers?": "supervisor",
    r"leases?": "lock",
    r"guards?": "watchdog, check",
    r"judge[sd]?": "validate, evaluate",
    r"(?:takes?|their|its) turns?": "wait for each other",
    r"(?:is|are|tells?) told|told|tells": "says, reports, sends",
    r"asks?|asked|asking": "request, send, read",
    r"answers?|answered|answering": "response, return",
    r"nobody|whoever": "name the subject",
    r"(?<!there )(?:is|are|was|were) (?:no(?! longer| more than)|(?-i:none))": "is not a",
    r"no use": "not needed",
    r"doubled": "duplicate",
    r"of its own": "its own, separate",
    r"as it were|in the making|at the door|what is ready": "a plain term",
    r"(?<=def test )(?:it|its|they|their|that|what|who|whose|whoever|where|how|why)": (
        "name the subject"
    ),
    r'(?<=""")(?-i:What|Who|Whose|Where|When|Whether|How|Why)': "a verb or a noun",
}
BANNED = re.compile(
    "|".join(rf"(?P<w{i}>\b(?:{word})\b)" for i, word in enumerate(INSTEAD)), re.IGNORECASE
)
CODE = re.compile(r"`[^`\n]*`")
SQL = re.compile(r"(\{#.*?#\}|--.*?$)|(.)", re.MULTILINE | re.DOTALL)
BLOCK_OF_CODE = re.compile(r"(?ms:^```.*?^```$)|(?m:^(?: {4}|\t).*$)")
KEEP = "words: keep"
"""Comment on a line whose word is part of a contract, such as a metric's label."""
TEXT = {
    "",
    ".conf",
    ".html",
    ".js",
    ".json",
    ".md",
    ".sh",
    ".sql",
    ".toml",
    ".tpl",
    ".txt",
    ".yaml",
    ".yml",
}
# Generated files, recorded data, and the list itself.
SKIPPED = (
    "LICENSE",
    "api/page/uplot/",
    "requirements/",
    "scripts/words.py",
    "tests/dags/pod_specs/",
    "tests/scripts/test_words.py",
)


def texts(path: Path) -> Iterator[tuple[int, str]]:
    """Yield (line number, text) of each piece of a file that people read."""
    content = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        for token in tokenize.generate_tokens(io.StringIO(content).readline):
            # A string without a space is a key or a name.
            if token.type == tokenize.NAME and token.string.startswith("test_"):
                # Only the name of a test function is text; its uses repeat it.
                if token.line.lstrip().startswith(("def ", "async def ")):
                    yield token.start[0], f"def {token.string.replace('_', ' ')}"
            elif token.type == tokenize.COMMENT or (
                token.type == tokenize.STRING and " " in token.string
            ):
                for offset, line in enumerate(token.string.splitlines()):
                    yield token.start[0] + offset, line
        return
    if path.suffix == ".sql":
        content = SQL.sub(lambda found: found[1] or ("\n" if found[2] == "\n" else ""), content)
    if path.suffix == ".md":
        content = BLOCK_OF_CODE.sub(lambda code: "\n" * code[0].count("\n"), content)
    yield from enumerate(content.splitlines(), 1)


def tracked_files(arguments: list[str]) -> list[Path]:
    """Return the files that git tracks, and new files that git does not ignore."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *arguments],
        capture_output=True,
        text=True,
        check=True,
    )
    return [Path(name) for name in listed.stdout.splitlines()]


def main(arguments: list[str]) -> int:
    """Print each banned word with its place. Return 1 if a text has a banned word."""
    found = 0
    for path in tracked_files(arguments):
        if path.suffix not in TEXT | {".py"} or not path.is_file():
            continue
        if str(path).startswith(SKIPPED):
            continue
        lines = path.read_text(encoding="utf-8").splitlines()
        for line, text in texts(path):
            if KEEP in lines[line - 1]:
                continue
            for match in BANNED.finditer(CODE.sub("``", text)):
                instead = list(INSTEAD.values())[int(str(match.lastgroup)[1:])]
                print(f"{path}:{line}: '{match[0]}': write {instead}")
                found += 1
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
