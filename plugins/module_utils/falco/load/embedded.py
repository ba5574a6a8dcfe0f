# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules within another file, found with its own lines: Helm values, manifests, Ansible variables, Markdown.

Nothing is asked of a file's name or kind: a text that begins entries as rules do, or a list of such entries, is rules,
at whatever key it stands, also in a text that is YAML around rules itself. Only a Secret's encoded texts and Markdown's
blocks need to be known as such. A rules file itself is a list of entries, and is never looked into.
"""

from __future__ import annotations

import base64
import binascii
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from ...common.finding import Finding, Fix
from ...common.mend import MARK
from ..yaml.documents import read_documents
from ..yaml.emit import emit_items
from ..yaml.nodes import MAP, SCALAR, SEQUENCE, Yaml, YamlError
from ..yaml.places import places_in
from .markdown import blocks, is_markdown
from .ruleset import RulesFile
from .templates import PLACEHOLDER, is_template, untemplated

_ENTRY = re.compile(r"^ *- +[\"']?(?:rule|macro|list|required_engine_version|required_plugin_versions)[\"']? *:", re.M)
_RULES_FILE = re.compile(r"(?:[ \t\r]*(?:#[^\n]*)?\n|---[ \t\r]*\n)*" + _ENTRY.pattern.replace("^ *", ""))
"""The beginning of most rules files, which saves reading them twice."""
_LITERAL = re.compile(r"(?:[!&][^ ]* +)*\|[-+0-9]*[ \t\r]*(?:#.*)?")
_NEWLINE = re.compile(r"\r\n?|\n")
_NO_NAME = re.compile(r"[^A-Za-z0-9._-]+")
_FLOW = re.compile(r"[\[\]{}]|(?<![^\s\[{,:])(?:\"(?:[^\"\\]|\\.)*\"|'(?:[^']|'')*')|(?<!\S)#[^\n]*", re.S)
"""What decides where a list in brackets ends: brackets, texts in quotes, comments."""
_OF_READER = re.compile(r"(?<=^yaml-cpp: error )at line \d+, column \d+")
_ESCAPED = re.compile(r"[\"'\\\n]")
_KINDS = ("rule", "macro", "list", "required_engine_version", "required_plugin_versions")
_WITH = ("condition", "output", "items", "override", "enabled", "append")


@dataclass(frozen=True)
class Embedded:
    """Rules found within a file.

    Attributes:
        file: the rules; unless `spots` or `line` say more, after as many empty lines as make their lines those of the
            file around them.
        host: name of the file around them, or of the text that they were found in.
        indent: characters that stand before each line there.
        spots: line and column (0-based) of each character there, and one more, for a text in quotes or folded.
        line, column: where the text begins (1-based), for one that is encoded. Its findings all have this place.
        outer: the text that they were found in, where that is within another file itself: values in a manifest.
        template: the file around as it was written, where words stand in the place of its expressions.
    """

    file: RulesFile
    host: str
    indent: int = 0
    spots: tuple[tuple[int, int], ...] | None = None
    line: int | None = None
    column: int | None = None
    outer: Embedded | None = None
    template: str = ""

    @property
    def named(self) -> RulesFile:
        """The rules under a name that a directory of rules files, and a ConfigMap, can have for them."""
        host = self.outer.host if self.outer else self.host
        key = self.file.name[len(host) + 1 :]
        name = _NO_NAME.sub("-", f"{posixpath.splitext(posixpath.basename(host))[0]}-{key}")
        ending = "" if name.endswith((".yaml", ".yml")) else ".yaml"
        return RulesFile(posixpath.join(posixpath.dirname(host), name + ending), self.file.text)

    def placed(self, finding: Finding) -> Finding:
        """A finding on `file` as one on the file around it."""
        found = self._placed(replace(finding, file=self.host))
        found = self.outer.placed(found) if self.outer else found
        return self._as_written(found) if self.template else found

    def _as_written(self, finding: Finding) -> Finding:
        """A finding on a template, with the line that its author wrote."""
        text, _newline, caret = finding.excerpt.partition("\n")
        lines = self.template.split("\n")
        if finding.line is None or finding.column is None or finding.line > len(lines):
            return finding
        start = finding.column - len(caret)
        return replace(finding, excerpt=f"{lines[finding.line - 1][start : start + len(text)]}\n{caret}")

    def knows(self, finding: Finding) -> bool:
        """Whether a finding is on what its author wrote, and not on a word in the place of an expression."""
        if not self.template:
            return True
        line = self.file.text.split("\n")[(finding.line or 1) - 1]
        return not line.startswith(PLACEHOLDER, (finding.column or 1) - 1) and PLACEHOLDER not in finding.message

    def _placed(self, finding: Finding) -> Finding:
        fix = finding.fix
        if self.line is not None:
            within = f" (line {finding.line} of the text that begins here)" if finding.line else ""
            return replace(finding, line=self.line, column=self.column, message=finding.message + within, fix=None)
        if self.spots is not None:
            if finding.line is None or finding.column is None:
                return replace(finding, fix=None)
            line, column = self._spot(finding.line, finding.column)
            message = _OF_READER.sub(f"at line {line}, column {column}", finding.message)
            return replace(finding, line=line, column=column, message=message, fix=self._fix(fix) if fix else None)
        moved = None if finding.column is None else finding.column + self.indent
        if fix is not None:
            fix = replace(fix, column=fix.column + self.indent, end_column=fix.end_column + self.indent)
        return replace(finding, column=moved, fix=fix)

    def _spot(self, line: int, column: int) -> tuple[int, int]:
        """Where a place of the text stands, both 1-based."""
        spots = self.spots or ()
        start = 0
        for _line in range(line - 1):
            start = self.file.text.find("\n", start) + 1
        found = spots[min(start + column - 1, len(spots) - 1)]
        return found[0] + 1, found[1] + 1

    def _fix(self, fix: Fix) -> Fix | None:
        """The mend as one of the file around; None where what it replaces or writes is written in another way there."""
        line, column = self._spot(fix.line, fix.column)
        last, end = self._spot(fix.line, fix.end_column)
        if line != last or end - column != fix.end_column - fix.column or _ESCAPED.search(fix.text):
            return None
        return Fix(line, column, end, fix.text)


def rules_within(name: str, text: str, templates: bool = False) -> list[Embedded]:
    """Find the rules within a file.

    Args:
        name: the file's name; one that ends as Markdown's do is read as such.
        text: what it holds.
        templates: whether to read a file that is no YAML as a template, with words in the place of its expressions.

    Returns:
        The rules in the order in which Falco would load them (of one map by their keys); nothing if there are none, or
        if the file is a rules file itself or no YAML.
    """
    found = _found(name, text)
    if not found and templates and is_template(text) and not _is_yaml(text):
        plain = untemplated(text)
        found = _found(name, plain)
        if not found and _ENTRY.search(plain):
            found = [Embedded(RulesFile(f"{name}#template", plain), name)]
        found = [replace(one, template=text) for one in found]
    return _apart(found)


def _is_yaml(text: str) -> bool:
    try:
        read_documents(text)
    except YamlError:
        return False
    return True


def _found(name: str, text: str) -> list[Embedded]:
    if is_markdown(name):
        within = ((start, indent, body) for start, indent, body in blocks(text) if _ENTRY.search(body))
        found = [
            Embedded(RulesFile(f"{name}#{start}", "\n" * start + body + "\n"), name, indent)
            for start, indent, body in within
        ]
        return [deeper for one in found for deeper in _deeper(one)]
    if _RULES_FILE.match(text):
        return []
    try:
        documents = read_documents(text)
    except YamlError:
        return []
    if any(document.kind == SEQUENCE and any(map(_kind_of, document.value)) for document in documents):
        return []
    finder = _Finder(name, _NEWLINE.split(text.removeprefix(MARK)))
    found = [one for document in documents for one in finder.within(document, "")]
    return [deeper for one in found for deeper in _deeper(one)]


def _deeper(found: Embedded) -> list[Embedded]:
    """What is found within a text that holds values or manifests, not rules; otherwise the text itself."""
    inner = _found(found.file.name, found.file.text)
    return [_within(one, found) for one in inner] or [found]


def _within(found: Embedded, outer: Embedded) -> Embedded:
    return replace(found, outer=outer if found.outer is None else _within(found.outer, outer))


def _apart(found: list[Embedded]) -> list[Embedded]:
    """Each under a name of its own, where several documents have one key."""
    apart: list[Embedded] = []
    often: dict[str, int] = {}
    for one in found:
        number = often[one.file.name] = often.get(one.file.name, 0) + 1
        name = one.file.name if number == 1 else f"{one.file.name}({number})"
        apart.append(replace(one, file=RulesFile(name, one.file.text)))
    return apart


def unpacked(
    files: Sequence[RulesFile], named: bool = False, templates: bool = False
) -> tuple[tuple[RulesFile, ...], dict[str, Embedded]]:
    """Put the rules within files in the place of the files.

    Args:
        files: the files as people have them.
        named: whether what is found becomes files of its own, with names that a directory can have.
        templates: whether to read files that are no YAML as templates: what comes of it can be judged, not run.

    Returns:
        The files to load, and by the name of each that was found within another one what was found.
    """
    all_of_them: list[RulesFile] = []
    inner: dict[str, Embedded] = {}
    for file in files:
        found = rules_within(file.name, file.text, templates)
        if named:
            found = [replace(one, file=one.named) for one in found]
        all_of_them += [one.file for one in found] or [file]
        inner.update((one.file.name, one) for one in found)
    return tuple(all_of_them), inner


def all_placed(findings: Iterable[Finding], inner: Mapping[str, Embedded]) -> list[Finding]:
    """Findings where the person has them who wrote the file around the rules, but for those on a template's words."""
    return [placed(one, inner) for one in findings if one.file not in inner or inner[one.file].knows(one)]


