# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Why an alert is missing though every part runs: the rule, where it holds, and priorities."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from ..common.priorities import below
from ..common.words import nearest
from .verify import LOG


def why_unalerted(trigger: Mapping[str, Any], place: str, observed: Mapping[str, Any]) -> str:
    """The cause of a missing alert, in words; empty if none is known.

    Args:
        trigger: C(rule) and C(namespace); empty if it is not known.
        place: where it was awaited, C(verify.LOG) or a destination.
        observed: C(rules), of each rule that Falco loads, by its name, whether it is C(enabled), and its C(priority)
            (empty if they are not known); C(hidden), rules that an earlier one hides, each with C(rule) and C(by), and
            C(rule_matching), Falco's setting; C(scope), the role's variable, and C(scoped), what was done to scope each
            rule, with C(rule), C(action) and C(silenced); C(priority), below which Falco loads no rule; C(outputs), by
            destination Falcosidekick's settings, of which C(minimumpriority) is read. Each may be missing.
    """
    if not trigger:
        return ""
    reasons = _in_the_log(trigger, observed) if place == LOG else _at_a_destination(trigger, place, observed)
    return next(reasons, "")


def _in_the_log(trigger: Mapping[str, Any], observed: Mapping[str, Any]) -> Iterator[str]:
    rule, rules = str(trigger["rule"]), observed.get("rules") or {}
    if rules and rule not in rules:
        near = nearest(rule, rules)
        yield "Falco loads no rule of this name" + (f" (did you mean '{near}'?)" if near else "")
    about = rules.get(rule) or {}
    if about.get("enabled") is False:
        yield "the rule is switched off"
    priority, least = str(about.get("priority") or ""), str(observed.get("priority") or "")
    if below(priority, least):
        yield f"the rule's priority {priority} is below Falco's, {least} (falco_priority)"
    scoped: Mapping[str, Any] = next((one for one in observed.get("scoped") or () if one["rule"] == rule), {})
    namespaces = [str(name) for name in (observed.get("scope") or {}).get("namespaces") or ()]
    outside = namespaces and not any(fnmatchcase(str(trigger["namespace"]), name) for name in namespaces)
    if scoped.get("action") in ("append", "replace") and outside:
        yield f"the rule fires in {', '.join(namespaces)} alone (falco_rules_scope), not in {trigger['namespace']}"
    if scoped.get("silenced"):
        yield f"the rule is scoped so that it never fires (falco_rules_scope): {scoped['silenced']}"
    if observed.get("rule_matching") == "first":
        hiding = [str(one["by"]) for one in observed.get("hidden") or () if one["rule"] == rule]
        if hiding:
            yield f"rule '{hiding[0]}' comes first and hides it (falco_rule_matching: first)"


def _at_a_destination(trigger: Mapping[str, Any], place: str, observed: Mapping[str, Any]) -> Iterator[str]:
    priority = str(((observed.get("rules") or {}).get(str(trigger["rule"])) or {}).get("priority") or "")
    settings = (observed.get("outputs") or {}).get(place)
    least = str(settings.get("minimumpriority") or "") if isinstance(settings, Mapping) else ""
    if below(priority, least):
        yield f"the rule's priority {priority} is below that of {place}, {least} (falco_outputs)"
