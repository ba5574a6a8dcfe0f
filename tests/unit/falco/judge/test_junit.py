"""Verdicts as test cases: what counts as failure, and what is told beside it."""

from __future__ import annotations

from ansible_collections.falconet.k8s.plugins.module_utils.common.finding import Finding
from ansible_collections.falconet.k8s.plugins.module_utils.falco.judge.junit import line_of, suite_of
from ansible_collections.falconet.k8s.plugins.module_utils.falco.judge.validate import Ruleset, validate
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.ruleset import RulesFile

RULE = "- rule: {}\n  desc: d\n  condition: {}\n  output: o\n  priority: NOTICE\n"


def test_each_file_is_a_case_and_each_named_ruleset_one() -> None:
    good, bad = RULE.format("Good", "evt.type = open"), RULE.format("Bad", "evt.typ = open")
    files = (RulesFile("good.yaml", good), RulesFile("bad.yaml", bad))
    verdict, named = validate([Ruleset("", files), Ruleset("site", files)])
    errors = [one for one in verdict.findings if one.severity == "error"]
    suite = suite_of([verdict], errors, "some_module")
    assert [case.name for case in suite.cases] == ["good.yaml", "bad.yaml"]
    first, second = suite.cases
    assert (first.failure, first.text) == (None, "")
    assert second.failure is not None and second.failure.startswith(f"{errors[0].code}: ")
    assert second.text.startswith("bad.yaml:3:")
    (site,) = suite_of([named], [], "some_module").cases
    assert (site.name, site.failure) == ("site", None)
    told = suite_of([verdict], [], "some_module").cases[1]
    assert (told.failure, told.output.splitlines()[0]) == (None, second.text.splitlines()[0])


def test_a_line_has_the_place_the_hint_and_whether_falco_gets_there() -> None:
    finding = Finding("C", "error", "a.yaml", 3, 7, "", "is wrong", "do this", beyond=True)
    assert line_of(finding) == "a.yaml:3:7: error: C: is wrong (do this) [Falco stops before it]"
    assert line_of(Finding("C", "info", "a.yaml", None, None, "", "m")) == "a.yaml: info: C: m"