def placed(finding: Finding, inner: Mapping[str, Embedded]) -> Finding:
    """A finding where the person has it who wrote the file around the rules."""
    found = inner.get(finding.file)
    return finding if found is None else found.placed(finding)


class _Finder:
    """Finds rules in the nodes of one YAML file. An alias stands for the very same text, which is found once."""

    def __init__(self, name: str, lines: list[str]) -> None:
        self.name = name
        self.lines = lines
        self.seen: set[tuple[int, int]] = set()
        self.around: set[int] = set()

    def within(self, node: Yaml, key: str) -> Iterator[Embedded]:
        """What is found within a node; in one that contains itself by an alias nothing is looked for twice."""
        if id(node) not in self.around:
            self.around.add(id(node))
            yield from self._below(node, key)
            self.around.discard(id(node))

    def _below(self, node: Yaml, key: str) -> Iterator[Embedded]:
        if node.kind == SCALAR:
            if _ENTRY.search(node.value) and self._is_new(node):
                yield self._text(node, key)
        elif node.kind == SEQUENCE:
            if any(_is_entry(item) for item in node.value):
                if self._is_new(node):
                    with suppress(YamlError):  # a list that contains itself is no list of rules
                        yield self._list(node, key)
                return
            for number, item in enumerate(node.value):
                yield from self.within(item, f"{key}[{number}]")
        elif node.kind == MAP:
            pairs = [(str(label.value), value) for label, value in node.value if label.kind == SCALAR]
            for label, value in sorted(pairs, key=lambda pair: pair[0]):
                path = f"{key}.{label}" if key else label
                if (_said(node, "kind"), label) in (("Secret", "data"), ("ConfigMap", "binaryData")):
                    yield from _encoded(self.name, value, path)
                else:
                    yield from self.within(value, path)

    def _is_new(self, node: Yaml) -> bool:
        spot = (node.mark.line, node.mark.column)
        known = spot in self.seen
        self.seen.add(spot)
        return not known

    def _text(self, node: Yaml, key: str) -> Embedded:
        """A text: line by line if it is a literal block, otherwise letter by letter."""
        lines = self.lines
        file = f"{self.name}#{key}"
        if not _LITERAL.fullmatch(lines[node.mark.line][node.mark.column :]):
            text = RulesFile(file, str(node.value))
            spots = places_in(lines, node)
            if spots is None:
                return Embedded(text, self.name, line=node.mark.line + 1, column=node.mark.column + 1)
            return Embedded(text, self.name, spots=tuple(spots))
        first = node.mark.line + 1
        while first < len(lines) and not lines[first].strip():
            first += 1
        indent = _indent(lines[first]) if first < len(lines) else 0
        last = first
        while last < len(lines) and (not lines[last].strip() or _indent(lines[last]) >= indent):
            last += 1
        return Embedded(_slice(file, lines, first, last, indent), self.name, indent)

    def _list(self, node: Yaml, key: str) -> Embedded:
        """A list of entries, line by line, with hyphens or in brackets."""
        lines = self.lines
        file = f"{self.name}#{key}"
        first, indent = node.mark.line, node.mark.column
        if not lines[first][indent:].startswith("- ") or lines[first][:indent].strip():
            alone = _flow(lines, first, indent, len(node.value))
            if alone is not None:
                return Embedded(RulesFile(file, alone), self.name)
            return Embedded(RulesFile(file, emit_items(node.value)), self.name, line=first + 1, column=indent + 1)
        last = first + 1
        while last < len(lines):
            line = lines[last]
            if line.strip() and not line.lstrip().startswith("#"):
                here = _indent(line)
                if here < indent or (here == indent and not line[indent:].startswith("-")):
                    break
            last += 1
        return Embedded(_slice(file, lines, first, last, indent), self.name, indent)


