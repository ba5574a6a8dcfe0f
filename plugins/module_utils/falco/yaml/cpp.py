# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A YAML reader that accepts and refuses what yaml-cpp accepts and refuses.

Falco reads its rules with yaml-cpp (0.8, October 2024), which is more lenient than libyaml in some places
(duplicate keys, any bytes, tabs after indicators) and stricter in others. This is its scanner and parser in
Python, for the texts on which the two may differ; `documents` takes the fast way for all others.
Sources: `src/scanner.cpp`, `src/scantoken.cpp`, `src/scanscalar.cpp` and `src/singledocparser.cpp` of
https://github.com/jbeder/yaml-cpp.
"""

from __future__ import annotations

import re

from .nodes import MAP, MAX_DEPTH, MAX_NODES, NULL, NULL_TEXTS, SCALAR, SEQUENCE, Mark, Yaml
from .scanner import Scanner
from .tokens import (
    T_ALIAS,
    T_ANCHOR,
    T_DIRECTIVE,
    T_DOC_END,
    T_DOC_START,
    T_ENTRY,
    T_FLOW_ENTRY,
    T_FLOW_MAP_END,
    T_FLOW_MAP_START,
    T_FLOW_SEQ_END,
    T_FLOW_SEQ_START,
    T_KEY,
    T_MAP_END,
    T_MAP_START,
    T_PLAIN,
    T_QUOTED,
    T_SEQ_END,
    T_SEQ_START,
    T_TAG,
    T_VALUE,
)

_DIRECTIVE_YAML = re.compile(r"([+-]?[0-9]+).([+-]?[0-9]+)")


class _Parser:
    """yaml-cpp's parser of one document at a time, building nodes without recursion limits of Python's own."""

    def __init__(self, scanner: Scanner) -> None:
        self.scanner = scanner
        self.anchors: dict[str, Yaml] = {}
        self.flow_seq: list[bool] = []
        self.depth = 0
        self.nodes = 0

    def document(self) -> Yaml:
        scanner = self.scanner
        if scanner.front().kind == T_DOC_START:
            scanner.pop()
        node = self.node()
        while not scanner.empty() and scanner.front().kind == T_DOC_END:
            scanner.pop()
        return node

    def node(self) -> Yaml:
        scanner = self.scanner
        self.depth += 1
        if self.depth >= MAX_DEPTH:
            raise scanner.error("bad file")
        try:
            return self._node()
        finally:
            self.depth -= 1

    def _count(self, amount: int = 1) -> None:
        self.nodes += amount
        if self.nodes > MAX_NODES:
            raise self.scanner.error(f"the file has more than {MAX_NODES} nodes")

    def _properties(self) -> tuple[str, str]:
        """The tag and the anchor before a node, in any order."""
        scanner = self.scanner
        tag = ""
        anchor = ""
        while not scanner.empty():
            token = scanner.front()
            if token.kind == T_TAG:
                if tag:
                    raise scanner.error("cannot assign multiple tags to the same node", token.mark)
                tag = token.value
            elif token.kind == T_ANCHOR:
                if anchor:
                    raise scanner.error("cannot assign multiple anchors to the same node", token.mark)
                anchor = token.value
            else:
                break
            scanner.pop()
        return tag, anchor

    def _node(self) -> Yaml:
        scanner = self.scanner
        self._count()
        if scanner.empty():
            return Yaml(NULL, None, scanner.mark())
        token = scanner.front()
        mark = token.mark
        if token.kind == T_VALUE:
            return self._map(Yaml(MAP, [], mark))
        if token.kind == T_ALIAS:
            target = self.anchors.get(token.value)
            if target is None:
                raise scanner.error(f"the referenced anchor is not defined: {token.value}", mark)
            scanner.pop()
            self._count(_size(target))
            return target
        tag, anchor = self._properties()
        node = Yaml(NULL, None, mark)
        if anchor:
            self.anchors[anchor] = node
        if scanner.empty():
            return node
        token = scanner.front()
        kind = token.kind
        if kind in (T_PLAIN, T_QUOTED):
            if kind == T_QUOTED or tag or token.value not in NULL_TEXTS:
                node.kind = SCALAR
                node.value = token.value
                node.style = '"' if kind == T_QUOTED else ""
            scanner.pop()
            return node
        if kind in (T_FLOW_SEQ_START, T_SEQ_START):
            node.kind = SEQUENCE
            node.value = []
            return self._sequence(node)
        if kind in (T_FLOW_MAP_START, T_MAP_START) or (kind == T_KEY and self.flow_seq and self.flow_seq[-1]):
            node.kind = MAP
            node.value = []
            return self._map(node)
        if tag:
            node.kind = SCALAR
            node.value = ""
        return node

    def _sequence(self, node: Yaml) -> Yaml:
        scanner = self.scanner
        flow = scanner.front().kind == T_FLOW_SEQ_START
        scanner.pop()
        self.flow_seq.append(flow)
        items = node.value
        while True:
            if scanner.empty():
                raise scanner.error("end of sequence flow not found" if flow else "end of sequence not found")
            token = scanner.front()
            if flow:
                if token.kind == T_FLOW_SEQ_END:
                    scanner.pop()
                    break
                items.append(self.node())
                if scanner.empty():
                    raise scanner.error("end of sequence flow not found")
                token = scanner.front()
                if token.kind == T_FLOW_ENTRY:
                    scanner.pop()
                elif token.kind != T_FLOW_SEQ_END:
                    raise scanner.error("end of sequence flow not found", token.mark)
                continue
            if token.kind not in (T_ENTRY, T_SEQ_END):
                raise scanner.error("end of sequence not found", token.mark)
            scanner.pop()
            if token.kind == T_SEQ_END:
                break
            following = scanner.front()
            if following.kind in (T_ENTRY, T_SEQ_END):
                self._count()
                items.append(Yaml(NULL, None, following.mark))
            else:
                items.append(self.node())
        self.flow_seq.pop()
        return node

    def _map(self, node: Yaml) -> Yaml:
        scanner = self.scanner
        start = scanner.front().kind
        pairs = node.value
        self.flow_seq.append(False)
        if start == T_KEY:
            mark = scanner.front().mark
            scanner.pop()
            key = self.node()
            pairs.append((key, self._map_value(mark)))
        elif start == T_VALUE:
            key = Yaml(NULL, None, scanner.front().mark)
            scanner.pop()
            pairs.append((key, self.node()))
        else:
            flow = start == T_FLOW_MAP_START
            stop = T_FLOW_MAP_END if flow else T_MAP_END
            scanner.pop()
            message = "end of map flow not found" if flow else "end of map not found"
            while True:
                if scanner.empty():
                    raise scanner.error(message)
                token = scanner.front()
                if token.kind == stop:
                    scanner.pop()
                    break
                if not flow and token.kind not in (T_KEY, T_VALUE):
                    raise scanner.error(message, token.mark)
                mark = token.mark
                if token.kind == T_KEY:
                    scanner.pop()
                    key = self.node()
                else:
                    key = Yaml(NULL, None, mark)
                pairs.append((key, self._map_value(mark)))
                if not flow:
                    continue
                if scanner.empty():
                    raise scanner.error(message)
                token = scanner.front()
                if token.kind == T_FLOW_ENTRY:
                    scanner.pop()
                elif token.kind != T_FLOW_MAP_END:
                    raise scanner.error(message, token.mark)
        self.flow_seq.pop()
        return node

    def _map_value(self, mark: Mark) -> Yaml:
        scanner = self.scanner
        if not scanner.empty() and scanner.front().kind == T_VALUE:
            scanner.pop()
            return self.node()
        self._count()
        return Yaml(NULL, None, mark)


def _size(node: Yaml) -> int:
    """How many nodes an alias stands for, up to the bound; a node may contain itself."""
    total = 0
    stack = [node]
    while stack and total <= MAX_NODES:
        current = stack.pop()
        total += 1
        if current.kind == SEQUENCE:
            stack.extend(current.value)
        elif current.kind == MAP:
            for key, value in current.value:
                stack.append(key)
                stack.append(value)
    return total


def _decoded(text: str) -> str:
    """Decode anew what yaml-cpp takes for UTF-16 or UTF-32 by its first four bytes, and drop a byte order mark."""
    head = text[:4]
    if "\0" not in head and not head.startswith(("\ufeff", "\udcfe", "\udcff")):
        return text
    raw = text.encode("utf-8", "surrogateescape")
    for start, encoding, skip in _ENCODINGS:
        if start.match(raw):
            raw = raw[skip:]
            unit = 4 if encoding.startswith("utf-32") else 2
            return raw[: len(raw) // unit * unit].decode(encoding, "replace")
    return text.removeprefix("\ufeff")


_ENCODINGS = (
    (re.compile(rb"\0\0\xfe\xff"), "utf-32-be", 4),
    (re.compile(rb"\0\0\0", re.S), "utf-32-be", 0),
    (re.compile(rb"\xfe\xff"), "utf-16-be", 2),
    (re.compile(rb"\xff\xfe\0\0"), "utf-32-le", 4),
    (re.compile(rb"\xff\xfe"), "utf-16-le", 2),
    (re.compile(rb"\0[\x01-\xba\xbc-\xbe\xc0-\xee\xf0-\xfd]"), "utf-16-be", 0),
    (re.compile(rb"[\x01-\xba\xbc-\xbe\xc0-\xee\xf0-\xfd]\0\0\0"), "utf-32-le", 0),
    (re.compile(rb"[\x01-\xba\xbc-\xbe\xc0-\xee\xf0-\xfd]\0"), "utf-16-le", 0),
)
"""How a text starts, what yaml-cpp takes it for, and how many bytes of it are a byte order mark."""


def read_documents(text: str) -> list[Yaml]:
    """Read every document, as yaml-cpp's `LoadAll` does.

    Raises:
        YamlError: with yaml-cpp's kind of message.
    """
    text = _decoded(text)
    scanner = Scanner(text)
    documents: list[Yaml] = []
    version_seen = False
    tags: set[str] = set()
    while True:
        read_directive = False
        while not scanner.empty() and scanner.front().kind == T_DIRECTIVE:
            token = scanner.front()
            if not read_directive:
                version_seen = False
                tags = set()
            read_directive = True
            name, params = token.value
            if name == "YAML":
                if len(params) != 1:
                    raise scanner.error("YAML directives must have exactly one argument", token.mark)
                if version_seen:
                    raise scanner.error("repeated YAML directive", token.mark)
                match = _DIRECTIVE_YAML.fullmatch(params[0])
                if not match:
                    raise scanner.error(f"bad YAML version: {params[0]}", token.mark)
                if int(match.group(1)) > 1:
                    raise scanner.error("YAML major version too large", token.mark)
                version_seen = True
            elif name == "TAG":
                if len(params) != 2:
                    raise scanner.error("TAG directives must have exactly two arguments", token.mark)
                if params[0] in tags:
                    raise scanner.error("repeated TAG directive", token.mark)
                tags.add(params[0])
            scanner.pop()
        if scanner.empty():
            return documents
        document = _Parser(scanner).document()
        if document.kind == NULL:
            return documents  # yaml-cpp takes a null document for the end
        documents.append(document)
