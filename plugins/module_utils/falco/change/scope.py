# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Restricting rules to namespaces, labels or containers by an override file that outlives upgrades.

Appending ` and k8s.ns.name in (prod)` to `A or B` leaves A unrestricted. So what is appended to, and what has to
be replaced by the parenthesised condition, is decided on the tree; and the result is loaded and looked at.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..catalogue.catalogue import SYSCALL, Catalogue
from ..condition.lexer import bare_argument, escape
from ..condition.nodes import And, Node, Or
from ..condition.parser import parse
from ..errors import ConditionSyntaxError, FalcoError
from ..load.ruleset import Loaded, Loader, RulesFile
from ..yaml.emit import emit_items

NAMESPACE_FIELDS = ("k8s.ns.name", "k8smeta.ns.name")
LABEL_FIELDS = ("k8s.pod.label", "k8smeta.pod.label")
AUDIT_SOURCE = "k8s_audit"
AUDIT_NAMESPACE_FIELD = "ka.target.namespace"


@dataclass(frozen=True)
class Target:
    """Where rules shall fire: all that is given must hold, any of its values will do.

    Attributes:
        namespaces: Kubernetes namespaces.
        labels: pod labels, value by name.
        containers: patterns of container names (`*` and `?`).
        namespace_field, label_field: which plugin's field to ask.
    """

    namespaces: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    containers: tuple[str, ...] = ()
    namespace_field: str = NAMESPACE_FIELDS[0]
    label_field: str = LABEL_FIELDS[0]

    def condition(self, source: str) -> str:
        """The restriction as a condition; empty when it cannot be said for this source.

        Raises:
            FalcoError: nothing to restrict to, or a field that is not offered.
        """
        if not (self.namespaces or self.labels or self.containers):
            raise FalcoError("give namespaces, labels or containers to restrict rules to")
        if self.namespace_field not in NAMESPACE_FIELDS:
            raise FalcoError(f"namespace_field is one of {', '.join(NAMESPACE_FIELDS)}, not '{self.namespace_field}'")
        if self.label_field not in LABEL_FIELDS:
            raise FalcoError(f"label_field is one of {', '.join(LABEL_FIELDS)}, not '{self.label_field}'")
        if source == AUDIT_SOURCE:
            if self.labels or self.containers:
                return ""
            return f"{AUDIT_NAMESPACE_FIELD} in ({_values(self.namespaces)})"
        if source != SYSCALL:
            return ""
        parts = []
        if self.namespaces:
            parts.append(f"{self.namespace_field} in ({_values(self.namespaces)})")
        for name, value in self.labels.items():
            argument = bare_argument(name)
            shown = name if argument and argument.end() == len(name) else escape(name)
            parts.append(f"{self.label_field}[{shown}] = {escape(value)}")
        if self.containers:
            patterns = [f"container.name glob {_always_quoted(pattern)}" for pattern in self.containers]
            parts.append(patterns[0] if len(patterns) == 1 else f"({' or '.join(patterns)})")
        return " and ".join(parts)


@dataclass(frozen=True)
class Decision:
    """What is done to one rule: `append`, `replace`, or `skip` with the reason."""

    rule: str
    action: str
    reason: str
    condition: str = ""


@dataclass(frozen=True)
class Scoped:
    """The override file and how it came about; `content` is empty when no rule was chosen."""

    content: str
    decisions: tuple[Decision, ...]


def _values(values: Sequence[str]) -> str:
    return ", ".join(escape(value) for value in values)


def _always_quoted(text: str) -> str:
    written = escape(text)
    return written if written.startswith('"') else f'"{written}"'


