# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks beyond Falco's own, on rulesets that Falco accepts. `docs/findings.md` explains each code."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from ...common.finding import Finding
from ..condition.logic import Facts, conjuncts, contradiction, matches_anything, truth
from ..condition.nodes import And, Macro, Node, Not, Or, ValueList, walk
from ..condition.parser import parse
from ..condition.printer import to_text
from ..errors import ConditionSyntaxError
from ..load.compiler import Compiled
from ..load.ruleset import Loaded
from .hiding import proven_hidden
from .schema_lint import lint_schema
from .text_lint import lint_text
from .told import Told

_MITRE = re.compile(r"mitre_|T[0-9]{4}(?:\.[0-9]{3})?$", re.I)
_MATURITY = re.compile(r"maturity_(?:stable|incubating|sandbox|deprecated)$")
_LEADING_AND = re.compile(r"\s*and\b")


MAX_PROVEN = 300
"""Up to this number of rules each is compared with each; of more, those whose parts are an earlier rule's, too."""


class Linter(Told):
    """The checks of one ruleset."""

    def __init__(self, loaded: Loaded, ruleset: str) -> None:
        super().__init__(loaded, ruleset)
        self._parts: dict[str, list[Node]] = {}

    def resolve(self, name: str) -> Node | None:
        macro = self.loaded.compiler.macros.get(name)
        return macro.parsed.node if macro else None

    def parts(self, compiled: Compiled) -> list[Node]:
        """The conjuncts of a rule's condition, macros opened."""
        found = self._parts.get(compiled.rule.name)
        if found is None:
            found = self._parts[compiled.rule.name] = conjuncts(compiled.node, self.resolve)
        return found

    def add_to_rule(self, code: str, compiled: Compiled, message: str, hint: str = "") -> None:
        rule = compiled.rule
        mark = rule.condition_context.locations[-1].mark
        self.add(code, rule.context.file, mark, f"rule '{rule.name}'", message, hint)

    # checks

    def conditions(self) -> None:
        """FN001, FN002, FN003."""
        known: dict[str, dict[str, bool | None]] = {}
        for compiled in self.loaded.compiler.rules.values():
            table = self.loaded.compiler.tables[compiled.rule.source]
            silencer = self._silencing_exception(compiled)
            if silencer:
                self.add_to_rule("FN003", compiled, f"exception '{silencer}' holds whenever the rule does", _NARROW)
                continue
            value = truth(compiled.node, table, self.resolve, known.setdefault(compiled.rule.source, {}))
            if value is False:
                pair = contradiction(self.parts(compiled), table)
                if self._never_on_purpose(compiled, pair):
                    continue
                detail = f": '{to_text(pair[0])}' excludes '{to_text(pair[1])}'" if pair else ""
                self.add_to_rule("FN001", compiled, f"the condition can never hold{detail}", _WIDEN)
            elif value is True:
                self.add_to_rule("FN002", compiled, "the condition holds for every event", _NARROW)

    def _never_on_purpose(self, compiled: Compiled, pair: tuple[Node, Node] | None) -> bool:
        """Whether a condition never holds because of an empty list, which users fill, and not for another reason."""
        if pair is not None:
            return any(_has_empty_list(part) for part in pair)
        pending, seen = [compiled.node], set()
        while pending:
            node = pending.pop()
            if _has_empty_list(node):
                return True
            for part in walk(node):
                inner = self.resolve(part.name) if isinstance(part, Macro) and part.name not in seen else None
                if inner is not None and isinstance(part, Macro):
                    seen.add(part.name)
                    pending.append(inner)
        return False

    def _silencing_exception(self, compiled: Compiled) -> str:
        rule = compiled.rule
        if not any(exception.values for exception in rule.exceptions):
            return ""
        if not isinstance(compiled.node, And):
            return ""
        # the loader wrote "(condition) and not (exception) and not ...", in this order
        base, *negations = compiled.node.operands
        named = [exception for exception in rule.exceptions if exception.values]
        if len(named) != len(negations):
            return ""
        facts = Facts(conjuncts(base, self.resolve), self.loaded.compiler.tables[rule.source])
        for exception, negation in zip(named, negations):
            if isinstance(negation, Not) and (facts.imply(negation.operand) or matches_anything(negation.operand)):
                return exception.name
        return ""

    def shadows(self) -> None:
        """FN004: an earlier rule that holds whenever this one does; with Falco's default only the first fires."""
        texts: dict[str, frozenset[Node]] = {}
        count: dict[Node, int] = {}
        for name, compiled in self.loaded.compiler.rules.items():
            keys = frozenset(self.parts(compiled))
            texts[name] = keys
            for key in keys:
                count[key] = count.get(key, 0) + 1
        told: set[str] = set()
        if len(texts) <= MAX_PROVEN:
            for name, earlier in proven_hidden(self.loaded):
                self._shadowed(self.loaded.compiler.rules[name], earlier)
                told.add(name)
        by_rarest: dict[tuple[str, Node], list[str]] = {}
        for name, compiled in self.loaded.compiler.rules.items():
            keys = texts[name]
            rule = compiled.rule
            if not rule.enabled:
                continue
            for key in keys if name not in told else ():
                for earlier in by_rarest.get((rule.source, key), ()):
                    if texts[earlier] <= keys:
                        self._shadowed(compiled, earlier)
                        break
                else:
                    continue
                break
            rarest = min(keys, key=count.__getitem__)
            by_rarest.setdefault((rule.source, rarest), []).append(name)

    def _shadowed(self, compiled: Compiled, earlier: str) -> None:
        self.add_to_rule(
            "FN004",
            compiled,
            f"rule '{earlier}' comes first and holds whenever this one does",
            "put this rule before it, narrow the earlier one, or set rule_matching to all",
        )

    def overrides(self) -> None:
        """FN005, FN006."""
        for change in self.loaded.collector.changes:
            mark = change.node.mark if change.node is not None else None
            item = f"{change.kind} '{change.name}'"
            if not change.effect and change.action not in ("define", "redefine"):
                self.add("FN005", change.file, mark, item, f"the {change.action} changes nothing", "remove it")
            if not change.before or not _LEADING_AND.match(change.added):
                continue
            try:
                node = parse(self.loaded.compiler.lists.apply(change.before))
            except (ConditionSyntaxError, OverflowError):
                continue
            if isinstance(node, Or):
                self.add(
                    "FN006",
                    change.file,
                    mark,
                    item,
                    "the condition's top level is 'or', so what is appended with 'and' binds to its last part only",
                    "replace the condition: '(' + old condition + ') and ...'",
                )

    def tags(self, wanted: Sequence[str]) -> None:
        """FN007, FN008."""
        for compiled in self.loaded.compiler.rules.values():
            tags = compiled.rule.tags
            if "FN007" in wanted and not any(_MITRE.match(tag) for tag in tags):
                self.add_to_rule("FN007", compiled, "no tag names a MITRE ATT&CK tactic or technique", "add e.g. T1059")
            if "FN008" in wanted and not any(_MATURITY.match(tag) for tag in tags):
                self.add_to_rule("FN008", compiled, "no maturity tag", "add e.g. maturity_sandbox")

    def files(self) -> None:
        """FN009, FN010 and FN011."""
        for context, key, mark in self.loaded.collector.duplicates:
            kind, name = context.item
            item = f"{kind} '{name}'" if name else ""
            message = f"key '{key}' stands twice; Falco takes the first and ignores this one"
            self.add("FN010", context.file, mark, item, message, "remove one of the two")
        for result in self.loaded.results:
            if result.documents_empty and not result.errors:
                self.add("FN011", result.name, None, "", "the file defines nothing", "")
        lint_schema(self)


def _has_empty_list(node: Node) -> bool:
    return any(isinstance(part, ValueList) and not part.values for part in walk(node))


_NARROW = "narrow it"
_WIDEN = "remove one of the two, or join them with 'or'"


def lint_findings(loaded: Loaded, ruleset: str, optional: Iterable[str]) -> list[Finding]:
    """Everything found beyond Falco's own findings.

    Args:
        loaded: a ruleset that Falco accepts.
        ruleset: its name, for the findings.
        optional: codes of checks that are off unless named.
    """
    linter = Linter(loaded, ruleset)
    linter.conditions()
    linter.shadows()
    linter.overrides()
    linter.tags(tuple(optional))
    linter.files()
    lint_text(linter)
    return linter.findings
