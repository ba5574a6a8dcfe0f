"""What came of noise is told at the rule or exception that it is about, with what it rests on."""

from __future__ import annotations

from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.ruleset import RulesFile, load
from ansible_collections.falconet.k8s.plugins.module_utils.falco.tune.report import tuning_findings
from ansible_collections.falconet.k8s.plugins.module_utils.falco.tune.suggest import (
    Dead,
    Refused,
    Suggestion,
    Suggestions,
)

RULES = """- rule: Shell
  desc: d
  condition: evt.type = execve
  output: o
  priority: INFO
  exceptions:
    - {name: old, fields: [proc.pname], comps: [=], values: [[gone]]}
"""
LOADED = load([RulesFile("r.yaml", RULES)])


def told(found: Suggestions) -> list[tuple[str, str, int | None, str]]:
    return [(one.code, one.file, one.line, one.message) for one in tuning_findings(found, "alerts.json", LOADED)]


def suggestion(others: int) -> Suggestion:
    values = (("bash", "backup"), ("sh", "backup"))
    fields = ("proc.name", "container.name")
    return Suggestion("Shell", "backups", fields, values, 90, 0.9, others, (), 1, 3, 4)


def test_an_exception_is_told_with_what_it_silences_and_its_proof() -> None:
    ((_code, file, line, message),) = told(Suggestions([suggestion(0)], [], [], []))
    assert (file, line) == ("r.yaml", 1)
    assert message == (
        "the exception 'backups' (proc.name = bash, container.name = backup; proc.name = sh, container.name = backup)"
        " would silence 90 alerts; 3 tests pass and 4 events that must fire do"
    )
    ((*_place, message),) = told(Suggestions([suggestion(2)], [], [], []))
    assert "would silence 90 alerts, 2 of them other than the noise; " in message


def test_noise_that_nothing_is_suggested_for_names_who_makes_it() -> None:
    refused = [Refused("Shell", "prod/web", "bash", 20, "no field"), Refused("Shell", "", "", 5, "no field")]
    assert [message for *_place, message in told(Suggestions([], refused, [], []))] == [
        "20 alerts by 'bash' of prod/web are noise, and nothing is suggested: no field",
        "5 alerts are noise, and nothing is suggested: no field",
    ]


def test_an_exception_that_nothing_met_is_told_where_it_stands_and_an_unknown_rule_at_the_alerts() -> None:
    unknown, dead = told(Suggestions([], [], [Dead("Shell", "old")], ["Gone"]))
    assert (unknown[1], unknown[3]) == ("alerts.json", "no given rules file has the rule of these alerts")
    assert dead[1:] == ("r.yaml", 7, "no recorded alert meets the exception 'old'")
