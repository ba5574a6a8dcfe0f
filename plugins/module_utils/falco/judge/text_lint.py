# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lint of what stands in the author's files: values that never match, outputs, keys and entries that Falco ignores."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...common.words import counted
from ..condition.nodes import Node
from ..load.items import Change
from ..load.output import output_words
from ..load.trace import trace_output
from ..yaml.nodes import MAP, SCALAR, SEQUENCE, Yaml
from .advice import Advice
from .entry_hints import key_meant
from .positions import Place
from .told import Told
from .values import EMPTY_KINDS, Names, empty_field, flaws

_DOCUMENT = re.compile(r"^---(?:\s|$)", re.M)
_ENTRY = re.compile(r"^ *- +[\"']?(?:rule|macro|list)[\"']? *:", re.M)
_EMPTY_IN_OUTPUT = re.compile(rf"%[0-9]*((?:{'|'.join(map(re.escape, EMPTY_KINDS))})[a-z.]*)")
_APART = {
    "rule": "remove one, or give it its own name",
    "macro": "remove one, or add 'override: {condition: append}' to this one",
    "list": "remove one, or add 'override: {items: append}' to this one",
}
"""What becomes of an entry that stands twice."""
_EXCEPTION_KEYS = ("name", "fields", "comps", "values")


def lint_text(linter: Told) -> None:
    """FN012 to FN018."""
    conditions(linter)
    outputs(linter)
    entries(linter)
    documents(linter)


def conditions(linter: Told) -> None:
    """FN012, FN013, FN014: each condition by itself, so that what a macro has is told once."""
    compiler = linter.loaded.compiler
    names = Names(
        frozenset(linter.loaded.collector.lists), {name: macro.condition for name, macro in compiler.macros.items()}
    )
    for owner, text, tree in _conditions(linter):
        for flaw in flaws(tree, text, names):
            for place in linter.places.at(owner, flaw.offset):
                if flaw.bare and _is_quoted(linter, place):
                    continue
                linter.add_at(flaw.code, place, f"{owner[0]} '{owner[1]}'", flaw.message, flaw.advice)


def _is_quoted(linter: Told, place: Place) -> bool:
    """Whether what stands at a place is in quotes; then its author knows that it has a blank."""
    line = linter.texts.lines(place.file)[(place.line or 1) - 1]
    return any(char in "'\"" for char in line[max((place.column or 1) - 2, 0) : place.column or 1])


def _conditions(linter: Told) -> Iterator[tuple[tuple[str, str], str, Node]]:
    compiler = linter.loaded.compiler
    for name, macro in compiler.macros.items():
        if macro.parsed.node is not None:
            yield ("macro", name), macro.condition, macro.parsed.node
    for name, compiled in compiler.rules.items():
        yield ("rule", name), compiled.condition, compiled.node


def outputs(linter: Told) -> None:
    """FN014, FN015."""
    compiler = linter.loaded.compiler
    for name, compiled in compiler.rules.items():
        rule = compiled.rule
        for match in _EMPTY_IN_OUTPUT.finditer(rule.output):
            traced = trace_output(rule)
            shift = len(traced.text) - len(traced.text.lstrip())
            field = empty_field(match.group(1), match.start())
            for place in linter.places.of_origin(traced.at(match.start() + shift)):
                linter.add_at("FN014", place, f"rule '{name}'", field.message, field.advice)
        for word in output_words(compiler.tables[rule.source], rule.output):
            traced = trace_output(rule)
            shift = len(traced.text) - len(traced.text.lstrip())
            for place in linter.places.of_origin(traced.at(word.offset + shift)):
                rest = word.text[len(word.field) :]
                hint = f"put a blank behind '%{word.field}', or name another field"
                if rest.startswith("[") and not rest.endswith("]"):
                    hint = f"close the '[', or put a blank behind '%{word.field}'"
                message = f"'{word.text}' is the field '{word.field}', followed by '{rest}'"
                linter.add_at("FN015", place, f"rule '{name}'", message, Advice(hint))


def entries(linter: Told) -> None:
    """FN017, FN018."""
    first: dict[tuple[str, str, str], Change] = {}
    for change in linter.loaded.collector.changes:
        item = f"{change.kind} '{change.name}'"
        node = change.node
        if node is None or node.kind != MAP:
            continue
        spot = (change.file, change.kind, change.name)
        if change.action == "redefine" and spot in first:
            before = first[spot].node.mark.line + 1
            message = f"{item} is defined at line {before} already; only this one counts"
            place = Place(change.file, node.mark.line + 1, node.mark.column + 1)
            linter.add_at("FN017", place, item, message, Advice(_APART[change.kind]))
        if change.action in ("define", "redefine"):
            first[spot] = change
        if change.kind != "rule":
            continue
        for key, value in node.value:
            if change.action == "enable" and key.kind == SCALAR and key.value not in ("rule", "enabled", "source"):
                hint = f"add 'override: {{enabled: replace, {key.value}: append}}', or remove it"
                _ignored(linter, change, key, f"an entry that only switches a rule ignores '{key.value}'", Advice(hint))
            if key.kind == SCALAR and key.value == "exceptions" and value.kind == SEQUENCE:
                _exceptions(linter, change, value)


def _exceptions(linter: Told, change: Change, node: Yaml) -> None:
    for entry in node.value:
        for key, _value in entry.value if entry.kind == MAP else ():
            if key.kind == SCALAR and key.value not in _EXCEPTION_KEYS:
                message = f"an exception has no key '{key.value}', and Falco ignores it"
                there = [one.value for one, _value in entry.value if one.kind == SCALAR]
                free = [name for name in _EXCEPTION_KEYS if name not in there]
                _ignored(linter, change, key, message, key_meant(key.value, "exception", free))


def _ignored(linter: Told, change: Change, key: Yaml, message: str, advice: Advice) -> None:
    place = Place(change.file, key.mark.line + 1, key.mark.column + 1)
    linter.add_at("FN018", place, f"{change.kind} '{change.name}'", message, advice)


def documents(linter: Told) -> None:
    """FN016: Falco stops reading at an empty document."""
    for file in linter.loaded.files:
        starts = [match.start() for match in _DOCUMENT.finditer(file.text)]
        for start, end in zip(starts, starts[1:]):
            body = file.text[start + 3 : end].split("\n")
            if any(line.strip() and not line.lstrip().startswith("#") for line in body):
                continue
            lost = [match.start() for match in _ENTRY.finditer(file.text, end)]
            if lost:
                line = file.text.count("\n", 0, lost[0]) + 1
                what = counted(len(lost), "entry is", "entries are")
                message = f"{what} not read from here on: Falco stops at the empty document before"
                place = Place(file.name, line, lost[0] - file.text.rfind("\n", 0, lost[0]))
                hint = f"remove the '---' of line {file.text.count(chr(10), 0, start) + 1}"
                linter.add_at("FN016", place, "", message, Advice(hint))
            break
