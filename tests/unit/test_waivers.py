"""Every waiver of a linter or of mypy names what it waives, and why."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("plugins", "sandbox", "tools", "bench", "tests", "molecule")
WAIVER = re.compile(r"#\s*(noqa|type:\s*ignore)\b", re.IGNORECASE)
REASONED = (
    re.compile(r"# noqa: [A-Z]+\d+(, [A-Z]+\d+)* - \S.+"),
    re.compile(r"# type: ignore\[[a-z-]+(, [a-z-]+)*\]  # \S.+"),
)


def bare(text: str) -> Iterator[tuple[int, str]]:
    """Line and text of each waiver without a code or a reason."""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT and WAIVER.search(token.string):
            found = token.string[WAIVER.search(token.string).start() :]  # type: ignore[union-attr]  # just searched
            if not any(form.fullmatch(found) for form in REASONED):
                yield token.start[0], found


def test_every_waiver_says_why() -> None:
    files = [ROOT / "noxfile.py", *(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))]
    assert len(files) > 500
    found = [f"{path.relative_to(ROOT)}:{line}: {text}" for path in files for line, text in bare(path.read_text())]
    assert found == [], "write '# noqa: CODE - reason' or '# type: ignore[code]  # reason'"


@pytest.mark.parametrize("code", ["noqa", "noqa: E402", "noqa: E402 reason", "type: ignore", "type: ignore[misc]"])
def test_a_waiver_without_code_or_reason_is_found(code: str) -> None:
    assert list(bare(f"x = 1  # {code}\n")) == [(1, f"# {code}")]


@pytest.mark.parametrize("code", ["noqa: S1, E402 - why", "type: ignore[misc]  # why"])
def test_a_waiver_with_both_is_not(code: str) -> None:
    assert list(bare(f"x = 1  # {code}\n")) == []
