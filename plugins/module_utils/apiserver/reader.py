# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads the YAML that manifests and configuration files are written in, without PyYAML, which a node may lack.

It accepts less than YAML: anchors, aliases, tags, directives, several documents and keys that are no simple text are
refused with their place. What it accepts, it reads as every reader of YAML does; a test holds PyYAML beside it.
Source: https://yaml.org/spec/1.2.2/
"""

from __future__ import annotations

import re
from typing import NoReturn

from .errors import ApiServerError
from .nodes import MappingNode, Node, ScalarNode, SequenceNode
from .quotes import MAX_KEY, Quoted, double_quoted, single_quoted

# What no reader takes, and what only some take for the end of a line.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_LONE_RETURN = re.compile(r"\r(?!\n)")
_MARKER = re.compile(r"(---|\.\.\.)(?=[ \t\r\n]|\Z)")
_HEADER = re.compile(r"[|>]([+-]?[1-9]?|[1-9][+-])(?= |\r?\n|\Z)")
_REFUSED = {
    "&": "an anchor; write the value out where it is used",
    "*": "an alias; write the value out",
    "!": "a tag; leave it out",
    "%": "a text cannot begin with %; put it in quotes",
    "@": "a text cannot begin with @; put it in quotes",
    "`": "a text cannot begin with `; put it in quotes",
}
_DEEPEST = 100


class Reader:
    """One text on its way to nodes.

    Args:
        text: all of it.
        file: its name in messages.
    """

    def __init__(self, text: str, file: str) -> None:
        self.text = text
        self.file = file
        self.at = 0
        self.depth = 0

    def root(self) -> Node | None:
        """The one document, or None where there is nothing but comments.

        Raises:
            ApiServerError: it is no YAML, or more of it than is read here; with line and column.
        """
        self.at = 1 if self.text.startswith("\ufeff") else 0
        for pattern, words in ((_FORBIDDEN, "a character that YAML does not allow"), (_LONE_RETURN, "a lone return")):
            found = pattern.search(self.text, self.at)
            if found:
                self.refuse(words, found.start())
        if self._skip() and self.text.startswith("---", self.at) and _MARKER.match(self.text, self.at):
            self.at += 3
            if self._rest_of_line().strip():
                self.refuse("text behind ---; put it on a line of its own")
            self._skip()
        if self.at == len(self.text):
            return None
        self._no_marker()
        node = self._block(-1)
        if self._skip():
            self._no_marker()
            self.refuse("this does not belong to what stands before it: look at its indentation")
        return node

    def refuse(self, words: str, at: int | None = None) -> NoReturn:
        """End here.

        Raises:
            ApiServerError: always, with the place.
        """
        index = self.at if at is None else at
        line = self.text.count("\n", 0, index) + 1
        raise ApiServerError(f"{self.file}:{line}:{self._column(index) + 1}: {words}")

    def _column(self, index: int) -> int:
        start = self.text.rfind("\n", 0, index) + 1
        return index - start - (1 if start == 0 and self.text.startswith("\ufeff") else 0)

    def _place(self, index: int) -> tuple[int, int]:
        return self.text.count("\n", 0, index) + 1, self._column(index)

    def _rest_of_line(self) -> str:
        end = self.text.find("\n", self.at)
        line = self.text[self.at : len(self.text) if end < 0 else end]
        comment = re.search(r"(?:^|(?<=[ \t]))#", line)
        return line[: comment.start()] if comment else line

    def _skip(self) -> bool:
        """Over spaces, ends of lines and comments; whether anything follows."""
        while self.at < len(self.text):
            char = self.text[self.at]
            if char in " \r\n":
                self.at += 1
            elif char == "#":
                if self.at and self.text[self.at - 1] not in " \t\n\ufeff":
                    self.refuse("a comment needs a space before it")
                end = self.text.find("\n", self.at)
                self.at = len(self.text) if end < 0 else end
            elif char == "\t":
                self.refuse("a tab; use spaces")
            else:
                return True
        return False

    def _no_marker(self) -> None:
        if self._column(self.at) == 0 and _MARKER.match(self.text, self.at):
            self.refuse("another document, or the end of one; the file must hold one mapping alone")

    def _follows(self, chars: str, index: int) -> bool:
        """Whether an indicator stands there, which is followed by a space or the end of the line."""
        return self.text[index : index + 1] in set(chars) and self.text[index + 1 : index + 2] in {"", " ", "\n", "\r"}

    def _block(self, parent: int) -> Node:
        """The node that begins here; lines that go on with it are indented deeper than parent."""
        self.depth += 1
        if self.depth > _DEEPEST:
            self.refuse(f"more than {_DEEPEST} levels")
        column = self._column(self.at)
        if self._follows("-", self.at):
            node: Node = self._block_sequence(column)
        else:
            start = self.at
            node = self._scalar_or_flow(parent)
            if self._is_key(node, start):
                self.at = start
                node = self._block_mapping(column)
        self.depth -= 1
        return node

    def _is_key(self, node: Node, start: int) -> bool:
        if not self._follows(":", self.at):
            return False
        if not isinstance(node, ScalarNode):
            self.refuse("a key must be a simple text", start)
        return True

    def _block_sequence(self, column: int) -> SequenceNode:
        node = SequenceNode(self.at, self.at, *self._place(self.at))
        while self._follows("-", self.at) and self._column(self.at) == column:
            self.at += 1
            item = self._value(column, column + 1)
            node.items.append(item)
            node.end = item.end
            if not self._next(column):
                break
        return node

    def _block_mapping(self, column: int) -> MappingNode:
        node = MappingNode(self.at, self.at, *self._place(self.at))
        while True:
            start = self.at
            key = self._scalar_or_flow(column)
            if not self._follows(":", self.at) or not isinstance(key, ScalarNode):
                self.refuse("a key with a colon and a space behind it is missing", start)
            self._check_key(key)
            self.at += 1
            value = self._value(column, column)
            node.pairs.append((key, value))
            node.end = value.end
            if not self._next(column) or self._follows("-", self.at):
                return node

    def _check_key(self, key: ScalarNode) -> None:
        if "\n" in self.text[key.start : self.at] or self.at - key.start > MAX_KEY:
            self.refuse("a key must stand on one line", key.start)
        if key.value == "<<" and not key.style:
            self.refuse("a merge of mappings; write the values out", key.start)

    def _next(self, column: int) -> bool:
        """To the next entry of a collection; whether there is one."""
        if not self._skip():
            return False
        here = self._column(self.at)
        if here == 0:
            self._no_marker()
        if here > column:
            self.refuse("this does not belong to what stands before it: look at its indentation")
        return here == column

    def _value(self, parent: int, least: int) -> Node:
        """What stands behind a dash or a colon, on the same line or below it.

        Args:
            parent: column of the dash or of the key.
            least: columns below it that a list may begin at; all else must stand deeper than parent.
        """
        behind = self.at
        line = self.text.count("\n", 0, behind)
        more = self._skip()
        same = more and self.text.count("\n", 0, self.at) == line
        here = self._column(self.at)
        if same:
            if least == parent:  # behind a key
                return self._behind_key(parent)
            return self._block(parent)
        if more and (here > parent or (here == least and self._follows("-", self.at))):
            return self._block(parent)
        return ScalarNode(behind, behind, *self._place(behind))

    def _behind_key(self, parent: int) -> Node:
        start = self.at
        if self._follows("-", start):
            self.refuse("a list must begin on a line of its own")
        node = self._scalar_or_flow(parent)
        if self._follows(":", self.at):
            self.refuse("a second key on one line; put the value in quotes, or the key on a line of its own")
        return node

    def _scalar_or_flow(self, parent: int) -> Node:
        char = self.text[self.at : self.at + 1]
        if char in {"[", "{"}:
            node = self._flow()
        elif char in {'"', "'"}:
            node = self._quoted()
        elif char in {"|", ">"}:
            return self._block_scalar(parent)
        else:
            return self._plain(parent, flow=False)
        self._ends_here()
        return node

    def _ends_here(self) -> None:
        """Behind quotes and brackets comes a colon, a comment, or the end of the line."""
        found = self._rest_of_line()
        if found.strip(" \r"):
            spaces = len(found) - len(found.lstrip(" "))
            if self._follows(":", self.at + spaces):
                self.at += spaces
                return
            self.refuse("this does not belong to what stands before it", self.at + spaces)

    def _quoted(self) -> ScalarNode:
        start = self.at
        read = double_quoted if self.text[start] == '"' else single_quoted
        found: Quoted = read(self.text, start)
        if found.wrong:
            self.refuse(found.wrong, found.end)
        self.at = found.end
        return ScalarNode(start, found.end, *self._place(start), value=found.value, style=self.text[start])

    def _check_start(self, flow: bool) -> None:
        char = self.text[self.at]
        if char in _REFUSED:
            self.refuse(_REFUSED[char])
        following = self.text[self.at + 1 : self.at + 2]
        if char in ",[]{}#|>" or (
            char in "-?:" and (following in {"", " ", "\n", "\r"} or (flow and following in ",[]{}"))
        ):
            self.refuse(f"{char} does not belong here; put the text in quotes")

    def _plain(self, parent: int, flow: bool) -> ScalarNode:
        start = self.at
        self._check_start(flow)
        lines = [self._plain_line(flow)]
        end = self.at
        while not flow:
            # A line that goes on with the text is indented deeper, and no comment stands between.
            found = re.compile(r" *(?:\r?\n *)+").match(self.text, self.at)
            if not found or found.end() == len(self.text) or self.text[found.end()] == "#":
                break
            if self._column(found.end()) <= parent or (_MARKER.match(self.text, found.end()) and parent < 0):
                break
            self.at = found.end()
            if self.text[self.at] == "\t":
                self.refuse("a tab; use spaces")
            breaks = found[0].count("\n") - 1
            line = self._plain_line(flow)
            if self._follows(":", self.at):
                self.refuse("a key within a text of several lines: look at its indentation")
            lines += [("\n" * breaks or " ") + line]
            end = self.at
        self.at = end
        return ScalarNode(start, end, *self._place(start), value="".join(lines))

    def _plain_line(self, flow: bool) -> str:
        start = self.at
        while self.at < len(self.text):
            char = self.text[self.at]
            if char in "\r\n" or (char == "#" and self.text[self.at - 1] == " " and self.at > start):
                break
            if char == "\t":
                self.refuse("a tab; use spaces, or put the text in quotes")
            following = self.text[self.at + 1 : self.at + 2]
            if char == ":" and (following in {"", " ", "\n", "\r"} or (flow and following in ",[]{}")):
                break
            if flow and char in ",[]{}":
                break
            if flow and char == "?":
                self.refuse("a question mark within brackets; put the text in quotes")
            self.at += 1
        while self.text[self.at - 1] == " " and self.at > start and not self._follows(":", self.at):
            self.at -= 1
        return self.text[start : self.at].rstrip(" ")

    def _block_scalar(self, parent: int) -> ScalarNode:
        start = self.at
        header = _HEADER.match(self.text, start)
        if not header:
            self.refuse("| and > are followed by + or -, a number, and the end of the line")
        self.at = header.end()
        if self._rest_of_line().strip(" \r"):
            self.refuse("text behind | or >; put it on the next line")
        digit = re.search(r"\d", header[1])
        least = max(parent, 0) + int(digit[0]) if digit else 0
        newline = self.text.find("\n", self.at)
        end = self.at = len(self.text) if newline < 0 else newline
        blanks = 0
        while self.at < len(self.text):
            first = self.at + 1
            newline = self.text.find("\n", first)
            last = len(self.text) if newline < 0 else newline
            line = self.text[first:last].rstrip("\r")
            indent = len(line) - len(line.lstrip(" "))
            if line.strip(" "):
                if not least and indent > parent:
                    least = indent
                    if blanks > indent:
                        self.refuse("blank lines above it are indented deeper", first + indent)
                if not least or indent < least:
                    break
                end = last
            elif not least:
                blanks = max(blanks, indent)
            elif "+" in header[1]:
                end = last
            self.at = last
        self.at = end
        return ScalarNode(start, end, *self._place(start), value="", style=header[0][0])

    def _flow(self) -> Node:
        self.depth += 1
        if self.depth > _DEEPEST:
            self.refuse(f"more than {_DEEPEST} levels")
        start = self.at
        place = self._place(start)
        node: SequenceNode | MappingNode
        if self.text[start] == "[":
            node, closing = SequenceNode(start, start, *place, flow=True), "]"
        else:
            node, closing = MappingNode(start, start, *place, flow=True), "}"
        self.at += 1
        self._flow_skip(start)
        while self.text[self.at] != closing:
            if isinstance(node, SequenceNode):
                node.items.append(self._flow_value())
            else:
                node.pairs.append(self._flow_pair(start))
            self._flow_skip(start)
            if self.text[self.at] == ",":
                self.at += 1
                self._flow_skip(start)
            elif self.text[self.at] != closing:
                self.refuse(f"a comma or {closing} is missing before this")
        self.at += 1
        node.end = self.at
        self.depth -= 1
        return node

    def _flow_skip(self, start: int) -> None:
        if not self._skip():
            self.refuse("this bracket is never closed", start)
        if self._column(self.at) == 0:
            self._no_marker()

    def _flow_value(self) -> Node:
        char = self.text[self.at]
        if char in "[{":
            return self._flow()
        if char in "\"'":
            return self._quoted()
        return self._plain(-1, flow=True)

    def _flow_pair(self, start: int) -> tuple[ScalarNode, Node]:
        first = self.at
        key = self._flow_value()
        while self.text[self.at : self.at + 1] == " ":
            self.at += 1
        if not isinstance(key, ScalarNode) or self.text[self.at : self.at + 1] != ":":
            self.refuse("a key with a colon behind it is missing", first)
        self._check_key(key)
        self.at += 1
        self._flow_skip(start)
        if self.text[self.at] in ",}":
            return key, ScalarNode(self.at, self.at, *self._place(self.at))
        return key, self._flow_value()
