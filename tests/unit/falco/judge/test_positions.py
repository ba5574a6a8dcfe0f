"""Places of issues and of parts of conditions, where they can be told, and where they cannot."""

from __future__ import annotations

from ansible_collections.falconet.k8s.plugins.module_utils.falco.judge.findings import Texts
from ansible_collections.falconet.k8s.plugins.module_utils.falco.judge.positions import Place, Places
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.result import Issue
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.ruleset import RulesFile, load

LOADED = load([RulesFile("f", "- rule: R\n  desc: d\n  condition: evt.type = open\n  output: o\n  priority: INFO\n")])
PLACES = Places(LOADED, Texts(LOADED).lines)


def test_a_condition_that_is_not_the_rules_any_more_is_placed_where_the_rules_stands() -> None:
    context = LOADED.collector.rules["R"].condition_context.in_condition(3, "something else")
    assert PLACES.of(Issue("LOAD_ERR_COMPILE_CONDITION", "m", context)) == [Place("f", 3, 14)]
    assert PLACES.before(Issue("LOAD_ERR_COMPILE_CONDITION", "m", context), 1) == []


def test_what_no_ruleset_has_cannot_be_traced() -> None:
    for owner in (("rule", "S"), ("macro", "R"), ("list", "R")):
        assert PLACES.traced(owner) is None
        assert PLACES.at(owner, 0) == []
