# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a condition amounts to, computed once per subtree: first error, warnings, event types.

Falco expands macros into every condition and walks the result each time. Everything that it finds on such
a walk can be put together from the parts, so a macro is walked once and its summary is used at each
reference. Sources: `filter_warning_resolver.cpp` in falcosecurity/falco and `filter/ppm_codes.cpp` in libs.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from ..catalogue.catalogue import Catalogue
from ..catalogue.fields import FieldTable
from ..errors import Cause, CheckError, EngineAbortError
from .checks import check_compare, check_exists
from .nodes import (
    And,
    Compare,
    Exists,
    Field,
    Macro,
    Node,
    Not,
    Or,
    Transformer,
    TransformerList,
    Value,
    ValueList,
    walk,
)

NO_VALUE = "<NA>"
MAX_WARNINGS = 1000
"""About how many warnings are kept of one condition; nested macros could multiply them without end."""
_EQUALITY = frozenset(("==", "=", "!=", "in", "intersects", "pmatch"))
_EVENT_OPERATORS = frozenset(("==", "=", "!=", "in"))
_U64 = re.compile(r"[ \t\n\v\f\r]*([+-]?)([0-9]+)")


class Failure:
    """The first thing Falco refuses in a condition."""

    __slots__ = ("aborts", "cause", "message", "node")

    def __init__(self, node: Node, message: str, aborts: bool = False, cause: Cause | None = None) -> None:
        self.node = node
        self.message = message
        self.aborts = aborts
        self.cause = cause


class Summary:
    """What a subtree means to its surroundings.

    Attributes:
        failure: the first refusal, left to right, or None.
        warnings: (node, message) of each LOAD_COMPILE_CONDITION, in order.
        unsafe_na: an audit or JSON field is compared with `<NA>`.
        deprecated: deprecated fields in it.
        events: set of event codes, as bits, for which it can hold.
        negated_events: the same for its negation.
        event_failure: why event types cannot be told; Falco aborts on it.
    """

    __slots__ = ("deprecated", "event_failure", "events", "failure", "negated_events", "unsafe_na", "warnings")

    def __init__(
        self,
        events: int,
        negated_events: int,
        failure: Failure | None = None,
        warnings: tuple[tuple[Node, str], ...] = (),
        unsafe_na: bool = False,
        deprecated: frozenset[str] = frozenset(),
        event_failure: str | None = None,
    ) -> None:
        self.events = events
        self.negated_events = negated_events
        self.failure = failure
        self.warnings = warnings
        self.unsafe_na = unsafe_na
        self.deprecated = deprecated
        self.event_failure = event_failure


