"""Docstrings are in one dialect: `Args:`, `Returns:`, `Raises:` and `Attributes:`, no fields between colons."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("plugins", "sandbox", "tools", "bench", "tests", "molecule")
OTHERS = re.compile(r"^\s*(:(param|returns?|raises|ivar)\b|(Parameters|Returns|Raises)\n\s*-{3,})", re.M)
KINDS = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def test_there_is_one_dialect() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {getattr(node, 'name', 'the module')}"
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, KINDS) and OTHERS.search(ast.get_docstring(node) or "")
    ]
    assert found == []


def test_another_is_found() -> None:
    assert OTHERS.search("Summary.\n\n    :raises ValueError: x\n")
    assert OTHERS.search("Summary.\n\nReturns\n-------\nint\n")
    assert not OTHERS.search("Summary.\n\nReturns:\n    a number\n")
