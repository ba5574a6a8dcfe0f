"""Conditions with their macros written out, and the names that they use."""

from __future__ import annotations

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco.condition.nodes import Node
from ansible_collections.falconet.k8s.plugins.module_utils.falco.condition.parser import parse
from ansible_collections.falconet.k8s.plugins.module_utils.falco.condition.printer import to_text
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.compiler import Compiler
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.expand import expand, fields_of, macros_of
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.ruleset import RulesFile, load

MACROS = {
    "a": "proc.name = x and fd.name = y",
    "b": "a or proc.pname = z",
    "c": "not b",
    "m0": "proc.name = x",
    **{f"m{number}": f"m{number - 1} or m{number - 1}" for number in range(1, 20)},
}
COMPILER: Compiler = load(
    [RulesFile("f", "".join(f"- macro: {name}\n  condition: {text}\n" for name, text in MACROS.items()))]
).compiler


@pytest.mark.parametrize(
    ("condition", "written_out"),
    [
        ("a", "proc.name = x and fd.name = y"),
        ("evt.num = 1 and a", "evt.num = 1 and proc.name = x and fd.name = y"),
        ("b and a", "((proc.name = x and fd.name = y) or proc.pname = z) and proc.name = x and fd.name = y"),
        ("c", "not ((proc.name = x and fd.name = y) or proc.pname = z)"),
        ("a and nobody", "proc.name = x and fd.name = y and nobody"),
    ],
)
def test_macros_are_written_out(condition: str, written_out: str) -> None:
    found = expand(parse(condition), COMPILER)
    assert found is not None
    assert to_text(found) == to_text(parse(written_out))


@pytest.mark.parametrize(("macro", "possible"), [("m10", True), ("m19", False)])
def test_what_would_grow_without_end_is_not_written_out(macro: str, possible: bool) -> None:
    assert (expand(parse(macro), COMPILER) is not None) is possible


@pytest.mark.parametrize(
    ("condition", "macros", "fields"),
    [
        ("c and fd.num = 1", ["c", "b", "a"], ["fd.name", "fd.num", "proc.name", "proc.pname"]),
        ("a and b", ["a", "b"], ["fd.name", "proc.name", "proc.pname"]),
        ("proc.name = x", [], ["proc.name"]),
        ("nobody and proc.name = x", ["nobody"], ["proc.name"]),
    ],
)
def test_the_names_that_a_condition_uses(condition: str, macros: list[str], fields: list[str]) -> None:
    node: Node = parse(condition)
    assert macros_of(node, COMPILER) == macros
    assert fields_of(node, COMPILER) == fields
