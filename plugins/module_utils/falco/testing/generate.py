# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""First tests of rules that have none: from recorded alerts, and from the conditions by solving them.

They say what the rules do today, which need not be what they should. Of a rule an event on which it fires is found,
then events that differ little from it, as few of them as make its comparisons decide both ways and tell it from its
mutants.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

from ..condition.nodes import Node
from ..errors import CheckError, FalcoError
from ..evaluate.comparisons import Test
from ..evaluate.engine import Engine
from ..evaluate.events import ALERT, FieldMap, event_of, parse_event
from ..evaluate.reasons import reasons
from ..load.expand import macros_of
from ..load.ruleset import Loaded
from ..yaml.emit import emit_items
from ..yaml.nesting import deep_nesting
from .candidates import candidates, targets
from .conditions import comparisons
from .mutants import mutants, shown_part
from .solve import Solver

BRANCHES = 12
"""Events that a rule fires on which are started from."""
MAX_EVENTS = 500
"""Events that are tried to tell a rule from its mutants."""
MAX_MUTANTS = 500
PER_RULE = 3
"""Recorded alerts of one rule that become cases."""
OFF = "it is not enabled"
_TIMES = ("evt.time", "evt.rawtime", "evt.datetime", "evt.num", "evt.reltime", "evt.time.iso8601")


class Left(NamedTuple):
    """A rule, or an alert, of which no test could be made.

    Attributes:
        rule: its name.
        reason: why.
    """

    rule: str
    reason: str


class Generated(NamedTuple):
    """A test file that was made.

    Attributes:
        text: the YAML.
        rules: names of the rules that have cases in it.
        left: what has none, and why.
    """

    text: str
    rules: list[str]
    left: list[Left]


@deep_nesting()
def generate(
    loaded: Loaded,
    rulesets: dict[str, list[str]],
    rules: Sequence[str] | None = None,
    alerts: Iterable[bytes] = (),
) -> Generated:
    """Write tests.

    Args:
        loaded: a ruleset that loads.
        rulesets: what the test file is to name, as paths seen from it.
        rules: names of the rules that are to have tests; None for all that are enabled.
        alerts: recorded alerts of these rules as JSON lines; with some, rules are tested with them and not by solving.

    Raises:
        FalcoError: there is no such rule, or a line is no alert.
    """
    engine = Engine(loaded, append_output=())
    for name in rules or ():
        if name not in engine.rules:
            raise FalcoError(f"the ruleset has no rule '{name}'")
    chosen = [name for name, rule in engine.rules.items() if rule.fires and (rules is None or name in rules)]
    maker = _Maker(loaded, engine)
    for name in dict.fromkeys(rules or ()):
        if not engine.rules[name].fires:
            maker.leave(name, OFF)
    lines = iter(alerts)
    first = next(lines, None)
    if first is None:
        for name in chosen:
            maker.solved(name)
    else:
        maker.recorded(_chained(first, lines), chosen)
    document: dict[str, Any] = {"rulesets": rulesets}
    if maker.fixtures:
        document["fixtures"] = maker.fixtures
    document["cases"] = maker.cases
    named = list(dict.fromkeys(maker.done))
    return Generated(_written(document), named, maker.left)


