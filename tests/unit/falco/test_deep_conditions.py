"""What Falco takes, however deep it is nested, is read, judged, described, changed, evaluated and tested."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco.catalogue.catalogue import catalogue
from ansible_collections.falconet.k8s.plugins.module_utils.falco.change.compose import Wishes, compose
from ansible_collections.falconet.k8s.plugins.module_utils.falco.change.scope import Target, scope
from ansible_collections.falconet.k8s.plugins.module_utils.falco.describe.compare import compare
from ansible_collections.falconet.k8s.plugins.module_utils.falco.describe.info import describe
from ansible_collections.falconet.k8s.plugins.module_utils.falco.describe.page import page
from ansible_collections.falconet.k8s.plugins.module_utils.falco.evaluate.engine import Engine
from ansible_collections.falconet.k8s.plugins.module_utils.falco.evaluate.replay import replay
from ansible_collections.falconet.k8s.plugins.module_utils.falco.judge.validate import judge
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.assumed import with_required
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.ruleset import Loaded, Loader, RulesFile
from ansible_collections.falconet.k8s.plugins.module_utils.falco.testing.format import read_tests
from ansible_collections.falconet.k8s.plugins.module_utils.falco.testing.generate import generate
from ansible_collections.falconet.k8s.plugins.module_utils.falco.testing.report import judge as judge_tests
from ansible_collections.falconet.k8s.plugins.module_utils.falco.testing.run import Ruleset
from ansible_collections.falconet.k8s.plugins.module_utils.falco.upgrade.upgrade import upgrade

DEEP = {
    "transformers": "tolower(" * 400 + "proc.name" + ")" * 400 + " = x",
    "parentheses": "not(m or " * 180 + "evt.num = 1" + ")" * 180,
}
REQUIRED = "- required_plugin_versions: [{name: nosuch, version: 1.0.0}]\n"
TESTS = """
rulesets: {r: r.yaml}
cases:
- {name: c, given: {evt.type: openat, proc.name: x}, expect: a}
- {name: d, given: {evt.type: openat, proc.name: y}, expect_not: all}
"""


def rules(form: str) -> str:
    condition = DEEP[form]
    rule = "- rule: {}\n  desc: d\n  condition: evt.type = openat and {}\n  output: o %proc.name\n  priority: INFO\n"
    return (
        "- macro: m\n  condition: proc.name = a\n"
        + rule.format("a", condition)
        + rule.format("b", condition)
        + f"- macro: k\n  condition: {condition}\n"
        + "- macro: k\n  condition: and m\n  override: {condition: append}\n"
    )


@cache
def loaded(form: str) -> Loaded:
    found = Loader().load([RulesFile("r.yaml", rules(form))])
    assert found.successful
    return found


def of_tests(form: str) -> object:
    tests, findings = read_tests("t.yaml", TESTS, Loader().tables)
    assert findings == []
    return judge_tests([tests], {("t.yaml", "r"): Ruleset("r", loaded(form))})


@pytest.mark.parametrize("form", DEEP)
@pytest.mark.parametrize(
    "work",
    [
        lambda form: judge(loaded(form)),
        lambda form: page(describe(loaded(form)), loaded(form)),
        lambda form: compare(loaded(form), loaded(form)),
        lambda form: upgrade(loaded(form).files, catalogue("0.43"), catalogue("0.44")),
        lambda form: with_required(catalogue("0.44"), [REQUIRED + rules(form)], assume=True),
        lambda form: scope(loaded(form).files, Target(namespaces=("prod",))),
        lambda form: compose({"r.yaml": rules(form)}, Wishes()),
        lambda form: replay(
            Engine(loaded(form)), [b'{"fields": {"evt.type": "openat", "proc.name": "x"}}'], explain=["a"]
        ),
        of_tests,
    ],
    ids=["judge", "describe", "compare", "upgrade", "require", "scope", "compose", "replay", "test"],
)
def test_a_condition_within_falcos_bounds(work: Callable[[str], object], form: str) -> None:
    before = sys.getrecursionlimit()
    assert work(form) is not None
    assert sys.getrecursionlimit() == before


def test_tests_of_a_rule_that_is_nested_deeply_are_generated() -> None:
    assert generate(loaded("transformers"), {"r": ["r.yaml"]}).rules == ["a", "b"]
