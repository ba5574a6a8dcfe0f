"""What observations mean, for every outcome; and that no change of what decides it goes unnoticed."""

from __future__ import annotations

import ast
import itertools
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.probe import conclude as code
from ansible_collections.falconet.k8s.plugins.module_utils.probe.wire.protocol import VERDICTS, Attempt

from tools.mutation.changes import mutants

from .cases import COMPARED, CONCLUDED, probe, told_apart

#: Names that decide; each becomes each other of its group.
GROUPS = (
    ("CONCLUSION_ALLOWED", "CONCLUSION_DENIED", "CONCLUSION_UNKNOWN"),
    ("MET", "VIOLATED", "UNPROVEN", "OBSERVED"),
    ("ALLOWED", "DROPPED", "REFUSED", "UNRESOLVED", "PROBE_FAILED"),
)
REASONS = tuple(code.Reason.__members__)


def swapped(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """Other verdicts in a verdict's place."""
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        for group in GROUPS:
            for other in group if node.id in group else ():
                if other != node.id:
                    yield f"{node.id} becomes {other}", ast.Name(other, ast.Load())
    elif isinstance(node, ast.Attribute) and node.attr in REASONS:
        for other in REASONS:
            if other != node.attr:
                yield f"{node.attr} becomes {other}", ast.Attribute(node.value, other, ast.Load())
    elif isinstance(node, ast.Constant) and (node.value is None or isinstance(node.value, bool)):
        for value in (True, False, None):
            if value is not node.value:
                yield f"{node.value} becomes {value}", ast.Constant(value)


def survives(module: ast.Module) -> bool:
    """Whether no case tells the changed module from the real one."""
    name = f"{code.__package__}.mutant"
    made = types.ModuleType(name)
    made.__package__ = code.__package__
    # Where data classes look up their annotations.
    sys.modules[name] = made
    try:
        exec(compile(module, "mutant", "exec"), made.__dict__)
        return not told_apart(made)
    except Exception:
        return False
    finally:
        del sys.modules[name]


def source() -> str:
    assert code.__file__ is not None
    return Path(code.__file__).read_text()


def bodies(module: ast.Module) -> set[str]:
    """What the functions that decide do; annotations are no part of it."""
    return {
        ast.dump(statement)
        for node in ast.walk(module)
        if isinstance(node, ast.FunctionDef) and node.name in DECIDING
        for statement in node.body
        if not isinstance(statement, ast.AnnAssign)
    }


DECIDING = (
    "conclusion",
    "conclude",
    "compare",
    "why_unknown",
    "without_the_gone",
    "matrix",
    "enforced_on_path",
    "enforced",
    "fails",
)


def test_every_outcome_has_its_case() -> None:
    assert told_apart(code) == []
    assert {reason for *_asked, reason, _conclusion in CONCLUDED} == set(REASONS)
    assert {(verdict, seen) for _probe, verdict, seen, *_ in CONCLUDED} == set(
        itertools.product(VERDICTS, (True, False, None))
    )
    assert {status for *_asked, status in COMPARED} == {code.MET, code.VIOLATED, code.UNPROVEN, code.OBSERVED}


def test_no_change_of_what_decides_goes_unnoticed() -> None:
    original = bodies(ast.parse(source()))
    tried = [(name, module) for name, module in mutants(source(), swapped) if bodies(module) != original]
    assert len(tried) > 100
    left = [name for name, module in tried if survives(module)]
    assert left == [], "\n".join(left)


def test_unchanged_code_survives() -> None:
    assert survives(ast.parse(source()))


@pytest.mark.parametrize(("expected", "words"), [(True, "allowed"), (False, "denied"), (None, None)])
def test_a_row_tells_what_was_expected(expected: bool | None, words: Any) -> None:
    attempt = Attempt("allowed", 1.0)
    row = code.Finding(probe(expected=expected), attempt).row()
    assert (row["expected"], row["conclusion"], row["detail"]) == (words, "allowed", None)
