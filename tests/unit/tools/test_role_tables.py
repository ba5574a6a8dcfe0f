"""The tables of variables in the roles' pages are those that the declarations make."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from tools import role_tables
from tools.role_tables import BEGIN, END, main, page, pages, table

from ..test_roles import ROLES


def test_every_role_s_page_says_what_is_declared() -> None:
    assert sorted(path.parent.name for path in pages()) == ROLES
    stale = [str(path) for path, (old, new) in pages().items() if old != new]
    assert stale == [], "python3 tools/role_tables.py --write"


@pytest.mark.parametrize(
    ("option", "row"),
    [
        ({"type": "str", "default": "falco", "description": "A name."}, "str | `falco` | A name."),
        ({"type": "str", "default": "0750", "description": "A mode."}, 'str | `"0750"` | A mode.'),
        ({"type": "str", "default": "", "description": "A or C(a|b)."}, 'str | `""` | A or `a\\|b`.'),
        ({"type": "str", "default": "{{ x }}", "description": "T."}, 'str | `"{{ x }}"` | T.'),
        ({"type": "path", "description": ["One.", "V(two) O(x)."]}, "path | none | One. `two` `x`."),
        ({"type": "bool", "required": True, "description": "Must be."}, "bool | required | Must be."),
        (
            {"type": "float", "default": 1.5, "choices": [1.5, 2], "description": "S."},
            "float | `1.5` | S. One of `1.5`, `2`.",
        ),
        (
            {"type": "list", "elements": "str", "default": ["a", "b: c"], "choices": ["a"], "description": "L."},
            'list of str | `[a, "b: c"]` | L. Any of `a`.',
        ),
        ({"type": "list", "elements": "raw", "description": "L."}, "list | none | L."),
        ({"type": "raw", "description": "R."}, "any | none | R."),
        (
            {
                "type": "list",
                "elements": "raw",
                "default": [],
                "description": "G.",
                "options": {
                    "name": {"type": "str", "required": True, "description": "N."},
                    "size": {"type": "int", "default": 3, "description": "S."},
                    "x": {"type": "str", "description": "x"},
                },
            },
            "list of dict | `[]` | G.<br>`name` (str, required): N.<br>`size` (int, default `3`): S.<br>`x` (str): x",
        ),
    ],
)
def test_a_row(option: dict[str, Any], row: str) -> None:
    assert table({"some": option}).splitlines()[2] == f"| `some` | {row} |"


def test_a_page_without_a_place_is_refused() -> None:
    with pytest.raises(ValueError, match="no lines"):
        page("# Role", {})


def test_a_page_that_differs_is_named_and_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "roles" / "some" / "meta").mkdir(parents=True)
    specs = "argument_specs: {main: {options: {some_one: {type: int, default: 1, description: One.}}}}\n"
    (tmp_path / "roles" / "some" / "meta" / "argument_specs.yml").write_text(specs)
    readme = tmp_path / "roles" / "some" / "README.md"
    readme.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    monkeypatch.setattr(role_tables, "ROOT", tmp_path)
    monkeypatch.setattr(sys, "argv", ["role_tables.py"])
    assert main() == 1
    assert "roles/some/README.md does not say what" in capsys.readouterr().err
    monkeypatch.setattr(sys, "argv", ["role_tables.py", "--write"])
    assert main() == 0
    assert "| `some_one` | int | `1` | One. |" in readme.read_text()
    assert readme.read_text().startswith("before\n")
    assert readme.read_text().endswith("after\n")
    monkeypatch.setattr(sys, "argv", ["role_tables.py"])
    assert main() == 0
