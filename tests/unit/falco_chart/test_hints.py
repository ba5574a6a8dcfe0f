"""What messages tell users to use is there: variables, roles, modules and filters."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.falconet.k8s.plugins.plugin_utils.role_specs import ROLES, role_options

ROOT = Path(__file__).resolve().parents[3]
PLUGINS = ROOT / "plugins"
ROLE_NAMES = {path.name for path in ROLES.iterdir()}
VARIABLES = {name for role in ROLE_NAMES for name in role_options(role)}
CONTENT = {path.stem for kind in ("modules", "filter") for path in (PLUGINS / kind).iterdir()} | ROLE_NAMES
#: Words of Falco and Kubernetes that look like ours, options of modules, and keys of results.
OTHERS = {"falco_libs", "falco_rules", "falco_output", "falco_version", "falco_sha256_rules_files_info"}
OTHERS |= {"falco_container", "falco_events_total", "falco_load_results", "falco_label_selector", "falco_ms"}
#: A table of macros and lists in Falco's own rules.
NO_MESSAGES = PLUGINS / "module_utils" / "falco" / "catalogue" / "maintained.py"


def texts(path: Path) -> Iterator[tuple[int, str]]:
    """Line and text of every string in a file that is no docstring; pieces of an f-string one by one."""
    tree = ast.parse(path.read_text())
    documentation = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef))
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
            yield node.lineno, node.value


def wrong_names(text: str) -> list[str]:
    """Variables, modules, filters and roles that a text names and nobody has."""
    wrong = []
    for name in re.findall(r"(?<![\w./-])falco_[a-z0-9_]+(?![\w.]*\.ya?ml)", text):
        known = name in VARIABLES | CONTENT | OTHERS
        if not known and not (name.endswith("_") and any(variable.startswith(name) for variable in VARIABLES)):
            wrong.append(name)
    for name in re.findall(r"\broles? ([a-z0-9]+_[a-z0-9_]+)\b", text):
        if name not in ROLE_NAMES:
            wrong.append(f"role {name}")
    return wrong


def test_a_name_that_nobody_has_is_found() -> None:
    assert wrong_names("Use falco_outputs and the role falco_rules (falco_rules.yaml, falco_driver_ variables).") == []
    assert wrong_names("Use falco_oputs and the role k8s_events.") == ["falco_oputs", "role k8s_events"]


@pytest.mark.parametrize(
    "path",
    sorted({*(PLUGINS / "module_utils").rglob("*.py")} - {NO_MESSAGES}),
    ids=lambda path: str(path.relative_to(PLUGINS)),
)
def test_messages_name_only_what_exists(path: Path) -> None:
    assert [(line, name) for line, text in texts(path) for name in wrong_names(text)] == []
