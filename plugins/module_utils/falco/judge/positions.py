# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From one of Falco's errors or warnings to the place in the author's own text, and the way from the rule to there.

Falco places what is wrong in a macro, a list, an exception or an override at the rule, by offsets in a text that nobody
wrote. Here the part that is meant is looked for where it was parsed, and then where its characters were written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from ..catalogue.fields import FieldTable
from ..catalogue.language import CONTAINER_INFO
from ..condition.blame import blamed, value_start
from ..condition.nodes import And, Compare, Exists, Field, Macro, Node, Or, Value, ValueList, walk
from ..condition.summary import NO_VALUE, Summary
from ..errors import Cause, Reason
from ..load.compiler import MAX_EVENTS_QUIET
from ..load.context import CONDITION, RULE_OUTPUT
from ..load.output import refused_tokens
from ..load.result import Issue
from ..load.ruleset import Loaded
from ..load.substitution import ExceptionError
from ..load.trace import Origin, Traced, Tracer, joined, trace_output
from ..yaml.places import place_in

_NAME = re.compile(r"[^\s()\"',=]+")
_COMPARED = re.compile(r"(?:\b(?:in|intersects|pmatch|contains|icontains|startswith|endswith|glob)\s+|[=]\s*)$")
_IN_LIST = re.compile(r"(?:\b(?:in|intersects|pmatch|anyof|oneof|allof)\s*\(|,)\s*$")
_CHECKED = re.compile(r"(?:^|\(|\b(?:and|or|not)\b)\s*$")

Names = tuple[tuple[str, str], ...]


class Place(NamedTuple):
    """Where something was written: 1-based line and column, and (kind, name) from the entry to there.

    `word` and `cause` are of what stands there, where an issue has several places.
    """

    file: str
    line: int | None
    column: int | None
    way: Names = ()
    word: str = ""
    cause: Cause | None = None


