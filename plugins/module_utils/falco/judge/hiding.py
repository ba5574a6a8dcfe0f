# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which earlier rules hide a rule where Falco stops at the first match, told apart by what can be proven.

With `rule_matching: first` an event raises one rule per source: the first that holds, in the order in which rules were
first defined. Source: `ruleset_filters::run` in `userspace/engine/indexable_ruleset.h`, falcosecurity/falco.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from ..catalogue.catalogue import PRIORITIES, SYSCALL
from ..catalogue.fields import FieldTable
from ..condition.logic import Facts, allowed_values, conjuncts, contradiction, truth
from ..condition.nodes import And, Compare, Field, Node, Not, Or, Value
from ..load.compiler import Compiled
from ..load.expand import expand
from ..load.ruleset import Loaded

MAX_BRANCHES = 200
"""Alternatives of `or` that are looked into, per pair of rules, to prove that both cannot hold."""
OFFER = "set falco_rule_matching: all, which raises every rule that matches"


@dataclass(frozen=True)
class Hidden:
    """A rule, and an earlier one that takes events from it.

    Attributes:
        rule: the one that is hidden.
        by: the one that comes first.
        always: proven to hold whenever the rule does, so that the rule never fires; otherwise it may hide it, on the
            events for which both hold.
        events: names of the event types that both can hold for, sorted; empty for sources other than system calls.
    """

    rule: str
    by: str
    always: bool
    events: tuple[str, ...] = ()


def hidden_rules(loaded: Loaded, own: Collection[str], minimum_priority: str = "debug") -> list[Hidden]:
    """Look for earlier rules that hide some of a ruleset's rules.

    An earlier rule is left out where it is proven to do no harm: it is switched off, below the minimum priority, of
    another source, of other event types, never holds, or excludes the rule's own condition.

    Args:
        loaded: a ruleset that Falco accepts, in its order.
        own: names of the rules to look at.
        minimum_priority: Falco's `priority`; rules below it are not loaded.

    Returns:
        Pairs in the order of the rules, those that are proven first.
    """
    lowest = _rank(minimum_priority)
    earlier: list[_Judged] = []
    found: list[Hidden] = []
    for name, compiled in loaded.compiler.rules.items():
        if not compiled.rule.enabled or _rank(compiled.rule.priority) > lowest:
            continue
        rule = _Judged(loaded, compiled)
        if rule.never:
            continue
        if name in own:
            pairs = [pair for pair in (_pair(loaded, rule, other) for other in earlier) if pair is not None]
            found += sorted(pairs, key=lambda pair: not pair.always)
        earlier.append(rule)
    return found


def proven_hidden(loaded: Loaded) -> list[tuple[str, str]]:
    """The rules that never fire where Falco stops at the first match, each with the first rule that proves it."""
    earlier: list[_Judged] = []
    found: list[tuple[str, str]] = []
    for name, compiled in loaded.compiler.rules.items():
        if not compiled.rule.enabled:
            continue
        rule = _Judged(loaded, compiled)
        if rule.never:
            continue
        for other in earlier:
            may = rule.source == other.source and rule.events and rule.events & other.events == rule.events
            if may and all(implied(rule.facts, part) for part in other.parts):
                found.append((name, other.name))
                break
        earlier.append(rule)
    return found


NAMED = 5
"""Rules that may hide one are named up to this number in a warning."""


def hiding_in_words(found: Sequence[Hidden]) -> list[str]:
    """One warning for each hidden rule; those that are proven come first and by themselves."""
    proven, possible = [], []
    for rule in dict.fromkeys(one.rule for one in found):
        pairs = [one for one in found if one.rule == rule]
        certain = [one.by for one in pairs if one.always]
        if certain:
            proven.append(
                f"rule '{rule}' never fires: Falco stops at the first rule that matches (rule_matching: first), and "
                f"{_names(certain)} comes first and holds whenever it does; {OFFER}"
            )
            continue
        events = sorted({name for one in pairs for name in one.events})
        where = f" on {', '.join(events[:NAMED])}{' and others' if len(events) > NAMED else ''}" if events else ""
        possible.append(
            f"rule '{rule}' may be hidden{where} by {_names([one.by for one in pairs])}: Falco stops at the first rule "
            f"that matches (rule_matching: first); {OFFER}"
        )
    return proven + possible


def _names(rules: Sequence[str]) -> str:
    more = f" and {len(rules) - NAMED} more" if len(rules) > NAMED else ""
    return ", ".join(f"'{name}'" for name in rules[:NAMED]) + more


def _rank(priority: str) -> int:
    """0 for the most urgent; `info` is short for `informational`."""
    name = "INFORMATIONAL" if priority.upper() == "INFO" else priority.upper()
    return PRIORITIES.index(name) if name in PRIORITIES else len(PRIORITIES) - 1


