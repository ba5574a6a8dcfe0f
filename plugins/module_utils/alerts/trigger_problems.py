# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Triggers that prove nothing: two of one name, a rule that nobody has, or one that is switched off."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..common.words import nearest


def problems_of_triggers(triggers: Sequence[Mapping[str, Any]], rules: Mapping[str, bool], whole: bool) -> list[str]:
    """What is wrong with triggers before they are fired, a sentence each; empty if nothing is.

    Args:
      triggers: with C(name), C(rule) and, if no alert must come, C(expect_alert) as false.
      rules: whether each known rule is switched on, by its name; empty if none is known.
      whole: whether these are all rules that Falco will load; a rule may else be one of Falco's own.
    """
    return list(_problems(triggers, rules, whole))


def _problems(triggers: Sequence[Mapping[str, Any]], rules: Mapping[str, bool], whole: bool) -> Iterator[str]:
    for name, count in Counter(str(trigger["name"]) for trigger in triggers).items():
        if count > 1:
            yield f"{count} triggers have the same name, '{name}', and the report tells them apart by it."
    for trigger in triggers:
        rule = str(trigger.get("rule") or "")
        if not rule:
            if trigger.get("expect_alert", True):
                yield f"trigger '{trigger['name']}' names no rule, so it is not known which alert must come of it."
        elif rule in rules:
            if not rules[rule] and trigger.get("expect_alert", True):
                yield f"trigger '{trigger['name']}': rule '{rule}' is switched off, so no alert can come of it."
        elif rules and whole:
            near = nearest(rule, rules)
            hint = f"did you mean '{near}'?" if near else f"{len(rules)} rules were looked at."
            yield f"trigger '{trigger['name']}': neither Falco's own rules nor yours have a rule '{rule}'; {hint}"