def scope(
    files: Sequence[RulesFile],
    target: Target,
    rules: Sequence[str] = (),
    tags: Sequence[str] = (),
    known: Catalogue | None = None,
    exactly: Collection[str] | None = None,
) -> Scoped:
    """Write an override file that restricts rules of a ruleset.

    Args:
        files: the ruleset, in order; the override is to be loaded after them.
        target: where the rules shall fire.
        rules: names or patterns (`*`, `?`) of rules; with `tags` empty, too, every rule is chosen.
        tags: rules with any of these tags are chosen, too.
        known: fields and plugins.
        exactly: names that are taken as they are, in place of `rules`.

    Raises:
        FalcoError: the ruleset does not load, a name matches no rule, or the result is not what it should be.
    """
    loader = Loader(known)
    before = loader.load(files)
    _must_load(before, "the ruleset")
    chosen = _chosen(before, rules, tags) if exactly is None else _named(before, exactly, tags)
    decisions: list[Decision] = []
    items: list[dict[str, Any]] = []
    for name in chosen:
        compiled = before.compiler.rules.get(name)
        rule = before.collector.rules[name]
        condition = target.condition(rule.source)
        if compiled is None:
            decisions.append(Decision(name, "skip", "Falco leaves the rule out"))
            continue
        if not condition:
            decisions.append(Decision(name, "skip", f"cannot be restricted like this for source {rule.source}"))
            continue
        text = rule.condition
        if _safe_to_append(before, text):
            action, reason = "append", "the condition's top level is no 'or'"
            new = f"and {condition}" if not _is_or(condition) else f"and ({condition})"
        else:
            action, reason = "replace", "the condition's top level is 'or', so an appended 'and' would bind too tight"
            new = f"({text.strip()}) and {condition}"
        entry: dict[str, Any] = {"rule": name, "condition": new, "override": {"condition": action}}
        items.append(entry)
        decisions.append(Decision(name, action, reason, new))
    content = emit_items(items) if items else ""
    if items:
        _prove(loader, files, content, before, target, [item["rule"] for item in items])
    return Scoped(content, tuple(decisions))


def _must_load(loaded: Loaded, what: str) -> None:
    for result in loaded.results:
        for issue in result.errors:
            kind, name = issue.context.item
            where = f"{result.name}: {kind} '{name}'" if name else result.name
            raise FalcoError(f"{what} does not load: {where}: {issue.text}")


def _chosen(loaded: Loaded, rules: Sequence[str], tags: Sequence[str]) -> list[str]:
    known = loaded.collector.rules
    if not rules and not tags:
        return list(known)
    chosen: set[str] = set()
    for pattern in rules:
        matcher = re.compile(".*".join(re.escape(part).replace(r"\?", ".") for part in pattern.split("*")), re.S)
        matching = [name for name in known if matcher.fullmatch(name)]
        if not matching:
            from ..judge.hints import did_you_mean

            raise FalcoError(f"no rule is called '{pattern}'; {did_you_mean(pattern, known) or 'check the name'}")
        chosen.update(matching)
    wanted = set(tags)
    chosen.update(name for name, rule in known.items() if wanted & rule.tags)
    return [name for name in known if name in chosen]


def _named(loaded: Loaded, names: Collection[str], tags: Sequence[str]) -> list[str]:
    wanted = set(tags)
    return [name for name, rule in loaded.collector.rules.items() if name in names or wanted & rule.tags]


def _tree(loaded: Loaded, condition: str) -> Node:
    try:
        return parse(loaded.compiler.lists.apply(condition))
    except (ConditionSyntaxError, OverflowError) as error:
        raise FalcoError(f"cannot parse '{condition}': {error}") from error


def _is_or(condition: str) -> bool:
    return isinstance(parse(condition), Or)


def _safe_to_append(loaded: Loaded, condition: str) -> bool:
    return not isinstance(_tree(loaded, condition), Or)


def _prove(
    loader: Loader, files: Sequence[RulesFile], content: str, before: Loaded, target: Target, names: Sequence[str]
) -> None:
    """Load everything together and check that each rule now says: what it said, and the restriction."""
    after = loader.load([*files, RulesFile("scope.yaml", content)])
    _must_load(after, "the scoped ruleset")
    for name in names:
        rule = after.collector.rules[name]
        old = _tree(before, before.collector.rules[name].condition)
        added = _tree(before, target.condition(rule.source))
        wanted = And((*_operands(old), *_operands(added)))
        if And(tuple(_operands(_tree(after, rule.condition)))) != wanted:
            raise FalcoError(f"rule '{name}' did not come out as '(old condition) and restriction'; it is not written")


def _operands(node: Node) -> tuple[Node, ...]:
    return tuple(part for operand in node.operands for part in _operands(operand)) if isinstance(node, And) else (node,)
