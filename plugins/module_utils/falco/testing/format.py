# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Test files read: every mistake is a finding with its place, and nothing is tried while there is one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...common.finding import Finding
from ...common.words import nearest
from ..catalogue.fields import FieldTable
from ..codes import ERROR, TEST_FORMAT
from ..evaluate.engine import ALL, FIRST
from ..evaluate.events import K8S_AUDIT, SYSCALL, is_audit
from ..yaml.documents import read_documents
from ..yaml.nesting import deep_nesting
from ..yaml.nodes import MAP, NULL, SCALAR, SEQUENCE, Yaml, YamlError, within_itself
from .given import GivenError, field_value, fields_of, is_field_map, merged, plain
from .model import Accepted, Case, Expected, Place, RuleTests

FIRES = "fires"
"""The column of a table that says whether the case's rules fire."""
_TOP = ("rulesets", "source", "rule_matching", "fixtures", "cases", "accepted_mutants")
_CASE = ("name", "given", "expect", "expect_not", "output", "table", "rulesets", "skip")
_EXPECTED = ("rule", "output", "priority")
_ACCEPTED = ("item", "change", "reason")


def read_tests(
    file: str, text: str, tables: Mapping[str, FieldTable], rulesets: Sequence[str] | None = None
) -> tuple[RuleTests, list[Finding]]:
    """Read a test file.

    Args:
        file: its name, for findings.
        text: its text.
        tables: the fields of each source.
        rulesets: names of rulesets that are given beside the file and take the place of those that it names; None when
            the file must name them.

    Returns:
        The tests, and what is wrong with the file; tests of a file with findings are incomplete.
    """
    reader = _Reader(file, tables)
    with deep_nesting():
        return reader.read(text, rulesets), reader.findings


