# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Restricting rules to namespaces, labels or containers by an override file that outlives upgrades.

Appending ` and k8s.ns.name in (prod)` to `A or B` leaves A unrestricted. So what is appended to, and what has to
be replaced by the parenthesised condition, is decided on the tree; and the result is loaded and looked at.

Every value is written in quotes: Falco replaces a bare word that is the name of a list by the list's items.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from ..catalogue.catalogue import SYSCALL, Catalogue
from ..condition.lexer import quoted
from ..condition.nodes import And, Node, Or
from ..condition.parser import parse
from ..errors import ConditionSyntaxError, FalcoError
from ..judge.advice import did_you_mean
from ..load.embedded import unpacked
from ..load.ruleset import Loaded, Loader, RulesFile
from ..yaml.emit import emit_items
from ..yaml.nesting import deep_nesting
from .refusal import must_load
from .silence import why_silent

NAMESPACE_FIELDS = ("k8s.ns.name", "k8smeta.ns.name")
LABEL_FIELDS = ("k8s.pod.label", "k8smeta.pod.label")
AUDIT_SOURCE = "k8s_audit"
AUDIT_NAMESPACE_FIELD = "ka.target.namespace"

_NAMESPACE = re.compile(r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?")
_NAMESPACE_PATTERN = re.compile(r"[-a-z0-9*?]{1,63}")
_LABEL_NAME = re.compile(r"(?:[a-z0-9](?:[-.a-z0-9]{0,251}[a-z0-9])?/)?[A-Za-z0-9](?:[-._A-Za-z0-9]{0,61}[A-Za-z0-9])?")
_LABEL_VALUE = re.compile(r"(?:[A-Za-z0-9](?:[-._A-Za-z0-9]{0,61}[A-Za-z0-9])?)?")


@dataclass(frozen=True)
class Target:
    """Where rules shall fire: all that is given must hold, any of its values will do.

    Attributes:
        namespaces: Kubernetes namespaces, or patterns of them (`*` and `?`).
        labels: pod labels, value by name.
        containers: patterns of container names (`*` and `?`).
        namespace_field, label_field: which plugin's field to ask.
    """

    namespaces: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    containers: tuple[str, ...] = ()
    namespace_field: str = NAMESPACE_FIELDS[0]
    label_field: str = LABEL_FIELDS[0]

    @property
    def in_pods(self) -> bool:
        """Whether it holds in containers alone: Falco calls what runs on the host itself a container named host."""
        return bool(self.namespaces or self.labels) or not any(fnmatchcase("host", one) for one in self.containers)

    def check(self) -> None:
        """Refuse what can restrict nothing, or what no cluster can have.

        Raises:
            FalcoError: nothing to restrict to, a name that Kubernetes refuses, or a field that is not offered.
        """
        if not (self.namespaces or self.labels or self.containers):
            raise FalcoError("give namespaces, labels or containers to restrict rules to")
        if self.namespace_field not in NAMESPACE_FIELDS:
            raise FalcoError(f"namespace_field is one of {', '.join(NAMESPACE_FIELDS)}, not '{self.namespace_field}'")
        if self.label_field not in LABEL_FIELDS:
            raise FalcoError(f"label_field is one of {', '.join(LABEL_FIELDS)}, not '{self.label_field}'")
        for name in self.namespaces:
            if not (_NAMESPACE_PATTERN if _is_pattern(name) else _NAMESPACE).fullmatch(name):
                raise FalcoError(
                    f"namespaces: no namespace can be called '{name}', so no rule would fire; a name has up to 63 "
                    "small letters, digits and '-', and begins and ends with a letter or digit; a pattern has * or ?"
                )
        for name, value in self.labels.items():
            if not _LABEL_NAME.fullmatch(name):
                raise FalcoError(f"labels: no pod can have a label called '{name}', so no rule would fire")
            if not _LABEL_VALUE.fullmatch(value):
                raise FalcoError(f"labels: no pod's label '{name}' can be '{value}', so no rule would fire")
        if "" in self.containers:
            raise FalcoError("containers: an empty pattern matches no container, so no rule would fire")

    def condition(self, source: str) -> str:
        """The restriction as a condition; empty when it cannot be said for this source.

        Raises:
            FalcoError: as `check`.
        """
        self.check()
        if source == AUDIT_SOURCE:
            if self.labels or self.containers:
                return ""
            return _named(AUDIT_NAMESPACE_FIELD, self.namespaces)
        if source != SYSCALL:
            return ""
        parts = []
        if self.namespaces:
            parts.append(_named(self.namespace_field, self.namespaces))
        for name, value in self.labels.items():
            parts.append(f"{self.label_field}[{name}] = {quoted(value)}")  # Such a name needs no quotes.
        if self.containers:
            parts.append(_any([f"container.name glob {quoted(pattern)}" for pattern in self.containers]))
        return " and ".join(parts)


@dataclass(frozen=True)
class Decision:
    """What is done to one rule: `append`, `replace`, or `skip` with the reason.

    Attributes:
        rule, action, reason: as said.
        condition: what is written; empty for `skip`.
        silenced: why the rule never fires any more; empty if it may.
    """

    rule: str
    action: str
    reason: str
    condition: str = ""
    silenced: str = ""


@dataclass(frozen=True)
class Scoped:
    """The override file and how it came about; `content` is empty when no rule was chosen."""

    content: str
    decisions: tuple[Decision, ...]


def _is_pattern(name: str) -> bool:
    return "*" in name or "?" in name


def _named(field_name: str, names: Sequence[str]) -> str:
    """A field holds one of some names, or matches one of the patterns among them."""
    plain = [quoted(name) for name in names if not _is_pattern(name)]
    checks = [f"{field_name} in ({', '.join(plain)})"] if plain else []
    return _any([*checks, *(f"{field_name} glob {quoted(name)}" for name in names if _is_pattern(name))])


def _any(checks: Sequence[str]) -> str:
    return checks[0] if len(checks) == 1 else f"({' or '.join(checks)})"


@deep_nesting()
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
        files: the ruleset, in order, also within other files; the override is to be loaded after them.
        target: where the rules shall fire.
        rules: names or patterns (`*`, `?`) of rules; with `tags` empty, too, every rule is chosen.
        tags: rules with any of these tags are chosen, too.
        known: fields and plugins.
        exactly: names that are taken as they are, in place of `rules`.

    Raises:
        FalcoError: the ruleset does not load, a name matches no rule, or the result is not what it should be.
    """
    loader = Loader(known)
    files, inner = unpacked(files)
    before = loader.load(files)
    must_load(before, "the ruleset", inner)
    chosen = _chosen(before, rules, tags) if exactly is None else _exactly(before, exactly, tags)
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
            new = f"and {condition}"
        else:
            action, reason = "replace", "the condition's top level is 'or', so an appended 'and' would bind too tight"
            new = f"({text.strip()}) and {condition}"
        entry: dict[str, Any] = {"rule": name, "condition": new, "override": {"condition": action}}
        items.append(entry)
        silenced = why_silent(before, compiled, parse(condition), target.in_pods)
        decisions.append(Decision(name, action, reason, new, silenced))
    content = emit_items(items) if items else ""
    if items:
        _prove(loader, files, content, before, target, [item["rule"] for item in items])
    return Scoped(content, tuple(decisions))


def _chosen(loaded: Loaded, rules: Sequence[str], tags: Sequence[str]) -> list[str]:
    known = loaded.collector.rules
    if not rules and not tags:
        return list(known)
    chosen: set[str] = set()
    for pattern in rules:
        matcher = re.compile(".*".join(re.escape(part).replace(r"\?", ".") for part in pattern.split("*")), re.S)
        matching = [name for name in known if matcher.fullmatch(name)]
        if not matching:
            raise FalcoError(f"no rule is called '{pattern}'; {did_you_mean(pattern, known) or 'check the name'}")
        chosen.update(matching)
    chosen.update(_tagged(loaded, tags))
    return [name for name in known if name in chosen]


def _exactly(loaded: Loaded, names: Collection[str], tags: Sequence[str]) -> list[str]:
    tagged = _tagged(loaded, tags)
    return [name for name in loaded.collector.rules if name in names or name in tagged]


def _tagged(loaded: Loaded, tags: Sequence[str]) -> set[str]:
    """Rules with any of some tags.

    Raises:
        FalcoError: a tag that no rule has.
    """
    rules = loaded.collector.rules
    known = sorted({tag for rule in rules.values() for tag in rule.tags})
    for tag in tags:
        if tag not in known:
            raise FalcoError(f"no rule has the tag '{tag}'; {did_you_mean(tag, known) or 'check the tag'}")
    return {name for name, rule in rules.items() if rule.tags & set(tags)}


def _tree(loaded: Loaded, condition: str) -> Node:
    try:
        return parse(loaded.compiler.lists.apply(condition))
    except (ConditionSyntaxError, OverflowError) as error:
        raise FalcoError(f"cannot parse '{condition}': {error}") from error


def _safe_to_append(loaded: Loaded, condition: str) -> bool:
    return not isinstance(_tree(loaded, condition), Or)


def _prove(
    loader: Loader, files: Sequence[RulesFile], content: str, before: Loaded, target: Target, names: Sequence[str]
) -> None:
    """Load everything together and check that each rule now says: what it said, and the restriction."""
    after = loader.load([*files, RulesFile("scope.yaml", content)])
    must_load(after, "the scoped ruleset", {})
    for name in names:
        rule = after.collector.rules[name]
        old = _tree(before, before.collector.rules[name].condition)
        # As it was meant, with no list in the place of a word.
        added = parse(target.condition(rule.source))
        wanted = And((*_operands(old), *_operands(added)))
        if And(tuple(_operands(_tree(after, rule.condition)))) != wanted:
            raise FalcoError(f"rule '{name}' did not come out as '(old condition) and restriction'; it is not written")


def _operands(node: Node) -> tuple[Node, ...]:
    return tuple(part for operand in node.operands for part in _operands(operand)) if isinstance(node, And) else (node,)
