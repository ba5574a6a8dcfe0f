"""No verdict can be bent unnoticed: each change of a stage's code makes one of its cases tell.

Besides what L(mutants) changes, C(FAILED) or C(SKIPPED) becomes C(PASSED), and C(passed_if) true or false.
"""

from __future__ import annotations

import ast
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
from tests.unit.mutants import mutants


def verdicts(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """What can stand in the place of a verdict."""
    if isinstance(node, ast.Name) and node.id in ("FAILED", "SKIPPED"):
        yield f"{node.id} becomes PASSED", ast.Constant("passed")
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "passed_if":
        if not isinstance(node.args[0], ast.Constant):
            yield "passed_if is always true", ast.Constant("passed")
        yield "passed_if is never true", ast.Constant("failed")


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
    tried = list(mutants(source, verdicts))
    assert len(tried) > 15
    assert [name for name, module in tried if survives(stage, module, package)] == []


def test_an_unchanged_stage_survives() -> None:
    source, package = source_of("falco")
    assert survives("falco", ast.parse(source), package)
