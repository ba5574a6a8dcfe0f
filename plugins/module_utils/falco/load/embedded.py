# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules within another file, found with its own lines: Helm values, manifests, Ansible variables, Markdown.

Nothing is asked of a file's name or kind: a text that begins entries as rules do, or a list of such entries, is rules,
at whatever key it stands. Only a Secret's encoded texts and Markdown's blocks need to be known as such. A rules file
itself is a list of entries, and is never looked into.
"""

from __future__ import annotations

import base64
import binascii
import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ...common.finding import Finding
from ..yaml.documents import read_documents
from ..yaml.emit import emit_items
from ..yaml.nodes import MAP, SCALAR, SEQUENCE, Yaml, YamlError
from .ruleset import RulesFile

_ENTRY = re.compile(r"^ *- +[\"']?(?:rule|macro|list|required_engine_version|required_plugin_versions)[\"']? *:", re.M)
_RULES_FILE = re.compile(r"(?:[ \t\r]*(?:#[^\n]*)?\n|---[ \t\r]*\n)*" + _ENTRY.pattern.replace("^ *", ""))
"""The beginning of most rules files, which saves reading them twice."""
_LITERAL = re.compile(r"(?:![^ ]* +)?\|[-+0-9]*[ \t\r]*(?:#.*)?")
_FENCE = re.compile(r"^( *)(`{3,}|~{3,})[^\n]*$")
_NEWLINE = re.compile(r"\r\n?|\n")
_NO_NAME = re.compile(r"[^A-Za-z0-9._-]+")
_MARKDOWN = (".md", ".markdown")
_KINDS = ("rule", "macro", "list", "required_engine_version", "required_plugin_versions")
_WITH = ("condition", "output", "items", "override", "enabled", "append")


@dataclass(frozen=True)
class Embedded:
    """Rules found within a file.

    Attributes:
        file: the rules, after as many empty lines as make their lines those of the file around them.
        host: name of the file around them.
        indent: characters that stand before each line there.
        line, column: where the text begins (1-based), for one that is not written line by line: in quotes, folded,
            encoded. Its findings all have this place.
    """

    file: RulesFile
    host: str
    indent: int = 0
    line: int | None = None
    column: int | None = None

    @property
    def named(self) -> RulesFile:
        """The rules under a name that a directory of rules files, and a ConfigMap, can have for them."""
        key = self.file.name[len(self.host) + 1 :]
        name = _NO_NAME.sub("-", f"{posixpath.splitext(posixpath.basename(self.host))[0]}-{key}")
        ending = "" if name.endswith((".yaml", ".yml")) else ".yaml"
        return RulesFile(posixpath.join(posixpath.dirname(self.host), name + ending), self.file.text)

    def placed(self, finding: Finding) -> Finding:
        """A finding on `file` as one on the file around it."""
        if self.line is not None:
            within = f" (line {finding.line} of the text that begins here)" if finding.line else ""
            return replace(
                finding, file=self.host, line=self.line, column=self.column, message=finding.message + within, fix=None
            )
        column = None if finding.column is None else finding.column + self.indent
        fix = finding.fix
        if fix is not None:
            fix = replace(fix, column=fix.column + self.indent, end_column=fix.end_column + self.indent)
        return replace(finding, file=self.host, column=column, fix=fix)


def rules_within(name: str, text: str) -> list[Embedded]:
    """Find the rules within a file.

    Args:
        name: the file's name; one that ends as Markdown's do is read as such.
        text: what it holds.

    Returns:
        The rules in the order in which Falco would load them (of one map by their keys); nothing if there are none, or
        if the file is a rules file itself or no YAML.
    """
    return _apart(_found(name, text))


def _found(name: str, text: str) -> list[Embedded]:
    if name.lower().endswith(_MARKDOWN):
        return _of_markdown(name, text)
    if _RULES_FILE.match(text):
        return []
    try:
        documents = read_documents(text)
    except YamlError:
        return []
    if any(document.kind == SEQUENCE and any(map(_kind_of, document.value)) for document in documents):
        return []
    lines = _NEWLINE.split(text)
    return [found for document in documents for found in _within(name, document, "", lines)]


def _apart(found: list[Embedded]) -> list[Embedded]:
    """Each under a name of its own, where several documents have one key."""
    apart: list[Embedded] = []
    often: dict[str, int] = {}
    for one in found:
        number = often[one.file.name] = often.get(one.file.name, 0) + 1
        name = one.file.name if number == 1 else f"{one.file.name}({number})"
        apart.append(replace(one, file=RulesFile(name, one.file.text)))
    return apart


def unpacked(files: Sequence[RulesFile], named: bool = False) -> tuple[tuple[RulesFile, ...], dict[str, Embedded]]:
    """Put the rules within files in the place of the files.

    Args:
        files: the files as people have them.
        named: whether what is found becomes files of its own, with names that a directory can have.

    Returns:
        The files to load, and by the name of each that was found within another one what was found.
    """
    all_of_them: list[RulesFile] = []
    inner: dict[str, Embedded] = {}
    for file in files:
        found = rules_within(file.name, file.text)
        if named:
            found = [replace(one, file=one.named) for one in found]
        all_of_them += [one.file for one in found] or [file]
        inner.update((one.file.name, one) for one in found)
    return tuple(all_of_them), inner


def placed(finding: Finding, inner: Mapping[str, Embedded]) -> Finding:
    """A finding where the person has it who wrote the file around the rules."""
    found = inner.get(finding.file)
    return finding if found is None else found.placed(finding)


def _of_markdown(name: str, text: str) -> list[Embedded]:
    found: list[Embedded] = []
    block: list[str] | None = None
    fence, indent, start = "", 0, 0
    for number, line in enumerate(_NEWLINE.split(text)):
        match = _FENCE.match(line)
        if block is None:
            if match:
                block, fence, indent, start = [], match.group(2), len(match.group(1)), number + 1
        elif match and match.group(2).startswith(fence) and line.strip() == match.group(2):
            body = "\n".join(block)
            if _ENTRY.search(body):
                file = RulesFile(f"{name}#{start}", "\n" * start + body + "\n")
                found.append(Embedded(file, name, indent))
            block = None
        else:
            block.append(line[indent:])
    return found


def _within(name: str, node: Yaml, key: str, lines: list[str]) -> Iterator[Embedded]:
    if node.kind == SCALAR:
        if _ENTRY.search(node.value):
            yield _text(name, node, key, lines)
    elif node.kind == SEQUENCE:
        if any(_is_entry(item) for item in node.value):
            yield _list(name, node, key, lines)
            return
        for number, item in enumerate(node.value):
            yield from _within(name, item, f"{key}[{number}]", lines)
    elif node.kind == MAP:
        pairs = [(str(label.value), value) for label, value in node.value if label.kind == SCALAR]
        for label, value in sorted(pairs, key=lambda pair: pair[0]):
            path = f"{key}.{label}" if key else label
            if (_said(node, "kind"), label) in (("Secret", "data"), ("ConfigMap", "binaryData")):
                yield from _encoded(name, value, path)
            else:
                yield from _within(name, value, path, lines)


def _said(node: Yaml, key: str) -> str:
    value = node.get(key)
    return str(value.value) if value is not None and value.kind == SCALAR else ""


def _kind_of(node: Yaml) -> bool:
    return node.kind == MAP and any(node.get(kind) is not None for kind in _KINDS)


def _is_entry(node: Yaml) -> bool:
    return _kind_of(node) and any(node.get(key) is not None for key in _WITH)


def _text(name: str, node: Yaml, key: str, lines: list[str]) -> Embedded:
    """A text: line by line if it is a literal block."""
    file = f"{name}#{key}"
    if not _LITERAL.fullmatch(lines[node.mark.line][node.mark.column :]):
        return Embedded(RulesFile(file, str(node.value)), name, 0, node.mark.line + 1, node.mark.column + 1)
    first = node.mark.line + 1
    while first < len(lines) and not lines[first].strip():
        first += 1
    indent = _indent(lines[first]) if first < len(lines) else 0
    last = first
    while last < len(lines) and (not lines[last].strip() or _indent(lines[last]) >= indent):
        last += 1
    return Embedded(_slice(file, lines, first, last, indent), name, indent)


def _list(name: str, node: Yaml, key: str, lines: list[str]) -> Embedded:
    """A list of entries: line by line if it is written with hyphens."""
    file = f"{name}#{key}"
    first, indent = node.mark.line, node.mark.column
    if not lines[first][indent:].startswith("- ") or lines[first][:indent].strip():
        return Embedded(RulesFile(file, emit_items(node.value)), name, 0, first + 1, indent + 1)
    last = first + 1
    while last < len(lines):
        line = lines[last]
        if line.strip() and not line.lstrip().startswith("#"):
            here = _indent(line)
            if here < indent or (here == indent and not line[indent:].startswith("-")):
                break
        last += 1
    return Embedded(_slice(file, lines, first, last, indent), name, indent)


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
            yield Embedded(file, name, 0, value.mark.line + 1, value.mark.column + 1)
