# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which triggers are done: those of the catalogue that were chosen, and the user's own; and why one is not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...common.priorities import below
from ...common.words import nearest
from .catalogue import BY_NAME, CATALOGUE, Entry

ALL = "all"
Trigger = Mapping[str, Any]


def chosen_triggers(
    names: Sequence[str],
    disabled: Sequence[str],
    own: Sequence[Trigger],
    namespace: str,
    about: Mapping[str, Any],
) -> list[dict[str, Any]]:
    """The triggers of a proof, in their order.

    Args:
        names: of the catalogue's triggers; C(all) is each of them.
        disabled: those that are not done, of the catalogue or of *own*.
        own: the user's, each with C(name), C(rule), C(namespace), C(command), C(tty), C(expect_alert).
        namespace: where the catalogue's triggers are done.
        about: what is known: C(rules), of each rule that Falco loads whether it is C(enabled), and its C(priority)
            (empty if they are not known); C(priority), below which Falco loads no rule; C(outputs), by destination
            Falcosidekick's settings, of which C(minimumpriority) is read.

    Returns:
        Each with C(name), C(rule) (empty if nothing may alert), C(namespace), C(command), C(tty), C(expect_alert),
        C(skipped), why it is not done (empty if it is), and C(not_at), by destination why its alert is not awaited
        there. What was not named, but taken with C(all), is left out where it cannot alert; what was named is done,
        so that its silence is seen.
    """
    off = set(disabled)
    every = ALL in names
    entries = [entry for entry in CATALOGUE if (every or entry.name in names) and entry.name not in off]
    found = [_of_catalogue(entry, namespace, entry.name not in names, about) for entry in entries]
    return [*found, *(_of_user(trigger) for trigger in own if str(trigger["name"]) not in off)]


def problems_of_choice(names: Sequence[str], disabled: Sequence[str], own: Sequence[Trigger]) -> list[str]:
    """What is wrong with a choice, a sentence each; empty if nothing is."""
    return list(_problems(names, disabled, own))


def named_triggers(names: Sequence[str], disabled: Sequence[str], own: Sequence[Trigger]) -> list[Trigger]:
    """Triggers that the user means by name, those of the catalogue included; each of them must be able to alert."""
    off = set(disabled)
    found = [
        {"name": one.name, "rule": one.rule, "expect_alert": bool(one.rule)} for one in CATALOGUE if one.name in names
    ]
    return [trigger for trigger in [*found, *own] if str(trigger["name"]) not in off]


def _problems(names: Sequence[str], disabled: Sequence[str], own: Sequence[Trigger]) -> Iterator[str]:
    theirs = {str(trigger["name"]) for trigger in own}
    for name in names:
        if name != ALL and name not in BY_NAME:
            near = nearest(name, [ALL, *BY_NAME])
            hint = f"did you mean '{near}'?" if near else "docs/triggers.md lists it."
            yield f"verify_catalogue: the catalogue has no trigger '{name}'; {hint}"
    for name in disabled:
        if name not in BY_NAME and name not in theirs:
            near = nearest(name, [*BY_NAME, *theirs])
            hint = f"did you mean '{near}'?" if near else "docs/triggers.md lists the catalogue's."
            yield f"verify_triggers_disabled: there is no trigger '{name}'; {hint}"


def _of_catalogue(entry: Entry, namespace: str, unnamed: bool, about: Mapping[str, Any]) -> dict[str, Any]:
    silent = not entry.rule
    return {
        "name": entry.name,
        "rule": entry.rule,
        "namespace": namespace,
        "command": list(entry.command),
        "tty": entry.tty,
        "expect_alert": not silent,
        "skipped": _why_silent(entry.rule, about) if unnamed and not silent else "",
        "not_at": _not_at(entry.rule, about) if unnamed and not silent else {},
    }


def _of_user(trigger: Trigger) -> dict[str, Any]:
    return {
        "name": str(trigger["name"]),
        "rule": str(trigger.get("rule") or ""),
        "namespace": str(trigger["namespace"]),
        "command": [str(word) for word in trigger["command"]],
        "tty": bool(trigger.get("tty", False)),
        "expect_alert": bool(trigger.get("expect_alert", True)),
        "skipped": "",
        "not_at": {},
    }


def _why_silent(rule: str, about: Mapping[str, Any]) -> str:
    """Why Falco cannot raise a rule; empty if it can, or if its rules are not known."""
    rules = about.get("rules") or {}
    if not rules:
        return ""
    if rule not in rules:
        return "Falco loads no rule of this name"
    if rules[rule].get("enabled") is False:
        return "the rule is switched off"
    priority, least = str(rules[rule].get("priority") or ""), str(about.get("priority") or "")
    if below(priority, least):
        return f"the rule's priority {priority} is below Falco's, {least} (falco_priority)"
    return ""


def _not_at(rule: str, about: Mapping[str, Any]) -> dict[str, str]:
    priority = str(((about.get("rules") or {}).get(rule) or {}).get("priority") or "")
    found = {}
    for place, settings in (about.get("outputs") or {}).items():
        least = str(settings.get("minimumpriority") or "") if isinstance(settings, Mapping) else ""
        if below(priority, least):
            found[str(place)] = f"the rule's priority {priority} is below that of {place}, {least} (falco_outputs)"
    return found
