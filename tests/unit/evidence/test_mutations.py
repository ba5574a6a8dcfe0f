"""No verdict can be bent unnoticed: each change of a stage's code makes one of its cases tell.

Besides what L(mutants) changes, C(FAILED) or C(SKIPPED) becomes C(PASSED), and C(passed_if) true or false. What
the stages have in common is changed as well: how answers are read, what a check is, the verdict of the whole report.
"""

from __future__ import annotations

import ast
import re
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.evidence import asked as asked_module
from ansible_collections.falconet.k8s.plugins.module_utils.evidence import check as check_module
from ansible_collections.falconet.k8s.plugins.module_utils.evidence import report as report_module
from ansible_collections.falconet.k8s.plugins.module_utils.evidence.asked import Asked
from ansible_collections.falconet.k8s.plugins.module_utils.evidence.check import EvidenceError
from ansible_collections.falconet.k8s.plugins.module_utils.evidence.stages import STAGES

from tests.unit.evidence.test_report import ABOUT, check
from tests.unit.evidence.test_verdicts import TABLES, told
from tools.mutation.changes import mutants


def verdicts(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """What can stand in the place of a verdict."""
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in ("FAILED", "SKIPPED"):
        yield f"{node.id} becomes PASSED", ast.Constant("passed")
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "passed_if":
        if not isinstance(node.args[0], ast.Constant):
            yield "passed_if is always true", ast.Constant("passed")
        yield "passed_if is never true", ast.Constant("failed")


def made_of(module: ast.Module, package: str) -> Any:
    """The changed module, run."""
    made = types.ModuleType(f"{package}.mutant")
    made.__package__ = package
    sys.modules[made.__name__] = made  # where dataclasses look for their module
    try:
        exec(compile(module, "mutant", "exec"), made.__dict__)
    finally:
        del sys.modules[made.__name__]
    return made


def survives(stage: str, judge: Any, asked: Any = Asked) -> bool:
    """Whether no case of a stage tells a changed judge, or a changed reading of what was asked, from the real one."""
    for case in TABLES[stage]:
        try:
            checks = [check.to_dict(stage) for check in judge(asked(stage, case.asked))]
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
    assert [name for name, module in tried if survives(stage, made_of(module, package).judge)] == []


def test_an_unchanged_stage_survives() -> None:
    source, package = source_of("falco")
    assert survives("falco", made_of(ast.parse(source), package).judge)


#: Files that make a part of a stage's checks: the stage, and the function that it takes from there.
PARTS = {
    "audit_alerts": ("k8s_audit", "check_audit_alerts"),
    "delivery": ("verify", "check_delivery"),
    "incidents": ("respond", "of_incidents"),
    "paths": ("falco", "check_paths"),
    "release": ("falco", "check_release"),
}


@pytest.mark.parametrize("part", PARTS)
def test_no_change_of_a_part_of_a_stage_goes_unnoticed(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    stage, name = PARTS[part]
    judge = STAGES[stage][1]
    module = sys.modules[judge.__module__]
    source = Path(str(module.__file__)).with_name(f"{part}.py").read_text()
    tried = list(mutants(source, verdicts))
    assert len(tried) > 10
    unseen = []
    for told_of, changed in tried:
        monkeypatch.setattr(module, name, getattr(made_of(changed, str(module.__package__)), name))
        if survives(stage, judge):
            unseen.append(told_of)
    assert unseen == []


def test_every_file_that_makes_a_check_is_changed_here() -> None:
    folder = Path(str(asked_module.__file__)).parent
    makers = {path.stem for path in folder.glob("*.py") if re.search(r"\bCheck\(", path.read_text())}
    judges = {function.__module__.rpartition(".")[2] for _title, function in STAGES.values()}
    assert makers == judges | {"report"} | PARTS.keys()


#: (checks, stages that must have spoken, machines, verdict, passed, failed, skipped, headline)
REPORTS: list[tuple[list[dict[str, Any]], list[str], list[str], str, int, int, int, str]] = [
    ([check()], ["falco"], [], "passed", 1, 0, 0, "Proven on production: 1 check passed."),
    ([], [], [], "failed", 0, 0, 0, "Nothing is proven on production: no check passed."),
    ([check("skipped")], [], [], "failed", 0, 0, 1, "Nothing is proven on production: no check passed."),
    ([check(), check("skipped")], [], [], "passed", 1, 0, 1, "Proven on production: 1 check passed, 1 was skipped."),
    (
        [check(), check(), *[check("skipped", "verify")] * 2],
        ["verify", "falco"],
        [],
        "passed",
        2,
        0,
        2,
        "Proven on production: 2 checks passed, 2 were skipped.",
    ),
    (
        [check(), check("failed", subject="b")],
        [],
        [],
        "failed",
        1,
        1,
        0,
        "Not proven on production: 1 of 2 checks failed. First: It holds (b).",
    ),
    (
        [check("failed", subject="b")],
        [],
        [],
        "failed",
        0,
        1,
        0,
        "Not proven on production: 1 of 1 check failed. First: It holds (b).",
    ),
    (
        [check()],
        ["falco", "verify"],
        [],
        "failed",
        1,
        1,
        0,
        "Not proven on production: 1 of 2 checks failed. First: Stage gives evidence (verify).",
    ),
    (
        [check(subject="n2"), check(stage="node_prep", subject="n1")],
        [],
        ["n1", "n2"],
        "passed",
        2,
        0,
        1,
        "Proven on production: 2 checks passed, 1 was skipped.",
    ),
]
NODE = {"metadata": {"name": "n"}, "status": {"conditions": [{"type": "Ready", "status": "True"}], "nodeInfo": {}}}


def report_survives(made: Any) -> bool:
    """Whether no row tells a changed report from the real one."""
    try:
        for checks, stages, machines, verdict, passed, failed, skipped, headline in REPORTS:
            found = made.report(checks, **ABOUT, stages=stages, machines=machines, nodes=[NODE])
            counts = {"passed": passed, "failed": failed, "skipped": skipped}
            per_stage = {
                stage: {
                    status: sum((c["stage"], c["status"]) == (stage, status) for c in found["checks"])
                    for status in counts
                }
                for stage in dict.fromkeys(c["stage"] for c in found["checks"])
            }
            wanted_stages = [{"name": name, "title": STAGES[name][0], **told} for name, told in per_stage.items()]
            wanted = (verdict, counts, headline, wanted_stages, True)
            if (
                *(found[key] for key in ("verdict", "summary", "headline", "stages")),
                found["nodes"][0]["ready"],
            ) != wanted:
                return False
        asked = made.report(
            [check(subject="n2"), check(stage="node_prep", subject="n1")], **ABOUT, machines=["n1", "n2"]
        )
        own = made.report([check(stage="own")], **ABOUT)
        refused = []
        for bad in (check("ok"), check(stage=""), {}):
            try:
                made.report([bad], **ABOUT)
            except EvidenceError as error:
                refused.append(str(error))
    except Exception:
        return False
    silent = [one["subject"] for one in asked["checks"] if one["status"] == "skipped"]
    return (silent, own["stages"][0]["title"], refused) == (
        ["n2"],
        "own",
        [*["not a check: It holds"] * 2, "not a check: {}"],
    )


def answers_survive(made: Any) -> bool:
    """Whether neither a stage's case nor one of these tells a changed reading of answers from the real one."""
    if not all(survives(stage, judge, made.Asked) for stage, (_title, judge) in STAGES.items()):
        return False
    left_out = made.Result({"skipped": True})
    refused = 0
    for bad in ("text", {"a": 1}, 5):
        try:
            made.Asked("s", {"a": bad}).items("a")
        except EvidenceError:
            refused += 1
        except TypeError:
            pass
    return (refused, left_out.answered, left_out.why_not) == (3, False, "was not asked")


def test_no_change_of_the_report_s_verdict_goes_unnoticed() -> None:
    assert report_survives(report_module)
    source = Path(str(report_module.__file__)).read_text()
    tried = list(mutants(source, verdicts))
    assert len(tried) > 15
    assert [name for name, module in tried if report_survives(made_of(module, report_module.__package__))] == []


def test_no_change_of_how_answers_are_read_goes_unnoticed() -> None:
    assert answers_survive(asked_module)
    source = Path(str(asked_module.__file__)).read_text()
    tried = list(mutants(source, verdicts))
    assert len(tried) > 15
    assert [name for name, module in tried if answers_survive(made_of(module, asked_module.__package__))] == []


def check_survives(made: Any) -> bool:
    """Whether a changed check takes the three verdicts and no other, and no check without a subject."""
    try:
        good = [made.Check("c", "It holds", "a", status, "").to_dict("s")["status"] for status in made.STATUSES]
        good += [made.passed_if(True), made.passed_if(False)]
    except Exception:
        return False
    refused = 0
    for status, subject in (("ok", "a"), ("passed", " ")):
        try:
            made.Check("c", "It holds", subject, status, "")
        except made.EvidenceError:
            refused += 1
    return (good, refused) == (["passed", "failed", "skipped", "passed", "failed"], 2)


def test_no_change_of_what_a_check_is_goes_unnoticed() -> None:
    assert check_survives(check_module)
    source = Path(str(check_module.__file__)).read_text()
    tried = list(mutants(source, verdicts))
    assert [name for name, module in tried if check_survives(made_of(module, check_module.__package__))] == []