class _Reader:
    def __init__(self, file: str, tables: Mapping[str, FieldTable]) -> None:
        self.file = file
        self.tables = tables
        self.findings: list[Finding] = []
        self._told: set[tuple[int, int, str]] = set()
        self.source = SYSCALL
        self.fixtures: dict[str, Yaml] = {}
        self.used: set[str] = set()
        self.rulesets: dict[str, tuple[str, ...]] = {}
        self.known: Sequence[str] = ()

    # what is wrong

    def wrong(self, node: Yaml, message: str, hint: str = "", item: str = "") -> None:
        line, column = node.mark.line + 1, node.mark.column + 1
        if (line, column, message) not in self._told:  # a fixture is read for each case
            self._told.add((line, column, message))
            self.findings.append(Finding(TEST_FORMAT, ERROR, self.file, line, column, item, message, hint))

    def place(self, node: Yaml) -> Place:
        return Place(self.file, node.mark.line + 1, node.mark.column + 1)

    def keys(self, node: Yaml, allowed: Sequence[str], what: str) -> dict[str, Yaml] | None:
        """The values of a mapping by key; None when it is none."""
        if node.kind != MAP:
            self.wrong(node, f"{what} is a mapping with {', '.join(allowed)}")
            return None
        found: dict[str, Yaml] = {}
        for key, value in node.value:
            name = key.value if key.kind == SCALAR else ""
            if name not in allowed:
                close = nearest(str(name), allowed)
                hint = f"did you mean '{close}'?" if close else f"there are {', '.join(allowed)}"
                self.wrong(key, f"{what} has no key '{name}'", hint)
            elif name in found:
                self.wrong(key, f"the key '{name}' stands here twice")
            else:
                found[name] = value
        return found

    def text(self, node: Yaml | None, what: str) -> str | None:
        if node is None:
            return None
        if node.kind != SCALAR or not node.value:
            self.wrong(node, f"{what} is a text")
            return None
        return str(node.value)

    def one_of(self, node: Yaml | None, what: str, allowed: Sequence[str], default: str) -> str:
        value = self.text(node, what) if node is not None else default
        if node is not None and value is not None and value not in allowed:
            close = nearest(value, allowed)
            hint = f"did you mean '{close}'?" if close else f"there are {', '.join(allowed)}"
            self.wrong(node, f"{what}: '{value}' is none", hint)
            return default
        return value or default

    def entries(self, node: Yaml | None, what: str) -> list[Yaml]:
        """A list, or one thing in its place."""
        if node is None or node.kind == NULL:
            return []
        if node.kind == SEQUENCE:
            return list(node.value)
        if node.kind == SCALAR or what != "cases":
            return [node]
        self.wrong(node, f"{what} is a list")
        return []

    # what is read

    def read(self, text: str, given: Sequence[str] | None) -> RuleTests:
        empty = RuleTests(self.file, {}, SYSCALL, ALL, (), ())
        try:
            documents = read_documents(text)
        except YamlError as error:
            line = None if error.line is None else error.line + 1
            column = None if error.column is None else error.column + 1
            self.findings.append(Finding(TEST_FORMAT, ERROR, self.file, line, column, "", error.message))
            return empty
        if len(documents) != 1:
            self.findings.append(
                Finding(TEST_FORMAT, ERROR, self.file, 1, 1, "", f"expected one document, here are {len(documents)}")
            )
            return empty
        top = documents[0]
        endless = within_itself(top)
        if endless is not None:
            self.wrong(endless, "what is anchored here contains itself", "an alias outside of its anchor")
            return empty
        keys = self.keys(top, _TOP, "a test file")
        if keys is None:
            return empty
        self._rulesets(top, keys.get("rulesets"), given)
        self.source = self.one_of(keys.get("source"), "source", list(self.tables), SYSCALL)
        matching = self.one_of(keys.get("rule_matching"), "rule_matching", (ALL, FIRST), ALL)
        self._fixtures(keys.get("fixtures"))
        cases: list[Case] = []
        nodes = self.entries(keys.get("cases"), "cases")
        if not nodes:
            self.wrong(top, "there are no cases", "cases: [{name: ..., given: ..., expect: ...}]")
        for node in nodes:
            cases.extend(self._case(node))
        for name, fixture in self.fixtures.items():
            if name not in self.used:
                self.wrong(fixture, f"no case is given the fixture '{name}'")
        names: dict[str, Place] = {}
        for case in cases:
            if case.name in names:
                self.findings.append(
                    Finding(
                        TEST_FORMAT,
                        ERROR,
                        self.file,
                        case.place.line,
                        case.place.column,
                        "",
                        f"the name '{case.name}' is taken by the case in line {names[case.name].line}",
                    )
                )
            names.setdefault(case.name, case.place)
        accepted = tuple(
            one for node in self.entries(keys.get("accepted_mutants"), "accepted_mutants") for one in self._mutant(node)
        )
        return RuleTests(self.file, self.rulesets, self.source, matching, tuple(cases), accepted)

    def _rulesets(self, top: Yaml, node: Yaml | None, given: Sequence[str] | None) -> None:
        if node is not None and node.kind == MAP:
            for key, value in node.value:
                paths = [self.text(entry, "a rules file") for entry in self.entries(value, "paths")]
                if not paths:
                    self.wrong(key, f"the ruleset '{key.value}' has no files")
                self.rulesets[str(key.value)] = tuple(path for path in paths if path)
        elif node is not None:
            self.wrong(node, "rulesets is a mapping of names to lists of rules files", "rulesets: {own: [../rules]}")
        elif given is None:
            self.wrong(top, "nothing says which rules are tested", "rulesets: {own: [../rules]}")
        self.known = list(self.rulesets) if given is None else given

    def _fixtures(self, node: Yaml | None) -> None:
        if node is None:
            return
        if node.kind != MAP:
            self.wrong(node, "fixtures is a mapping of names to events")
            return
        for key, value in node.value:
            if key.kind != SCALAR:
                self.wrong(key, "the name of a fixture is a text")
            elif key.value in self.fixtures:
                self.wrong(key, f"the fixture '{key.value}' stands here twice")
            elif value.kind not in (MAP, SEQUENCE):
                self.wrong(value, f"the fixture '{key.value}' is no event", "give fields and their values")
            else:
                self.fixtures[str(key.value)] = value

    def _case(self, node: Yaml) -> list[Case]:
        keys = self.keys(node, _CASE, "a case")
        if keys is None:
            return []
        name = self.text(keys.get("name"), "a case's name")
        if name is None:
            if "name" not in keys:
                self.wrong(node, "a case has a name")
            return []
        if "given" not in keys:
            self.wrong(node, "nothing is given", "given: a fixture's name, fields and values, or a list of these")
            return []
        output = self.text(keys.get("output"), "output")
        expect = [one for entry in self.entries(keys.get("expect"), "expect") for one in self._expected(entry, output)]
        refused = keys.get("expect_not")
        only = refused is not None and refused.kind == SCALAR and refused.value == "all"
        expect_not = [] if only else [e for n in self.entries(refused, "expect_not") for e in self._expected(n, None)]
        if not (expect or expect_not or only):
            self.wrong(node, "nothing is expected", "expect: or expect_not: with names of rules, or expect_not: all")
        names = tuple(
            self.one_of(entry, "rulesets", self.known, "") for entry in self.entries(keys.get("rulesets"), "rulesets")
        )
        skip = self.text(keys.get("skip"), "skip, the reason,")
        place = self.place(node)
        try:
            event = self._given(keys["given"])
            if "table" not in keys:
                self._is_event(keys["given"], event)
                return [Case(name, place, event, tuple(expect), tuple(expect_not), only, names, skip)]
            rows = self._table(keys["table"], event)
        except GivenError as error:
            self.wrong(error.node, error.message, error.hint, f"case '{name}'")
            return []
        cases = []
        for row, shown, changed, fires in rows:
            fired, silent = tuple(expect), tuple(expect_not)
            if not fires:
                fired, silent = (), (*silent, *(Expected(one.rule, one.place) for one in expect))
            cases.append(Case(f"{name} ({shown})", self.place(row), changed, fired, silent, only, names, skip))
        return cases

    def _expected(self, node: Yaml, output: str | None) -> list[Expected]:
        if node.kind == SCALAR:
            return [Expected(str(node.value), self.place(node), output)]
        keys = self.keys(node, _EXPECTED, "what is expected")
        if keys is None:
            return []
        rule = self.text(keys.get("rule"), "a rule's name")
        if rule is None:
            if "rule" not in keys:
                self.wrong(node, "a rule is named", "rule: its name")
            return []
        own = self.text(keys.get("output"), "output")
        return [Expected(rule, self.place(node), own or output, self.text(keys.get("priority"), "priority"))]

    # what is given

    def _given(self, node: Yaml) -> Any:
        event: Any = None
        for part in self.entries(node, "given"):
            if is_audit(event) and is_field_map(part):
                raise GivenError(
                    part, "an audit event's fields are computed from it", "change the event, as in {verb: delete}"
                )
            value = self._part(part, self._source_of(event))
            event = value if event is None else self._added(part, event, value)
        if event is None:
            raise GivenError(node, "nothing is given", "given: a fixture's name, fields and values, or a list of these")
        return event

    def _source_of(self, event: Any) -> str:
        """The source that an event names, or that of the file; of audit events their own."""
        if isinstance(event, dict) and is_audit(event):
            return K8S_AUDIT
        named = event.get("source") if isinstance(event, dict) else None
        return named if isinstance(named, str) and named in self.tables else self.source

    def _part(self, node: Yaml, source: str) -> Any:
        """A fixture, fields, or an event; fields are in a mapping `fields`."""
        if node.kind == SCALAR:
            fixture = self.fixtures.get(str(node.value))
            if fixture is None:
                close = nearest(str(node.value), self.fixtures)
                hint = f"did you mean '{close}'?" if close else "write it below fixtures:"
                raise GivenError(node, f"there is no fixture '{node.value}'", hint)
            self.used.add(str(node.value))
            return self._given(fixture) if fixture.kind == SEQUENCE else self._part(fixture, source)
        if node.kind == MAP and is_field_map(node):
            return {"fields": fields_of(node, self.tables[source])}
        if node.kind != MAP:
            raise GivenError(node, "expected a fixture's name, or a mapping")
        event = plain(node)
        fields = node.get("fields")
        if fields is not None and fields.kind == MAP:
            source = event.get("source", source)
            if not isinstance(source, str) or source not in self.tables:
                raise GivenError(node, f"there is no source '{source}'", f"there are {', '.join(self.tables)}")
            event["fields"] = fields_of(fields, self.tables[source])
        return event

    def _added(self, node: Yaml, event: Any, value: Any) -> Any:
        if isinstance(event, dict) and set(value) == {"fields"}:
            if "output_fields" in event:
                return merged(event, {"output_fields": value["fields"]})
            if is_audit(event):
                raise GivenError(
                    node, "an audit event's fields are computed from it", "change the event, as in {verb: delete}"
                )
        return merged(event, value)

    def _is_event(self, node: Yaml, event: Any) -> None:
        if not (is_audit(event) or (isinstance(event, dict) and ("fields" in event or "output_fields" in event))):
            raise GivenError(
                node,
                "this is no event",
                "give fields and their values, an audit event (kind: Event), or an alert (output_fields)",
            )

    def _table(self, node: Yaml, event: Any) -> list[tuple[Yaml, str, Any, bool]]:
        """Each row, how it is called, its event, and whether the case's rules fire."""
        rows = node.value if node.kind == SEQUENCE else []
        if len(rows) < 2 or any(row.kind != SEQUENCE for row in rows):
            raise GivenError(
                node, "a table is a list of rows, the first of which names fields", "[[proc.name, fires], [sh, true]]"
            )
        head = rows[0].value
        source = self._source_of(event)
        found = []
        for row in rows[1:]:
            if len(row.value) != len(head):
                raise GivenError(row, f"the row has {len(row.value)} values, the first row names {len(head)}")
            changed, fires, shown = event, True, []
            for column, value in zip(head, row.value):
                if column.kind == SCALAR and column.value == FIRES:
                    if value.kind != SCALAR or value.value not in ("true", "false"):
                        raise GivenError(value, f"{FIRES} is true or false")
                    fires = value.value == "true"
                    continue
                if column.kind != SCALAR:
                    raise GivenError(column, "the first row names fields")
                if source == K8S_AUDIT and column.value.startswith("/"):
                    changed = merged(changed, _nested(column.value[1:].split("/"), plain(value)))
                else:
                    fields = {str(column.value): field_value(column, value, self.tables[source])}
                    changed = self._added(column, changed, {"fields": fields})
                shown.append("null" if value.kind == NULL else str(plain(value)))
            self._is_event(row, changed)
            found.append((row, ", ".join(shown), changed, fires))
        return found

    def _mutant(self, node: Yaml) -> list[Accepted]:
        keys = self.keys(node, _ACCEPTED, "an accepted mutant")
        if keys is None:
            return []
        values = [self.text(keys.get(key), key) for key in _ACCEPTED]
        for key in _ACCEPTED:
            if key not in keys:
                self.wrong(node, f"an accepted mutant has '{key}'", "item: a rule or macro, change: ..., reason: why")
        item, change, reason = values
        return [Accepted(item, change, reason, self.place(node))] if item and change and reason else []


def _nested(path: Sequence[str], value: Any) -> Any:
    """`/objectRef/namespace` as the mapping that it is in."""
    for key in reversed(path):
        value = {key: value}
    return value
