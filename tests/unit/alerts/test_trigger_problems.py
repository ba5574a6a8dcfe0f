"""Triggers that would prove nothing are told before they are fired."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.filter.trigger_problems import trigger_problems
from ansible_collections.falconet.k8s.plugins.module_utils.alerts.trigger_problems import problems_of_triggers

READ: dict[str, Any] = {"name": "read", "rule": "Read of etc shadow"}
RULES = {"Read of etc shadow": True, "Terminal shell in production": True, "Noise": False}


@pytest.mark.parametrize(
    ("triggers", "rules", "whole"),
    [
        ([READ, {**READ, "name": "other"}], RULES, True),
        ([{"name": "quiet", "rule": "Noise", "expect_alert": False}], RULES, True),
        ([{"name": "quiet", "rule": "", "expect_alert": False}], RULES, True),
        # Nothing is known of Falco's own rules, or nothing at all.
        ([{"name": "x", "rule": "Terminal shell in container"}], RULES, False),
        ([{"name": "x", "rule": "Terminal shell in container"}], {}, True),
        ([], RULES, True),
    ],
)
def test_what_may_prove_something_is_no_problem(
    triggers: list[dict[str, Any]], rules: dict[str, bool], whole: bool
) -> None:
    assert problems_of_triggers(triggers, rules, whole) == []


@pytest.mark.parametrize(
    ("triggers", "told"),
    [
        (
            [{"name": "x", "rule": "Read of ect shadow"}],
            "trigger 'x': neither Falco's own rules nor yours have a rule 'Read of ect shadow'; did you mean "
            "'Read of etc shadow'?",
        ),
        (
            [{"name": "x", "rule": "Read of ect shadow", "expect_alert": False}],
            "neither Falco's own rules nor yours have a rule",
        ),
        ([{"name": "x", "rule": "zzz"}], "a rule 'zzz'; 3 rules were looked at."),
        ([{"name": "x", "rule": "Noise"}], "trigger 'x': rule 'Noise' is switched off, so no alert can come of it."),
        ([{"name": "x"}], "trigger 'x' names no rule, so it is not known which alert must come of it."),
        ([READ, READ], "2 triggers have the same name, 'read'"),
    ],
)
def test_each_problem_is_told(triggers: list[dict[str, Any]], told: str) -> None:
    found = problems_of_triggers(triggers, RULES, True)
    assert len(found) == 1
    assert told in found[0]


def test_the_filter_says_the_same() -> None:
    wrong = [{"name": "x", "rule": "Terminal shel in production"}]
    assert trigger_problems(wrong, RULES) == problems_of_triggers(wrong, RULES, True) != []
