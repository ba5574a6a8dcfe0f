"""Findings on what was recorded: what a replay shows of each rule, and the same as test cases."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.common.finding import Finding
from ansible_collections.falconet.k8s.plugins.module_utils.falco.codes import ADDED, DROPPED, FIRES, LOST, REWORDED
from ansible_collections.falconet.k8s.plugins.module_utils.falco.judge.recorded import (
    finding_in,
    replay_findings,
    suite_of,
)
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.ruleset import Loaded, RulesFile, load


def ruleset(*names: str) -> Loaded:
    return load(
        [
            RulesFile(
                "r.yaml",
                "".join(
                    f"- rule: {name}\n  desc: d\n  condition: evt.type = open\n  output: o\n  priority: INFO\n"
                    for name in names
                ),
            )
        ]
    )


def replayed(**found: Any) -> dict[str, Any]:
    """What a replay returns, as far as findings are made of it."""
    return {"first_lines": {}, "counts": {}, "dropped": [], "changes": {}, **found}


def told(findings: list[Finding]) -> list[tuple[str, str, int | None, str, str]]:
    return [(one.code, one.file, one.line, one.item, one.message) for one in findings]


def test_a_replay_tells_which_rules_fire_the_loudest_first() -> None:
    found = replayed(first_lines={"A": [4], "B": [1, 2, 3, 5, 6]}, counts={"A": 1, "B": 8})
    assert told(replay_findings(found, "e.jsonl", ruleset("A", "B"))) == [
        (FIRES, "r.yaml", 6, "rule 'B'", "alerts on 8 events (lines 1, 2, 3, 5, 6 and 3 more) of e.jsonl"),
        (FIRES, "r.yaml", 1, "rule 'A'", "alerts on 1 event (line 4) of e.jsonl"),
    ]


def test_with_another_ruleset_it_tells_what_the_change_does() -> None:
    changes = {
        "lost": [{"rule": "Gone", "event": 1}, {"rule": "A", "event": 2}, {"rule": "A", "event": 7}],
        "added": [{"rule": "B", "event": 3}],
        "reworded": [{"rule": "A", "event": 4}],
    }
    found = replay_findings(replayed(changes=changes), "e", ruleset("A", "B"), ruleset("A", "B", "Gone"))
    assert told(found) == [
        (LOST, "r.yaml", 1, "rule 'A'", "no longer alerts on 2 events (lines 2, 7) of e"),
        (
            LOST,
            "r.yaml",
            11,
            "rule 'Gone'",
            "no longer alerts on 1 event (line 1) of e (the rule is no longer there)",
        ),
        (ADDED, "r.yaml", 6, "rule 'B'", "newly alerts on 1 event (line 3) of e"),
        (REWORDED, "r.yaml", 1, "rule 'A'", "alerts in other words or with another priority on 1 event (line 4) of e"),
    ]


def test_an_alert_of_a_rule_that_neither_ruleset_has_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(KeyError, match="Nobody's"):
        replay_findings(replayed(first_lines={"Nobody's": [1]}, counts={"Nobody's": 1}), "e", ruleset("A"))


def test_an_audit_event_that_the_plugin_drops_is_told_at_its_line_of_the_recording() -> None:
    (one,) = replay_findings(replayed(dropped=[9]), "audit.log", ruleset("A"))
    assert (one.file, one.line, one.column, one.item) == ("audit.log", 9, None, "")
    assert one.message == "the k8saudit plugin drops this event, so no rule sees it"
    assert one.hint == "it has no 'kind' or no valid 'stageTimestamp'"


def test_each_rule_is_a_case_and_so_is_what_belongs_to_none() -> None:
    bad = finding_in(LOST, "r.yaml", 1, "rule 'A'", "lost")
    note = finding_in(FIRES, "r.yaml", 1, "rule 'A'", "fires")
    line = finding_in(DROPPED, "audit.log", 9, "", "dropped")
    suite = suite_of("replay", ["A", "B"], [bad, note, line], [bad], "falco_rules")
    assert suite.name == "replay"
    assert [(case.name, case.classname, case.failure) for case in suite.cases] == [
        ("rule 'A'", "falco_rules", f"{LOST}: lost"),
        ("rule 'B'", "falco_rules", None),
        ("audit.log:9", "falco_rules", None),
    ]
    first, second, third = suite.cases
    assert f"{LOST}: lost" in first.text
    assert f"{FIRES}: fires" in first.output
    assert (second.text, second.output) == ("", "")
    assert f"{DROPPED}: dropped" in third.output