class Summarizer:
    """Summaries for one event source."""

    def __init__(self, table: FieldTable) -> None:
        self.table = table
        self.catalogue: Catalogue = table.catalogue
        self.deprecated = frozenset(table.catalogue.language.deprecated_fields)
        self.all = table.catalogue.all_events
        self.neutral = Summary(self.all, self.all)

    def summarize(self, node: Node, macro: Callable[[Macro], Summary]) -> Summary:
        """Summarize a tree; `macro` gives the summary of a reference."""
        if isinstance(node, Compare):
            return self._compare(node)
        if isinstance(node, And):
            return self._join([self.summarize(child, macro) for child in node.operands], True)
        if isinstance(node, Or):
            return self._join([self.summarize(child, macro) for child in node.operands], False)
        if isinstance(node, Not):
            inner = self.summarize(node.operand, macro)
            if inner.events == inner.negated_events:
                return inner
            return Summary(
                inner.negated_events,
                inner.events,
                inner.failure,
                inner.warnings,
                inner.unsafe_na,
                inner.deprecated,
                inner.event_failure,
            )
        if isinstance(node, Macro):
            return macro(node)
        return self._exists(node)  # type: ignore[arg-type]  # the grammar has nothing else here

    def _join(self, parts: list[Summary], conjunction: bool) -> Summary:
        events = self.all if conjunction else 0
        negated = 0 if conjunction else self.all
        failure: Failure | None = None
        warnings: tuple[tuple[Node, str], ...] = ()
        unsafe = False
        deprecated: frozenset[str] = frozenset()
        event_failure: str | None = None
        for part in parts:
            if conjunction:
                events &= part.events
                negated |= part.negated_events
            else:
                events |= part.events
                negated &= part.negated_events
            if part is self.neutral:
                continue
            failure = failure or part.failure
            if part.warnings and len(warnings) < MAX_WARNINGS:
                warnings += part.warnings
            unsafe = unsafe or part.unsafe_na
            if part.deprecated:
                deprecated |= part.deprecated
            event_failure = event_failure or part.event_failure
        return Summary(events, negated, failure, warnings, unsafe, deprecated, event_failure)

    def _exists(self, node: Exists) -> Summary:
        failure: Failure | None = None
        try:
            check_exists(self.table, node)
        except (CheckError, EngineAbortError) as error:
            failure = Failure(node, str(error), isinstance(error, EngineAbortError), error.cause)
        is_event = _is_event_field(node.left)
        event_failure = None if isinstance(node.left, Field) else _event_in_transformer(node.left)
        deprecated = self._deprecated(node.left)
        if failure is None and not is_event and not deprecated and event_failure is None:
            return self.neutral
        return Summary(
            self.all, 0 if is_event else self.all, failure, deprecated=deprecated, event_failure=event_failure
        )

    def _compare(self, node: Compare) -> Summary:
        left, right = node.left, node.right
        failure: Failure | None = None
        warnings: list[tuple[Node, str]] = []
        try:
            check_compare(self.table, node, warnings)
        except (CheckError, EngineAbortError) as error:
            failure = Failure(node, str(error), isinstance(error, EngineAbortError), error.cause)
        plain = isinstance(left, Field)
        name = left.name if plain else _last_field(left)  # type: ignore[attr-defined]  # a Field has a name
        unsafe_na = False
        deprecated: frozenset[str] = _NOTHING
        if not plain or name in self.deprecated:
            deprecated = self._deprecated(left)
        if name.startswith(("ka.", "jevt.")) and node.operator in _EQUALITY:
            unsafe_na = _mentions_no_value(right)
            if not isinstance(right, (Value, ValueList)):
                deprecated |= self._deprecated(right)
        events, negated, event_failure = self._events(node)
        if (
            failure is None
            and not warnings
            and not unsafe_na
            and not deprecated
            and event_failure is None
            and events == negated == self.all
        ):
            return self.neutral
        return Summary(events, negated, failure, tuple(warnings), unsafe_na, deprecated, event_failure)

    def _events(self, node: Compare) -> tuple[int, int, str | None]:
        everything = self.all
        left = node.left
        if isinstance(left, Field):
            if left.name == "evt.num" and left.arg is None:
                known = _evt_num(node)
                if known is not None:
                    return (everything, 0, None) if known else (0, everything, None)
            if left.arg is not None or left.name not in ("evt.type", "syscall.type"):
                return everything, everything, None
            if node.operator not in _EVENT_OPERATORS:
                return everything, everything, None
            if isinstance(node.right, ValueList):
                codes = self.codes(node.right.values)
            elif isinstance(node.right, Value):
                codes = self.codes((node.right.text,))
            else:
                return everything, everything, "right-hand field comparisons on evt.type are not supported"
            if node.operator == "!=":
                return everything & ~codes, codes, None
            return codes, everything & ~codes, None
        if node.operator in _EVENT_OPERATORS:
            return everything, everything, _event_in_transformer(left)
        return everything, everything, None

    def _deprecated(self, node: Node) -> frozenset[str]:
        return frozenset(part.name for part in walk(node) if isinstance(part, Field) and part.name in self.deprecated)

    def codes(self, names: tuple[str, ...]) -> int:
        """The event codes that some names of events stand for, as bits."""
        codes = 0
        events = self.catalogue.events
        generic = False
        for name in names:
            bits = events.get(name)
            if bits:
                codes |= bits
            elif name in self.catalogue.syscalls:
                generic = True
        return codes | 3 if generic else codes


_NOTHING: frozenset[str] = frozenset()


def _is_event_field(node: Node) -> bool:
    return isinstance(node, Field) and node.name in ("evt.type", "syscall.type") and node.arg is None


def _event_in_transformer(node: Node) -> str | None:
    """Falco's search for event types gives up on a transformer whose argument is (or ends with) `evt.type`."""
    for part in walk(node):
        if isinstance(part, Transformer):
            for arg in part.args:
                last: Node = arg
                while isinstance(last, TransformerList) and last.items:
                    last = last.items[-1]
                if _is_event_field(last):
                    return "event code search does not support `evt.type` checks with transformers"
    return None


def _last_field(node: Node) -> str:
    name = ""
    for part in walk(node):
        if isinstance(part, Field):
            name = part.name
    return name


def _mentions_no_value(node: Node) -> bool:
    if isinstance(node, ValueList):
        return NO_VALUE in node.values
    return any(isinstance(part, Value) and part.text == NO_VALUE for part in walk(node))


def _u64(text: str) -> int | None:
    match = _U64.fullmatch(text.split("\0")[0])
    if not match:
        return None
    number = int(match.group(2))
    if number > 0xFFFFFFFFFFFFFFFF:
        return 0xFFFFFFFFFFFFFFFF
    return (-number) & 0xFFFFFFFFFFFFFFFF if match.group(1) == "-" else number


def _evt_num(node: Compare) -> bool | None:
    """Whether a check of `evt.num`, which starts at 1, always or never holds; None when it depends."""
    operator = node.operator
    if operator == "in":
        if isinstance(node.right, ValueList) and all(_u64(value) == 0 for value in node.right.values):
            return False
        return None
    if not isinstance(node.right, Value):
        return None
    number = _u64(node.right.text)
    if number is None:
        return None
    if operator in ("=", "=="):
        return False if number == 0 else None
    if operator == "!=":
        return True if number == 0 else None
    if operator == "<":
        return False if number <= 1 else None
    if operator == "<=":
        return False if number == 0 else None
    if operator == ">":
        return True if number == 0 else None
    if operator == ">=":
        return True if number <= 1 else None
    return None
