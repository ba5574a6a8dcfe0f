"""Which triggers are done, and why one that was not named is not."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.alerts.triggers.catalogue import CATALOGUE
from ansible_collections.falconet.k8s.plugins.module_utils.alerts.triggers.choice import (
    chosen_triggers,
    named_triggers,
    problems_of_choice,
)

OWN = {"name": "mine", "rule": "R", "namespace": "n", "command": ["true"]}
SHADOW = "Password hashes read by an untrusted program"


def about(**rule: Any) -> dict[str, Any]:
    """What is known, if every rule of the catalogue is loaded."""
    rules = {entry.rule: {"enabled": True, "priority": "Warning"} for entry in CATALOGUE if entry.rule}
    rules[SHADOW] = {**rules[SHADOW], **rule}
    return {"rules": rules, "priority": "debug", "outputs": {}}


def chosen(*names: str, **more: Any) -> dict[str, dict[str, Any]]:
    values = {"disabled": [], "own": [], "namespace": "prod", "about": about(), **more}
    return {one["name"]: one for one in chosen_triggers(names, **values)}


def test_nothing_is_chosen_by_itself() -> None:
    assert chosen() == {}


def test_all_is_each_of_them_and_none_is_skipped() -> None:
    found = chosen("all")
    assert list(found) == [entry.name for entry in CATALOGUE]
    assert {one["skipped"] for one in found.values()} == {""}
    assert {one["namespace"] for one in found.values()} == {"prod"}
    assert [one["name"] for one in found.values() if not one["expect_alert"]] == [
        entry.name for entry in CATALOGUE if not entry.rule
    ]


def test_own_ones_come_after_those_that_are_named() -> None:
    found = chosen("shadow-read", own=[{**OWN, "expect_alert": False, "tty": True}])
    assert list(found) == ["shadow-read", "mine"]
    assert found["mine"] == {
        **OWN, "tty": True, "expect_alert": False, "skipped": "", "not_at": {}
    }  # fmt: skip


def test_an_own_one_needs_no_terminal_and_must_alert_unless_it_says_otherwise() -> None:
    assert chosen(own=[OWN])["mine"] == {**OWN, "tty": False, "expect_alert": True, "skipped": "", "not_at": {}}


def test_what_is_off_is_left_out() -> None:
    assert "shadow-read" not in chosen("all", disabled=["shadow-read"])
    assert chosen(own=[OWN], disabled=["mine"]) == {}


@pytest.mark.parametrize(
    ("known", "why"),
    [
        (about(enabled=False), "the rule is switched off"),
        ({**about(priority="Notice"), "priority": "warning"}, "the rule's priority Notice is below Falco's, warning"),
        ({"rules": {"Other": {}}}, "Falco loads no rule of this name"),
        ({"rules": {}}, ""),
        ({}, ""),
    ],
)
def test_what_cannot_alert_says_why_and_is_done_if_it_was_named(known: dict[str, Any], why: str) -> None:
    skipped = chosen("all", about=known)["shadow-read"]["skipped"]
    assert skipped.startswith(why)
    assert bool(skipped) is bool(why)
    assert chosen("shadow-read", about=known)["shadow-read"]["skipped"] == ""
    assert chosen("all", "shadow-read", about=known)["shadow-read"]["skipped"] == ""


def test_an_alert_is_not_awaited_where_its_priority_does_not_pass() -> None:
    known = {**about(priority="Notice"), "outputs": {"slack": {"minimumpriority": "warning"}, "webhook": {}, "x": "y"}}
    assert list(chosen("all", about=known)["shadow-read"]["not_at"]) == ["slack"]
    assert chosen("shadow-read", about=known)["shadow-read"]["not_at"] == {}


@pytest.mark.parametrize(
    ("names", "disabled", "words"),
    [
        (["shadow-raed"], [], "the catalogue has no trigger 'shadow-raed'; did you mean 'shadow-read'?"),
        (["xyzzy"], [], "docs/triggers.md lists it"),
        (["all"], ["min"], "there is no trigger 'min'; did you mean 'mine'?"),
        (["all"], ["qqqq"], "docs/triggers.md lists the catalogue's"),
    ],
)
def test_a_name_that_is_none_is_told(names: list[str], disabled: list[str], words: str) -> None:
    (problem,) = problems_of_choice(names, disabled, [OWN])
    assert words in problem


def test_names_that_are_right_are_no_problem() -> None:
    assert problems_of_choice(["all", "shadow-read"], ["mine", "packet-socket"], [OWN]) == []


def test_what_was_named_is_meant() -> None:
    assert [one["name"] for one in named_triggers(["all"], [], [OWN])] == ["mine"]
    assert [one["name"] for one in named_triggers(["file-shown", "shadow-read"], ["mine"], [OWN])] == [
        "file-shown",
        "shadow-read",
    ]
