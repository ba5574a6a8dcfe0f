"""No verdict can be bent unnoticed: each change of a stage's code makes one of its cases tell.

A mutant changes one place: C(FAILED) or C(SKIPPED) becomes C(PASSED), a condition is turned round or taken for true or
false, a comparison is turned round, one operand of C(and)/C(or) is left out.
"""

from __future__ import annotations

import ast
import copy
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.evidence.asked import Asked
from ansible_collections.falconet.k8s.plugins.module_utils.evidence.check import EvidenceError
from ansible_collections.falconet.k8s.plugins.module_utils.evidence.stages import STAGES

from tests.unit.evidence.test_verdicts import TABLES, told

TURNED = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Lt: ast.GtE,
    ast.Gt: ast.LtE,
}


def is_default(node: ast.AST) -> bool:
    """Whether a value is what stands for nothing: an empty one, or a text."""
    empty = isinstance(node, (ast.Dict, ast.List)) and ast.unparse(node) in ("{}", "[]")
    return empty or isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def variants(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """What can stand in a node's place, each with a name."""
    if isinstance(node, ast.Name) and node.id in ("FAILED", "SKIPPED"):
        yield f"{node.id} becomes PASSED", ast.Constant("passed")
    elif isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in TURNED:
        yield "comparison is turned round", ast.Compare(node.left, [TURNED[type(node.ops[0])]()], node.comparators)
    elif isinstance(node, ast.BoolOp) and not is_default(node.values[-1]):
        for left_out in range(len(node.values)):
            rest = [value for place, value in enumerate(node.values) if place != left_out]
            yield f"operand {left_out} is left out", rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "passed_if":
        if not isinstance(node.args[0], ast.Constant):
            yield "passed_if is always true", ast.Constant("passed")
        yield "passed_if is never true", ast.Constant("failed")


def mutants(source: str) -> Iterator[tuple[str, ast.Module]]:
    """(name, changed module) for each place of the module's functions."""
    tree = ast.parse(source)
    places: list[tuple[ast.AST, str, int | None]] = [
        (parent, field, index)
        for parent in ast.walk(tree)
        for field, value in ast.iter_fields(parent)
        for index, part in (enumerate(value) if isinstance(value, list) else [(None, value)])
        if isinstance(part, ast.expr)
    ]
    for parent, field, index in places:
        value = getattr(parent, field)
        node = value[index] if index is not None else value
        found = list(variants(node))
        if field == "test" and isinstance(parent, (ast.If, ast.IfExp)):
            found += [("condition is turned round", ast.UnaryOp(ast.Not(), node))]
        for name, other in found:
            if index is None:
                setattr(parent, field, other)
            else:
                value[index] = other
            changed = ast.fix_missing_locations(copy.deepcopy(tree))
            if index is None:
                setattr(parent, field, node)
            else:
                value[index] = node
            yield f"line {node.lineno}: {name}: {ast.unparse(node)}", changed


def survives(stage: str, module: ast.Module, package: str) -> bool:
    """Whether no case tells the changed module from the real one."""
    made = types.ModuleType(f"{package}.mutant")
    made.__package__ = package
    exec(compile(module, "mutant", "exec"), made.__dict__)
    for case in TABLES[stage]:
        try:
            checks = [check.to_dict(stage) for check in made.judge(Asked(stage, case.asked))]
        except EvidenceError:
            return False
        except Exception:
            return False
        if told(checks, case):
            return False
    return True


def source_of(stage: str) -> tuple[str, Any]:
    module = sys.modules[STAGES[stage][1].__module__]
    assert module.__file__ is not None
    return Path(module.__file__).read_text(), module.__package__


@pytest.mark.parametrize("stage", STAGES)
def test_no_change_of_a_verdict_goes_unnoticed(stage: str) -> None:
    source, package = source_of(stage)
    tried = list(mutants(source))
    assert len(tried) > 15
    assert [name for name, module in tried if survives(stage, module, package)] == []


def test_an_unchanged_stage_survives() -> None:
    source, package = source_of("falco")
    assert survives("falco", ast.parse(source), package)