class Places:
    """Finds places in one loaded ruleset."""

    def __init__(self, loaded: Loaded, lines: Any) -> None:
        """*lines* gives a file's lines by its name."""
        self.loaded = loaded
        self.compiler = loaded.compiler
        self.lines = lines
        self._tracer = Tracer(loaded.compiler)
        self._nodes: dict[tuple[str, str], tuple[Node, ...]] = {}
        self._traced: dict[tuple[str, str], Traced | None] = {}

    def of(self, issue: Issue) -> list[Place]:
        """Where an issue is; several places where it is about several."""
        if issue.written is not None:
            mark = issue.written.node.mark
            return [Place(issue.written.file, mark.line + 1, mark.column + 1)]
        context = issue.context
        spot = context.locations[-1]
        if issue.code == "LOAD_NO_EVTTYPE":
            parts = self._unrestricted(context.item)
            if parts:
                return parts
        if issue.code == "LOAD_DEPRECATED_ITEM" and context.item[0] == "rule" and spot.item_type != CONDITION:
            word = issue.deprecated_field or (CONTAINER_INFO if CONTAINER_INFO in issue.message else "")
            words = self._words_of_output(context.item[1], word) if word else []
            if words:
                return words
        if spot.item_type == RULE_OUTPUT:
            tokens = self._in_output(context.item[1])
            if tokens:
                return tokens
        if spot.item_type != CONDITION:
            return [Place(context.file, spot.mark.line + 1, spot.mark.column + 1)]
        owner = context.item
        if issue.cause is not None and issue.cause.reason in (Reason.TEXT_AFTER_END, Reason.UNDEFINED_MACRO):
            bare = self._bare_lists(owner)
            if bare:
                return bare
        found = [place for place in self._in_condition(issue, owner) if place is not None]
        if found:
            return found
        # the value that the condition is in: nothing nearer is known
        mark = context.locations[-2].mark
        return [Place(context.file, mark.line + 1, mark.column + 1)]

    def _words_of_output(self, name: str, word: str) -> list[Place]:
        """Where a word stands in a rule's output."""
        rule = self.loaded.collector.rules.get(name)
        if rule is None:
            return []
        traced = trace_output(rule)
        starts = [match.start() for match in re.finditer(rf"{re.escape(word)}(?![\w.])", traced.text)]
        places = (self._of_origin(traced.at(start), ()) for start in starts)
        return [place._replace(word=word) for place in places if place is not None]

    def _in_output(self, name: str) -> list[Place]:
        """The tokens of a rule's output that are refused."""
        rule = self.loaded.collector.rules.get(name)
        table = self.compiler.tables.get(rule.source) if rule else None
        if rule is None or table is None:
            return []
        traced = trace_output(rule)
        found = []
        for token in refused_tokens(table, traced.text):
            place = self._of_origin(traced.at(token.offset), ())
            if place is not None:
                found.append(place._replace(word=token.word, cause=token.cause))
        return found

    def _bare_lists(self, owner: tuple[str, str]) -> list[Place]:
        """Lists that stand where a macro or one value belongs: their items make what follows unreadable."""
        collector = self.loaded.collector
        item = collector.rules.get(owner[1]) if owner[0] == "rule" else collector.macros.get(owner[1])
        if item is None:
            return []
        traced = joined(item.written)
        found = []
        for match in _NAME.finditer(traced.text):
            name, before = match.group(), traced.text[: match.start()]
            compared = _COMPARED.search(before)
            if name not in collector.lists or _IN_LIST.search(before) or not (compared or _CHECKED.search(before)):
                continue
            if compared and len(collector.lists[name].items) < 2:
                continue
            place = self._of_origin(traced.at(match.start()), ())
            if place is not None:
                found.append(place._replace(word=name, cause=Cause(Reason.NO_VALUE) if compared else None))
        return found

    def _unrestricted(self, owner: tuple[str, str]) -> list[Place]:
        """The alternatives of a rule that hold for any event, beside others that do not: `A and B or C`."""
        rule = self.loaded.collector.rules.get(owner[1])
        tree = self._tree(owner)
        if isinstance(tree, And) and rule is not None and rule.exceptions:
            tree = tree.operands[0]
        if rule is None or tree is None:
            return []
        found = []
        for node, at, way in self._wide_alternatives(tree, owner, rule.source):
            traced = self.traced(at)
            place = self._of_origin(traced.at(node.start), way) if traced else None
            if traced is not None and place is not None:
                found.append(place._replace(word=" ".join(traced.text[node.start : node.end].split())))
        return found

    def _wide_alternatives(
        self, tree: Node, owner: tuple[str, str], source: str
    ) -> Iterator[tuple[Node, tuple[str, str], Names]]:
        """Each alternative that is for any event beside one that is not, in a condition and the macros below it."""
        pending: list[tuple[Node, tuple[str, str], Names]] = [(tree, owner, ())]
        seen: set[str] = set()
        while pending:
            node, at, way = pending.pop(0)
            if isinstance(node, And):
                pending += [(part, at, way) for part in node.operands]
            elif isinstance(node, Macro) and node.name not in seen:
                seen.add(node.name)
                inner = self._tree(("macro", node.name))
                if inner is not None:
                    pending.append((inner, ("macro", node.name), (*way, ("macro", node.name))))
            elif isinstance(node, Or):
                wide = [part for part in node.operands if self._is_wide(part, source)]
                if len(wide) < len(node.operands):
                    yield from ((part, at, way) for part in wide)

    def _is_wide(self, node: Node, source: str) -> bool:
        """Whether a part of a condition may hold for more events than Falco passes over in silence."""
        compiler = self.compiler
        summary = compiler.summarizers[source].summarize(node, lambda macro: compiler.macro_summary(macro.name, source))
        return bin(summary.events).count("1") > MAX_EVENTS_QUIET

    def _in_condition(self, issue: Issue, owner: tuple[str, str]) -> list[Place | None]:
        context = issue.context
        if issue.node is not None:
            return [self.of_node(issue.node, owner)]
        if issue.code == "LOAD_DEPRECATED_ITEM" and issue.deprecated_field:
            name = issue.deprecated_field
            return [
                self._of_part(node, at, way, None)
                for at, way, node in self._everywhere(owner)
                if isinstance(node, Field) and node.name == name
            ]
        if issue.code == "LOAD_UNSAFE_NA_CHECK":
            return [
                self._of_part(node, at, way, None)
                for at, way, node in self._everywhere(owner)
                if isinstance(node, Compare) and node.operator != "exists" and _mentions_no_value(node)
            ]
        traced = self.traced(owner)
        if issue.code == "LOAD_ERR_COMPILE_CONDITION" and issue.cause is None:
            found = self._without_event_types(owner)
            if found:
                return found
        if traced is None or traced.text != context.condition:
            return [None]
        index = context.index or 0
        if issue.cause is not None and issue.cause.reason is Reason.UNKNOWN_ESCAPE:
            # Falco stops behind the text in quotes
            index = max(traced.text.rfind(issue.cause.subject, 0, index), 0)
        return [self._of_origin(traced.at(index), ())]

    def _without_event_types(self, owner: tuple[str, str]) -> list[Place | None]:
        """The checks of a rule that ask for an event type in a way that tells Falco none."""
        rule = self.loaded.collector.rules.get(owner[1]) if owner[0] == "rule" else None
        summarizer = self.compiler.summarizers.get(rule.source) if rule else None
        found = []
        for at, way, node in self._everywhere(owner) if summarizer is not None else ():
            traced = self.traced(at)
            if traced is None or summarizer is None or not isinstance(node, (Compare, Exists)):
                continue
            if summarizer.summarize(node, _no_macro).event_failure:
                found.append(self._of_origin(traced.at(node.start), way))
        return found

    def at(self, owner: tuple[str, str], offset: int) -> list[Place]:
        """Where a character of a rule's or macro's condition was written; nothing where that cannot be told."""
        traced = self.traced(owner)
        return self.of_origin(traced.at(offset)) if traced else []

    def before(self, issue: Issue, count: int) -> list[Place]:
        """The place some characters before that where a condition could not be read any further."""
        context = issue.context
        traced = self.traced(context.item)
        if traced is None or traced.text != context.condition or context.index is None:
            return []
        return self.of_origin(traced.at(context.index - count))

    def of_origin(self, origin: Origin | None) -> list[Place]:
        """The place of an origin."""
        place = self._of_origin(origin, ())
        return [] if place is None else [place]

    def written(self, owner: tuple[str, str], node: Node) -> tuple[Place | None, Names]:
        """Where a part of a rule's or macro's condition begins, and the lists and exceptions that any of it is of."""
        traced = self.traced(owner)
        if traced is None:
            return None, ()
        ways = dict.fromkeys(traced.ways(node.start, node.end))
        return self._of_origin(traced.at(node.start), ()), tuple(ways)

    def traced(self, owner: tuple[str, str]) -> Traced | None:
        """The condition of a rule or macro with its origins; None where it cannot be traced any more."""
        if owner not in self._traced:
            self._traced[owner] = self._trace(owner)
        return self._traced[owner]

    def _trace(self, owner: tuple[str, str]) -> Traced | None:
        kind, name = owner
        collector = self.loaded.collector
        try:
            if kind == "macro" and name in collector.macros:
                return self._tracer.macro(collector.macros[name])
            if kind == "rule" and name in collector.rules:
                return self._tracer.rule(collector.rules[name])
        except (ExceptionError, OverflowError):
            pass
        return None

    def _tree(self, owner: tuple[str, str]) -> Node | None:
        """What a rule or macro was parsed to."""
        traced = self.traced(owner)
        parsed = self.compiler.memory.parsed.get(traced.text) if traced else None
        return parsed.node if parsed else None

    def _nodes_of(self, owner: tuple[str, str]) -> tuple[Node, ...]:
        """The nodes of a rule's or macro's own condition; of a macro, which many use, they are kept."""
        nodes = self._nodes.get(owner)
        if nodes is None:
            tree = self._tree(owner)
            nodes = tuple(walk(tree)) if tree is not None else ()
            if owner[0] == "macro":
                self._nodes[owner] = nodes
        return nodes

    def _everywhere(self, owner: tuple[str, str]) -> list[tuple[tuple[str, str], Names, Node]]:
        """Each node of a condition and of the macros below it, with the macro and the way to it."""
        found = []
        pending: list[tuple[tuple[str, str], Names]] = [(owner, ())]
        seen = {owner}
        while pending:
            at, way = pending.pop(0)
            for node in self._nodes_of(at):
                found.append((at, way, node))
                inner = ("macro", node.name) if isinstance(node, Macro) else at
                if inner not in seen:
                    seen.add(inner)
                    pending.append((inner, (*way, inner)))
        return found

    def of_node(self, node: Node, owner: tuple[str, str]) -> Place | None:
        """The place of a node, which stands in the owner's condition or in a macro below it."""
        rule = self.loaded.collector.rules.get(owner[1]) if owner[0] == "rule" else None
        table = self.compiler.tables.get(rule.source) if rule else None
        found = next(((at, path) for at, path, part in self._everywhere(owner) if part is node), None)
        if found is None:
            return None
        at, path = found
        return self._of_part(node, at, path, table)

    def _of_part(self, node: Node, at: tuple[str, str], way: Names, table: FieldTable | None) -> Place | None:
        traced = self.traced(at)
        if traced is None:
            return None
        return self._of_origin(traced.at(_start(node, traced.text, table)), way)

    def _of_origin(self, origin: Origin | None, way: Names) -> Place | None:
        if origin is None:
            return None
        mark = origin.written.node.mark
        found = place_in(self.lines(origin.written.file), origin.written.node, origin.offset)
        line, column = found or (mark.line, mark.column)
        return Place(origin.written.file, line + 1, column + 1, (*way, *origin.way))


def _start(node: Node, text: str, table: FieldTable | None) -> int:
    """Where the part of a node starts that is refused, or warned of where nothing is refused."""
    if isinstance(node, Compare):
        if table is not None:
            return blamed(table, node, text)
        if isinstance(node.right, ValueList) and NO_VALUE in node.right.values:
            return value_start(node.right, node.right.values.index(NO_VALUE), text)
        return node.right.start
    return blamed(table, node, text) if table is not None else node.start


def _no_macro(reference: Macro) -> Summary:
    raise AssertionError(f"a single check has no macro: {reference.name}")


def _mentions_no_value(node: Compare) -> bool:
    right = node.right
    if isinstance(right, ValueList):
        return NO_VALUE in right.values
    return isinstance(right, Value) and right.text == NO_VALUE