def _chained(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def _written(document: dict[str, Any]) -> str:
    """The document as YAML; a list with one mapping, without its dash."""
    lines = emit_items([document]).splitlines()
    body = "\n".join(line[2:] for line in lines)
    return "---\n# Generated from what the rules do today. Read it before you trust it.\n" + body + "\n"


class _Maker:
    def __init__(self, loaded: Loaded, engine: Engine) -> None:
        self.loaded = loaded
        self.engine = engine
        self.compiler = loaded.compiler
        self.solvers = {source: Solver(table, self.compiler) for source, table in self.compiler.tables.items()}
        self.fixtures: dict[str, Any] = {}
        self.cases: list[dict[str, Any]] = []
        self.left: list[Left] = []
        self.done: list[str] = []

    # from conditions

    def solved(self, name: str) -> None:
        """Cases of one rule, from its condition."""
        rule = self.engine.rules[name]
        source = rule.rule.source
        tree = self.compiler.rules[name].node
        bases = list(islice(self.solvers[source].solutions(tree), BRANCHES))
        if not bases:
            self.leave(name, _conflict_text(self.solvers[source].conflict(tree)))
            return
        fixture = self._fixture_name(name)
        self.fixtures[fixture] = _given(bases[0], source)
        self.done.append(name)
        case: dict[str, Any] = {"name": f"{name}: fires", "given": fixture, "expect": [name]}
        self.cases.append(case)
        events = self._telling(name, tree, source, bases)
        columns: dict[tuple[str, ...], list[list[Any]]] = {}
        for event in events:
            if event == bases[0]:
                continue
            changed = tuple(sorted(key for key in {**bases[0], **event} if bases[0].get(key) != event.get(key)))
            row = [event.get(key) for key in changed]
            columns.setdefault(changed, []).append([*row, bool(rule.test(FieldMap(event)))])
        for changed, rows in columns.items():
            self.cases.append(
                {
                    "name": f"{name}: {', '.join(changed)}",
                    "given": fixture,
                    "expect": [name],
                    "table": [[*changed, "fires"], *rows],
                }
            )

    def _fixture_name(self, rule: str) -> str:
        plain = re.sub(r"[^a-z0-9]+", "_", rule.lower()).strip("_") or "event"
        name, number = plain, 1
        while name in self.fixtures:
            number += 1
            name = f"{plain}_{number}"
        return name

    def _telling(self, name: str, tree: Node, source: str, bases: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """As few events as show all that those tried show: mutants that differ, comparisons that decide."""
        table = self.compiler.tables[source]
        solver = self.solvers[source]
        checks = [tree]
        tests: list[Test] = [solver.test(mutant.node) for mutant in islice(mutants(tree, table), MAX_MUTANTS)]
        for macro in macros_of(tree, self.compiler):
            node = self.compiler.macros[macro].tree
            checks.append(node)
            room = max(0, MAX_MUTANTS - len(tests))
            tests += [solver.test(tree, (macro, mutant.node)) for mutant in islice(mutants(node, table), room)]
        parts = list(dict.fromkeys(part for node in checks for part in comparisons(node)))
        rule = self.engine.rules[name]
        starts = [*bases, *solver.each_way(tree), *solver.near_misses(tree)]
        shown: list[tuple[dict[str, Any], set[Any]]] = []
        for event in islice(_variations(starts, parts, solver), MAX_EVENTS):
            fields = FieldMap(event)
            before = bool(rule.test(fields))
            shows: set[Any] = {number for number, test in enumerate(tests) if bool(test(fields)) != before}
            shows |= {(one.macros[-1:], one.start, one.holds) for one in reasons(rule.part, fields)}
            shown.append((event, shows))
        chosen: list[dict[str, Any]] = []
        left: set[Any] = set().union(*(shows for _event, shows in shown)) - shown[0][1]
        while left:
            event, shows = max(shown, key=lambda pair: len(pair[1] & left))
            left -= shows
            chosen.append(event)
        return chosen

    # from alerts

    def recorded(self, lines: Iterable[bytes], chosen: Sequence[str]) -> None:
        """Cases from recorded alerts."""
        seen: dict[str, list[dict[str, Any]]] = {}
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            for rule, source, fields in _alerts_of(line, number):
                if rule not in chosen:
                    if rule not in self.engine.rules:
                        self.leave(rule, "the ruleset has no such rule")
                    elif not self.engine.rules[rule].fires:
                        self.leave(rule, OFF)
                    continue
                before = seen.setdefault(rule, [])
                known = self._known(fields, source)
                if known in before or len(before) >= PER_RULE:
                    continue
                before.append(known)
                self._replayed(rule, source, known, number)

    def leave(self, rule: str, reason: str) -> None:
        """Note of a rule that it has no test, each reason once."""
        if Left(rule, reason) not in self.left:
            self.left.append(Left(rule, reason))

    def _known(self, fields: dict[str, Any], source: str) -> dict[str, Any]:
        """What an alert tells of its event that is worth keeping."""
        table = self.compiler.tables.get(source)
        known = {}
        for key, value in fields.items():
            try:
                is_field = table is not None and table.find(key) is not None
            except CheckError:
                is_field = False
            if is_field and value is not None and key not in _TIMES:
                known[key] = value
        return known

    def _replayed(self, rule: str, source: str, known: dict[str, Any], number: int) -> None:
        compiled = self.engine.rules[rule]
        name = f"{rule}: recorded in line {number}"
        event = known
        if compiled.rule.source != source or not compiled.test(event_of(_given(known, source, True), 1, source).fields):
            solver = self.solvers[compiled.rule.source]
            found = next(solver.solutions(self.compiler.rules[rule].node, True, known), None)
            if found is None:
                self.leave(
                    rule, f"the alert in line {number} tells too little of its event, or the rule was another one"
                )
                return
            added = [key for key in found if key not in known]
            name += f" ({', '.join(added)} made up)" if added else ""
            event = found
        self.cases.append({"name": name, "given": _given(event, source), "expect": [rule]})
        self.done.append(rule)


def _conflict_text(parts: Sequence[Node]) -> str:
    shown = "; ".join(shown_part(part) for part in parts)
    if len(parts) == 1:
        return f"no event was found on which this holds: {shown}"
    return f"no event was found on which these hold together: {shown}"


def _given(fields: dict[str, Any], source: str, whole: bool = False) -> dict[str, Any]:
    return {"source": source, "fields": fields} if whole or source != "syscall" else fields


def _alerts_of(line: bytes, number: int) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Rule, source and fields of the alert in a line."""
    for event in parse_event(line, number):
        value = json.loads(line.decode("utf-8", "surrogateescape"), strict=False)
        if event.kind != ALERT or not isinstance(value.get("rule"), str):
            raise FalcoError(f"line {number}: this is no alert; it has no 'rule' and 'output_fields'")
        yield value["rule"], event.source, dict(value.get("output_fields") or {})


def _variations(bases: Sequence[dict[str, Any]], parts: Sequence[Node], solver: Solver) -> Iterator[dict[str, Any]]:
    """The events, and each with another value for one field that the condition asks for; each once."""
    seen: set[str] = set()
    for event in _varied(bases, parts, solver):
        key = repr(sorted(event.items(), key=lambda pair: pair[0]))
        if key not in seen:
            seen.add(key)
            yield event


def _varied(bases: Sequence[dict[str, Any]], parts: Sequence[Node], solver: Solver) -> Iterator[dict[str, Any]]:
    yield from bases
    for base in bases:
        for part in parts:
            for name in targets(part):
                for value in candidates(part, solver.table, base.get(name)):
                    if value is None:
                        yield {key: old for key, old in base.items() if key != name}
                    else:
                        yield {**base, name: value}