class _Judged:
    """A rule with its condition written out and split into what must all hold."""

    __slots__ = ("events", "facts", "name", "never", "parts", "source", "table")

    def __init__(self, loaded: Loaded, compiled: Compiled) -> None:
        self.name = compiled.rule.name
        self.source = compiled.rule.source
        self.events = compiled.summary.events
        self.table: FieldTable = loaded.compiler.tables[self.source]
        node = expand(compiled.node, loaded.compiler) or compiled.node
        self.parts = conjuncts(node, _unknown)
        self.never = truth(node, self.table, _unknown) is False or any(constant(part) is False for part in self.parts)
        self.facts = Facts(self.parts, self.table)


def _unknown(_name: str) -> None:
    """Macros have been written out; one that is left was too large."""


def _pair(loaded: Loaded, rule: _Judged, other: _Judged) -> Hidden | None:
    common = rule.events & other.events
    if rule.source != other.source or not common or excluded([*other.parts, *rule.parts], rule.table):
        return None
    always = common == rule.events and all(implied(rule.facts, part) for part in other.parts)
    names: set[str] = set()
    if rule.source == SYSCALL:
        names = {name for code, name in enumerate(loaded.catalogue.event_names) if common >> code & 1}
    return Hidden(rule.name, other.name, always, tuple(sorted(names)))


def constant(node: Node) -> bool | None:
    """Whether a check of `evt.num`, which starts at 1, holds for every event or for none; None for anything else."""
    if isinstance(node, Not):
        inner = constant(node.operand)
        return None if inner is None else not inner
    if not isinstance(node, Compare) or not isinstance(node.left, Field) or not isinstance(node.right, Value):
        return None
    if node.left.text != "evt.num" or node.right.text != "0":
        return None
    return {"=": False, "==": False, "<": False, "<=": False, "!=": True, ">": True, ">=": True}.get(node.operator)


def implied(facts: Facts, node: Node) -> bool:
    """Whether a condition holds wherever the facts do."""
    if constant(node) is True or facts.imply(node):
        return True
    if isinstance(node, And):
        return all(implied(facts, part) for part in node.operands)
    if isinstance(node, Or):
        return any(implied(facts, part) for part in node.operands)
    if isinstance(node, Not):
        inner = node.operand
        if isinstance(inner, Or):
            return all(implied(facts, Not(part)) for part in inner.operands)
        if isinstance(inner, And):
            return any(implied(facts, Not(part)) for part in inner.operands)
        if isinstance(inner, Compare) and facts.allowed.get(inner.left):
            return not any(_may_pass(inner, value, facts.table) for value in facts.allowed[inner.left])
    return False


def excluded(parts: list[Node], table: FieldTable) -> bool:
    """Whether conditions are proven not to hold together; one level of alternatives is tried one by one."""
    if _clash(parts, table):
        return True
    left = MAX_BRANCHES
    for number, part in enumerate(parts):
        branches = _alternatives(part)
        if not branches or len(branches) > left:
            continue
        left -= len(branches)
        rest = parts[:number] + parts[number + 1 :]
        if all(_clash([*rest, *conjuncts(branch, _unknown)], table) for branch in branches):
            return True
    return False


def _alternatives(part: Node) -> tuple[Node, ...]:
    if isinstance(part, Or):
        return part.operands
    if isinstance(part, Not) and isinstance(part.operand, And):
        return tuple(Not(operand) for operand in part.operand.operands)
    return ()


def _clash(parts: Iterable[Node], table: FieldTable) -> bool:
    """Whether two parts exclude each other, or no value is left for a field."""
    together = list(parts)
    if any(constant(part) is False for part in together) or contradiction(together, table) is not None:
        return True
    checks: dict[Node, list[tuple[Compare, bool]]] = {}
    for part in together:
        inner, wanted = (part.operand, False) if isinstance(part, Not) else (part, True)
        if isinstance(inner, Compare) and isinstance(inner.left, Field):
            checks.setdefault(inner.left, []).append((inner, wanted))
    for field, found in Facts(together, table).allowed.items():
        tests = checks.get(field, [])
        if not any(all(_may(check, wanted, value, table) for check, wanted in tests) for value in found):
            return True
    return False


def _may(check: Compare, wanted: bool, value: str, table: FieldTable) -> bool:
    """Whether a check, or its negation, may hold where its field has this value."""
    return _may_pass(check, value, table) if wanted else not _must_pass(check, value, table)


def _must_pass(check: Compare, value: str, table: FieldTable) -> bool:
    return _exactly(check.left, value, table).imply(check)


def _may_pass(check: Compare, value: str, table: FieldTable) -> bool:
    """Whether a check may hold for a value; True where its operator is not one that can be judged."""
    known = check.operator in ("=", "==", "!=", "startswith", "endswith", "contains", "icontains", "in")
    judged = allowed_values(check, table) is not None or (known and isinstance(check.right, Value))
    return not judged or _must_pass(check, value, table)


def _exactly(field: Node, value: str, table: FieldTable) -> Facts:
    facts = Facts((), table)
    facts.allowed[field] = frozenset((value,))
    return facts
