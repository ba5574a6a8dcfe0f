# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""yaml-cpp's scanner: a text as tokens, some of them unverified until it is known whether a key follows.

Sources: `src/scanner.cpp`, `src/scantoken.cpp` and `src/simplekey.cpp` of
https://github.com/jbeder/yaml-cpp.
"""

from __future__ import annotations

import re
from collections import deque
from typing import Any

from .nodes import Mark
from .tags import TagReader
from .tokens import (
    INVALID,
    MAP_INDENT,
    NO_INDENT,
    SEQ_INDENT,
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
    UNKNOWN,
    VALID,
    Indent,
    Key,
    Token,
)

_DOC_BEGIN = re.compile(r"---(?=[ \t\n\r]|\Z)")
_DOC_FINISH = re.compile(r"\.\.\.(?=[ \t\n\r]|\Z)")
_BLOCK_ENTRY = re.compile(r"-(?=[ \t\n\r]|\Z)")
_KEY_MARK = re.compile(r"\?(?=[ \t\n\r])")
_VALUE_BLOCK = re.compile(r":(?=[ \t\n\r]|\Z)")
_VALUE_FLOW = re.compile(r":(?=[ \t\n\r,\]}])")
_PLAIN_BLOCK = re.compile(r"(?![ \t\n\r,\[\]{}#&*!|>'\"%@`]|[-?:](?:[ \t\n\r]|\Z))(?s:.)")
_PLAIN_FLOW = re.compile(r"(?![ \t\n\r?,\[\]{}#&*!|>'\"%@`]|[-:](?:[ \t]|\Z))(?s:.)")
_END_BLOCK = re.compile(r":(?=[ \t\n\r]|\Z)|(?:[ \t\n]|\r\n?)(?=#)")
_END_FLOW = re.compile(r":(?=[ \t\n\r,\]}]|\Z)|[,?\[\]{}]|(?:[ \t\n]|\r\n?)(?=#)")
_NAME = re.compile(r"[^\[\]{}, \t\n\r]+")
_CHOMP = re.compile(r"[+-][0-9]|[0-9][+-]|[+-]|[0-9]")
_NOT_BREAK = re.compile(r"[^\n\r]*")
_BLANKS = re.compile(r"[ \t]*")


class Scanner(TagReader):
    """yaml-cpp's scanner: a queue of tokens, some of them unverified until it is known whether a key follows."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.tokens: deque[Token] = deque()
        self.started = False
        self.ended = False
        self.key_allowed = False
        self.scalar_allowed = False
        self.json_flow = False
        self.keys: list[Key] = []
        self.indents: list[Indent] = []
        self.flows: list[int] = []

    # the queue

    def empty(self) -> bool:
        self._fill()
        return not self.tokens

    def front(self) -> Token:
        self._fill()
        return self.tokens[0]

    def pop(self) -> None:
        self._fill()
        self.tokens.popleft()

    def _fill(self) -> None:
        tokens = self.tokens
        while True:
            if tokens:
                status = tokens[0].status
                if status == VALID:
                    return
                if status == INVALID:
                    tokens.popleft()
                    continue
            if self.ended:
                return
            self._scan()

    def _push(self, kind: int, mark: Mark | None = None, value: Any = "") -> Token:
        token = Token(kind, mark or self.mark(), value)
        self.tokens.append(token)
        return token

    # scanning

    def _scan(self) -> None:  # noqa: C901 - one arm for each character that a token begins with
        if not self.started:
            self.started = True
            self.key_allowed = True
            self.scalar_allowed = True
            self.indents.append(Indent(-1, NO_INDENT))
            return
        self._to_next_token()
        self._pop_indents_to_here()
        text, index = self.text, self.index
        if index >= self.size:
            self._end()
            return
        char = text[index]
        column = self.column
        if column == 0:
            if char == "%":
                self._directive()
                return
            if _DOC_BEGIN.match(text, index):
                self._document_mark(T_DOC_START)
                return
            if _DOC_FINISH.match(text, index):
                self._document_mark(T_DOC_END)
                return
        if char in "[{":
            self._flow_start(char)
        elif char in "]}":
            self._flow_end(char)
        elif char == ",":
            if column == 0:
                raise self.error("illegal block entry")
            if not self.scalar_allowed:
                raise self.error("unexpected scalar")
            self._flow_entry()
        elif char == "-" and _BLOCK_ENTRY.match(text, index):
            self._block_entry()
        elif char == "?" and _KEY_MARK.match(text, index):
            self._explicit_key()
        elif char == ":" and self._value_here():
            self._value()
        elif char in "*&":
            self._anchor(char)
        elif char == "!":
            self._tag()
        elif char in "|>" and not self.flows:
            self._block_scalar(char)
        elif not self.scalar_allowed:
            raise self.error("unexpected scalar")
        elif char in "'\"":
            self._quoted(char)
        elif (_PLAIN_FLOW if self.flows else _PLAIN_BLOCK).match(text, index):
            self._plain()
        else:
            raise self.error("unknown token")

    def _value_here(self) -> bool:
        if not self.flows:
            return _VALUE_BLOCK.match(self.text, self.index) is not None
        return self.json_flow or _VALUE_FLOW.match(self.text, self.index) is not None

    def _to_next_token(self) -> None:
        text = self.text
        while True:
            end = _BLANKS.match(text, self.index).end()  # type: ignore[union-attr]  # the expression always matches
            if not self.flows and "\t" in text[self.index : end]:
                self.key_allowed = False
            self.index = end
            char = self.peek()
            if char == "#":
                self.index = _NOT_BREAK.match(text, end).end()  # type: ignore[union-attr]  # always matches
                char = self.peek()
            if char not in ("\n", "\r"):
                return
            self.advance_break()
            self._invalidate_key()
            self.scalar_allowed = True
            if not self.flows:
                self.key_allowed = True

    def _end(self) -> None:
        if self.column > 0:
            self.line_start = self.index
        self._pop_all_indents()
        self.keys.clear()
        self.key_allowed = False
        self.scalar_allowed = False
        self.ended = True

    def _push_indent(self, column: int, kind: int) -> Indent | None:
        # Those that begin further right were closed before, and in a flow nobody asks for one.
        last = self.indents[-1]
        if column == last.column and not (kind == SEQ_INDENT and last.kind == MAP_INDENT):
            return None
        indent = Indent(column, kind)
        indent.token = self._push(T_SEQ_START if kind == SEQ_INDENT else T_MAP_START)
        self.indents.append(indent)
        return indent

    def _pop_indents_to_here(self) -> None:
        if self.flows:
            return
        column = self.column
        while True:  # The first begins before every column.
            indent = self.indents[-1]
            if indent.column < column:
                break
            if indent.column == column and not (
                indent.kind == SEQ_INDENT and not _BLOCK_ENTRY.match(self.text, self.index)
            ):
                break
            self._pop_indent()
        while self.indents[-1].status == INVALID:
            self._pop_indent()

    def _pop_all_indents(self) -> None:
        if self.flows:
            return
        while self.indents[-1].kind != NO_INDENT:
            self._pop_indent()

    def _pop_indent(self) -> None:
        indent = self.indents.pop()
        if indent.status != VALID:
            self._invalidate_key()
        else:
            self._push(T_SEQ_END if indent.kind == SEQ_INDENT else T_MAP_END)

    # keys that may turn out not to be keys

    def _maybe_key(self) -> None:
        if not self.key_allowed:
            return
        flow = len(self.flows)
        if self.keys and self.keys[-1].flow == flow:
            return
        key = Key(self.mark(), flow)
        if not self.flows:
            key.indent = self._push_indent(self.column, MAP_INDENT)
            key.start = key.indent.token if key.indent else None
        key.token = self._push(T_KEY)
        key.settle(UNKNOWN)
        self.keys.append(key)

    def _invalidate_key(self) -> None:
        if self.keys and self.keys[-1].flow == len(self.flows):
            self.keys.pop().settle(INVALID)

    def _verify_key(self) -> bool:
        if not self.keys or self.keys[-1].flow != len(self.flows):
            return False
        key = self.keys.pop()
        valid = self.line == key.mark.line and self.index - key.mark.index <= 1024
        key.settle(VALID if valid else INVALID)
        return valid

    # tokens

    def _directive(self) -> None:
        self._pop_all_indents()
        self.keys.clear()
        self.key_allowed = False
        self.json_flow = False
        mark = self.mark()
        end = _NOT_BREAK.match(self.text, self.index).end()  # type: ignore[union-attr]  # always matches
        words = self.text[self.index + 1 : end].replace("\t", " ")
        self.index = end
        name, _space, rest = words.partition(" ")
        params = []
        for word in rest.split():
            if word.startswith("#"):
                break
            params.append(word)
        self._push(T_DIRECTIVE, mark, (name, params))

    def _document_mark(self, kind: int) -> None:
        self._pop_all_indents()
        self.keys.clear()
        self.key_allowed = False
        self.json_flow = False
        self._push(kind)
        self.index += 3

    def _flow_start(self, char: str) -> None:
        self._maybe_key()
        self.key_allowed = True
        self.json_flow = False
        kind = T_FLOW_SEQ_START if char == "[" else T_FLOW_MAP_START
        self._push(kind)
        self.index += 1
        self.flows.append(kind)

    def _solo_entry(self) -> None:
        if not self.flows:
            return
        if self.flows[-1] == T_FLOW_MAP_START:
            if self._verify_key():
                self._push(T_VALUE)
        else:
            self._invalidate_key()

    def _flow_end(self, char: str) -> None:
        if not self.flows:
            raise self.error("illegal flow end")
        self._solo_entry()
        self.key_allowed = False
        self.json_flow = True
        mark = self.mark()
        self.index += 1
        if self.flows[-1] != (T_FLOW_SEQ_START if char == "]" else T_FLOW_MAP_START):
            raise self.error("illegal flow end", mark)
        self.flows.pop()
        # yaml-cpp tells the two ends apart by the enum of the flow, where the sequence is zero or not
        self._push(T_FLOW_SEQ_END if char == "]" else T_FLOW_MAP_END, mark)

    def _flow_entry(self) -> None:
        self._solo_entry()
        self.key_allowed = True
        self.json_flow = False
        self._push(T_FLOW_ENTRY)
        self.index += 1

    def _block_entry(self) -> None:
        if self.flows or not self.key_allowed:
            raise self.error("illegal block entry")
        self._push_indent(self.column, SEQ_INDENT)
        self.key_allowed = True
        self.json_flow = False
        self._push(T_ENTRY)
        self.index += 1

    def _explicit_key(self) -> None:
        if not self.flows:
            if not self.key_allowed:
                raise self.error("illegal map key")
            self._push_indent(self.column, MAP_INDENT)
        self.key_allowed = not self.flows
        self._push(T_KEY)
        self.index += 1

    def _value(self) -> None:
        is_key = self._verify_key()
        self.json_flow = False
        if is_key:
            self.key_allowed = False
        else:
            if not self.flows:
                if not self.key_allowed:
                    raise self.error("illegal map value")
                self._push_indent(self.column, MAP_INDENT)
            self.key_allowed = not self.flows
        self.scalar_allowed = True
        self._push(T_VALUE)
        self.index += 1

    def _anchor(self, char: str) -> None:
        self._maybe_key()
        self.key_allowed = False
        self.json_flow = False
        mark = self.mark()
        self.index += 1
        what = "alias" if char == "*" else "anchor"
        match = _NAME.match(self.text, self.index)
        if not match:
            raise self.error(f"{what} not found after {char}")
        self.index = match.end()
        following = self.peek()
        if following and following not in "?:,]}%@` \t\n\r":
            raise self.error(f"illegal character found while scanning {what}")
        self._push(T_ALIAS if char == "*" else T_ANCHOR, mark, match.group())

    def _tag(self) -> None:
        self._maybe_key()
        self.key_allowed = False
        self.json_flow = False
        mark = self.mark()
        self.index += 1
        self._push(T_TAG, mark, self.tag())

    # scalars

    def _plain(self) -> None:
        indent = 0 if self.flows else self.indents[-1].column + 1
        self._maybe_key()
        mark = self.mark()
        value, left = self.flow_scalar(_END_FLOW if self.flows else _END_BLOCK, indent, "", bool(self.flows))
        self.key_allowed = left
        self.json_flow = False
        self._push(T_PLAIN, mark, value)

    def _quoted(self, char: str) -> None:
        self._maybe_key()
        mark = self.mark()
        self.index += 1
        value, _left = self.flow_scalar(None, 0, char)
        self.key_allowed = False
        self.scalar_allowed = bool(self.flows)
        self.json_flow = True
        self._push(T_QUOTED, mark, value)

    def _block_scalar(self, char: str) -> None:
        text = self.text
        mark = self.mark()
        self.index += 1
        fold = char == ">"
        chomp = ""
        indent = 1
        detect = True
        match = _CHOMP.match(text, self.index)
        if match:
            for sign in match.group():
                self.index += 1
                if sign in "+-":
                    chomp = sign
                elif sign == "0":
                    raise self.error("cannot set zero indentation for a block scalar")
                else:
                    indent = int(sign)
                    detect = False
        self.index = _BLANKS.match(text, self.index).end()  # type: ignore[union-attr]  # always matches
        if self.peek() == "#":
            self.index = _NOT_BREAK.match(text, self.index).end()  # type: ignore[union-attr]  # always matches
        if self.peek() not in ("", "\n", "\r"):
            raise self.error("unexpected character in block scalar")
        if self.indents[-1].column >= 0:
            indent += self.indents[-1].column
        value = self.block_lines(indent, detect, fold)
        if chomp == "-":
            value = value.rstrip("\n")
        elif chomp != "+":
            stripped = value.rstrip("\n")
            value = stripped + "\n" if stripped and len(stripped) < len(value) else stripped
        self.key_allowed = True
        self.json_flow = False
        self._push(T_QUOTED, mark, value)
