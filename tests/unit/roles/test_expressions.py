"""What YAML decides is short enough to be read at a glance; more is a filter's, where it is tested."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
LONGEST = 140
"""Characters of an expression, white space counted once. Arguments of a filter of the collection's own may be more."""
EXPRESSION = re.compile(r"\{\{(.*?)\}\}|\{%(.*?)%\}", re.S)
FILES = [
    path
    for pattern in ("roles/*/*/*.yml", "roles/*/*/*.j2", "playbooks/**/*.yml", "molecule/**/*.yml")
    for path in sorted(ROOT.glob(pattern))
]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_an_expression_is_short(path: Path) -> None:
    text = path.read_text()
    found = [
        (text.count("\n", 0, match.start()) + 1, expression)
        for match in EXPRESSION.finditer(text)
        for expression in [" ".join((match[1] or match[2]).split())]
    ]
    assert [one for one in found if len(one[1]) > LONGEST and "falconet.k8s." not in one[1]] == []