def _said(node: Yaml, key: str) -> str:
    value = node.get(key)
    return "" if value is None else str(value.value)


def _kind_of(node: Yaml) -> bool:
    return any(node.get(kind) is not None for kind in _KINDS)


def _is_entry(node: Yaml) -> bool:
    return _kind_of(node) and any(node.get(key) is not None for key in _WITH)


def _flow(lines: list[str], first: int, column: int, size: int) -> str | None:
    """A list in brackets by itself, where it stood; None where its end cannot be told."""
    text = "\n".join(lines[first:])
    depth = 0
    for match in _FLOW.finditer(text, column):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(match.group(), 0)
        if depth <= 0:
            alone = "\n" * first + " " * column + text[column : match.end()] + "\n"
            try:
                (document,) = read_documents(alone)
            except (YamlError, ValueError):
                return None
            return alone if len(document.value) == size else None
    return None


def _slice(file: str, lines: list[str], first: int, last: int, indent: int) -> RulesFile:
    body = [line[indent:] if not line[:indent].strip() else line.lstrip() for line in lines[first:last]]
    return RulesFile(file, "\n" * first + "\n".join(body).rstrip("\n") + "\n")


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _encoded(name: str, node: Yaml, key: str) -> Iterator[Embedded]:
    """A Secret's texts, which are encoded as Base64."""
    if node.kind != MAP:
        return
    for label, value in node.value:
        if label.kind != SCALAR or value.kind != SCALAR:
            continue
        try:
            text = base64.b64decode("".join(str(value.value).split()), validate=True).decode("utf-8")
        except (binascii.Error, UnicodeError, ValueError):
            continue
        if _ENTRY.search(text):
            file = RulesFile(f"{name}#{key}.{label.value}", text)
            yield Embedded(file, name, line=value.mark.line + 1, column=value.mark.column + 1)
