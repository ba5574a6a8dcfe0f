# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A YAML reader that accepts and refuses what yaml-cpp accepts and refuses.

Falco reads its rules with yaml-cpp (0.8, October 2024), which is more lenient than libyaml in some places
(duplicate keys, any bytes, tabs after indicators) and stricter in others. This is its scanner and parser in
Python, for the texts on which the two may differ; `yaml_nodes` takes the fast way for all others.
Sources: `src/scanner.cpp`, `src/scantoken.cpp`, `src/scanscalar.cpp` and `src/singledocparser.cpp` of
https://github.com/jbeder/yaml-cpp.
"""

from __future__ import annotations

import re
from collections import deque
from typing import Any

from .yaml_nodes import MAP, MAX_DEPTH, MAX_NODES, NULL, NULL_TEXTS, SCALAR, SEQUENCE, Mark, Yaml, YamlError

# Tokens
_DIRECTIVE, _DOC_START, _DOC_END, _SEQ_START, _MAP_START, _SEQ_END, _MAP_END, _ENTRY = range(8)
_FLOW_SEQ_START, _FLOW_MAP_START, _FLOW_SEQ_END, _FLOW_MAP_END, _FLOW_ENTRY = range(8, 13)
_KEY, _VALUE, _ANCHOR, _ALIAS, _TAG, _PLAIN, _QUOTED = range(13, 20)

_VALID, _INVALID, _UNKNOWN = 0, 1, 2
_NO_INDENT, _MAP_INDENT, _SEQ_INDENT = 0, 1, 2

_DOC = re.compile(r"(?:---|\.\.\.)(?=[ \t\n\r]|\Z)")
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
_TAG_CHARACTER = re.compile(r"[A-Za-z0-9\-#;/?:@&=+$_.~*'()]|%[0-9A-Fa-f]{2}")
_URI_CHARACTER = re.compile(r"[A-Za-z0-9\-#;/?:@&=+$,_.!~*'()\[\]]|%[0-9A-Fa-f]{2}")
_WORD_CHARACTER = re.compile(r"[A-Za-z0-9\-]")
# What a run of ordinary characters inside a scalar is: up to anything that one of the rules above looks at.
_RUN_BLOCK = re.compile(r"[^\s:#\\'\"\x00]+")
_RUN_FLOW = re.compile(r"[^\s:#\\'\",?\[\]{}\x00]+")
_RUN_SINGLE = re.compile(r"[^'\n\r]+")
_RUN_DOUBLE = re.compile(r"[^\"\\\n\r]+")
_RUN_LINE = re.compile(r"[^\n\r\x00]+")
_DIRECTIVE_YAML = re.compile(r"([+-]?[0-9]+).([+-]?[0-9]+)")


class _Token:
    __slots__ = ("data", "kind", "mark", "status", "value")

    def __init__(self, kind: int, mark: Mark, value: Any = "", status: int = _VALID) -> None:
        self.kind = kind
        self.mark = mark
        self.value = value
        self.status = status


class _Indent:
    __slots__ = ("column", "kind", "status", "token")

    def __init__(self, column: int, kind: int) -> None:
        self.column = column
        self.kind = kind
        self.status = _VALID
        self.token: _Token | None = None


class _Key:
    __slots__ = ("flow", "indent", "mark", "start", "token")

    def __init__(self, mark: Mark, flow: int) -> None:
        self.mark = mark
        self.flow = flow
        self.indent: _Indent | None = None
        self.start: _Token | None = None
        self.token: _Token | None = None

    def settle(self, status: int) -> None:
        if self.indent:
            self.indent.status = status
        if self.start:
            self.start.status = status
        if self.token:
            self.token.status = status


class _Scanner:
    """yaml-cpp's scanner: a queue of tokens, some of them unverified until it is known whether a key follows."""

    def __init__(self, text: str) -> None:
        # yaml-cpp takes the byte 4 for the end of its input once no more was read ahead than that byte
        self.text = text
        self.size = len(text)
        self.index = 0
        self.line = 0
        self.line_start = 0
        self.newline = ""
        self.tokens: deque[_Token] = deque()
        self.started = False
        self.ended = False
        self.key_allowed = False
        self.scalar_allowed = False
        self.json_flow = False
        self.keys: list[_Key] = []
        self.indents: list[_Indent] = []
        self.flows: list[int] = []

    # position

    @property
    def column(self) -> int:
        return self.index - self.line_start

    def mark(self) -> Mark:
        return Mark(self.line, self.index - self.line_start, self.index)

    def error(self, message: str, mark: Mark | None = None) -> YamlError:
        mark = mark or self.mark()
        return YamlError(
            f"yaml-cpp: error at line {mark.line + 1}, column {mark.column + 1}: {message}",
            mark.line,
            mark.column,
            mark.index,
        )

    def peek(self) -> str:
        return self.text[self.index] if self.index < self.size else ""

    def advance_break(self) -> None:
        """Step over one line break, counting lines as yaml-cpp does: by the first kind of break in the file."""
        text = self.text
        length = 2 if text.startswith("\r\n", self.index) else 1
        for _ in range(length):
            char = text[self.index]
            self.index += 1
            if not self.newline:
                self.newline = "\r" if char == "\r" and not text.startswith("\n", self.index) else "\n"
            if char == self.newline:
                self.line += 1
                self.line_start = self.index

    # the queue

    def empty(self) -> bool:
        self._fill()
        return not self.tokens

    def front(self) -> _Token:
        self._fill()
        return self.tokens[0]

    def pop(self) -> None:
        self._fill()
        if self.tokens:
            self.tokens.popleft()

    def _fill(self) -> None:
        tokens = self.tokens
        while True:
            if tokens:
                status = tokens[0].status
                if status == _VALID:
                    return
                if status == _INVALID:
                    tokens.popleft()
                    continue
            if self.ended:
                return
            self._scan()

    def _push(self, kind: int, mark: Mark | None = None, value: Any = "") -> _Token:
        token = _Token(kind, mark or self.mark(), value)
        self.tokens.append(token)
        return token

    # scanning

    def _scan(self) -> None:
        if not self.started:
            self.started = True
            self.key_allowed = True
            self.scalar_allowed = True
            self.indents.append(_Indent(-1, _NO_INDENT))
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
                self._document_mark(_DOC_START)
                return
            if _DOC_FINISH.match(text, index):
                self._document_mark(_DOC_END)
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

    def _push_indent(self, column: int, kind: int) -> _Indent | None:
        if self.flows:
            return None
        last = self.indents[-1]
        if column < last.column:
            return None
        if column == last.column and not (kind == _SEQ_INDENT and last.kind == _MAP_INDENT):
            return None
        indent = _Indent(column, kind)
        indent.token = self._push(_SEQ_START if kind == _SEQ_INDENT else _MAP_START)
        self.indents.append(indent)
        return indent

    def _pop_indents_to_here(self) -> None:
        if self.flows:
            return
        column = self.column
        while self.indents:
            indent = self.indents[-1]
            if indent.column < column:
                break
            if indent.column == column and not (
                indent.kind == _SEQ_INDENT and not _BLOCK_ENTRY.match(self.text, self.index)
            ):
                break
            self._pop_indent()
        while self.indents and self.indents[-1].status == _INVALID:
            self._pop_indent()

    def _pop_all_indents(self) -> None:
        if self.flows:
            return
        while self.indents and self.indents[-1].kind != _NO_INDENT:
            self._pop_indent()

    def _pop_indent(self) -> None:
        indent = self.indents.pop()
        if indent.status != _VALID:
            self._invalidate_key()
        elif indent.kind == _SEQ_INDENT:
            self._push(_SEQ_END)
        elif indent.kind == _MAP_INDENT:
            self._push(_MAP_END)

    # keys that may turn out not to be keys

    def _maybe_key(self) -> None:
        if not self.key_allowed:
            return
        flow = len(self.flows)
        if self.keys and self.keys[-1].flow == flow:
            return
        key = _Key(self.mark(), flow)
        if not self.flows:
            key.indent = self._push_indent(self.column, _MAP_INDENT)
            if key.indent:
                key.indent.status = _UNKNOWN
                key.start = key.indent.token
                if key.start:
                    key.start.status = _UNKNOWN
        key.token = self._push(_KEY)
        key.token.status = _UNKNOWN
        self.keys.append(key)

    def _invalidate_key(self) -> None:
        if self.keys and self.keys[-1].flow == len(self.flows):
            self.keys.pop().settle(_INVALID)

    def _verify_key(self) -> bool:
        if not self.keys or self.keys[-1].flow != len(self.flows):
            return False
        key = self.keys.pop()
        valid = self.line == key.mark.line and self.index - key.mark.index <= 1024
        key.settle(_VALID if valid else _INVALID)
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
        self._push(_DIRECTIVE, mark, (name, params))

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
        kind = _FLOW_SEQ_START if char == "[" else _FLOW_MAP_START
        self._push(kind)
        self.index += 1
        self.flows.append(kind)

    def _solo_entry(self) -> None:
        if not self.flows:
            return
        if self.flows[-1] == _FLOW_MAP_START:
            if self._verify_key():
                self._push(_VALUE)
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
        if self.flows[-1] != (_FLOW_SEQ_START if char == "]" else _FLOW_MAP_START):
            raise self.error("illegal flow end", mark)
        self.flows.pop()
        # yaml-cpp tells the two ends apart by the enum of the flow, where the sequence is zero or not
        self._push(_FLOW_SEQ_END if char == "]" else _FLOW_MAP_END, mark)

    def _flow_entry(self) -> None:
        self._solo_entry()
        self.key_allowed = True
        self.json_flow = False
        self._push(_FLOW_ENTRY)
        self.index += 1

    def _block_entry(self) -> None:
        if self.flows or not self.key_allowed:
            raise self.error("illegal block entry")
        self._push_indent(self.column, _SEQ_INDENT)
        self.key_allowed = True
        self.json_flow = False
        self._push(_ENTRY)
        self.index += 1

    def _explicit_key(self) -> None:
        if not self.flows:
            if not self.key_allowed:
                raise self.error("illegal map key")
            self._push_indent(self.column, _MAP_INDENT)
        self.key_allowed = not self.flows
        self._push(_KEY)
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
                self._push_indent(self.column, _MAP_INDENT)
            self.key_allowed = not self.flows
        self.scalar_allowed = True
        self._push(_VALUE)
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
        self._push(_ALIAS if char == "*" else _ANCHOR, mark, match.group())

    def _tag(self) -> None:
        self._maybe_key()
        self.key_allowed = False
        self.json_flow = False
        mark = self.mark()
        self.index += 1
        if self.peek() == "<":
            self.index += 1
            start = self.index
            while self.index < self.size and self.text[self.index] != ">":
                match = _URI_CHARACTER.match(self.text, self.index)
                if not match:
                    break
                self.index = match.end()
            if self.peek() != ">":
                raise self.error("end of verbatim tag not found")
            value = self.text[start : self.index]
            self.index += 1
            self._push(_TAG, mark, value)
            return
        start = self.index
        handle = True
        first_other: Mark | None = None
        while self.index < self.size:
            if self.text[self.index] == "!":
                if not handle:
                    raise self.error("illegal character found while scanning tag handle", first_other)
                break
            if handle:
                match = _WORD_CHARACTER.match(self.text, self.index)
                if not match:
                    handle = False
                    first_other = self.mark()
            if not handle:
                match = _TAG_CHARACTER.match(self.text, self.index)
            if not match:
                break
            self.index = match.end()
        value = self.text[start : self.index]
        tag = f"!{value}" if value else "!!" if handle else "!"
        if handle and self.peek() == "!":
            self.index += 1
            suffix = self.index
            while self.index < self.size:
                match = _TAG_CHARACTER.match(self.text, self.index)
                if not match:
                    break
                self.index = match.end()
            if self.index == suffix:
                raise self.error("tag handle with no suffix")
            tag = f"!{value}!{self.text[suffix : self.index]}"
        self._push(_TAG, mark, tag)

    # scalars

    def _plain(self) -> None:
        indent = 0 if self.flows else self.indents[-1].column + 1
        self._maybe_key()
        mark = self.mark()
        value, left = self._flow_scalar(_END_FLOW if self.flows else _END_BLOCK, indent, False)
        self.key_allowed = left
        self.json_flow = False
        self._push(_PLAIN, mark, value)

    def _quoted(self, char: str) -> None:
        self._maybe_key()
        mark = self.mark()
        self.index += 1
        value, _left = self._flow_scalar(None, 0, True, char)
        self.key_allowed = False
        self.scalar_allowed = bool(self.flows)
        self.json_flow = True
        self._push(_QUOTED, mark, value)

    def _flow_scalar(self, end: re.Pattern[str] | None, indent: int, quoted: bool, quote: str = "") -> tuple[str, bool]:
        """A plain or quoted scalar, folded; returns it and whether it ended by a line that is less indented."""
        text = self.text
        out: list[str] = []
        length = 0
        kept = 0  # length of the scalar up to its last escape, which trimming must not touch
        escaped_any = False
        empty = False
        left = False
        run = _RUN_SINGLE if quote == "'" else _RUN_DOUBLE if quote else _RUN_FLOW if self.flows else _RUN_BLOCK
        while self.index < self.size:
            solid = length
            escaped_newline = False
            while self.index < self.size:
                char = text[self.index]
                if char in "\n\r" and not (end and end.match(text, self.index)):
                    break
                if quoted:
                    if char == quote and not (quote == "'" and text.startswith("''", self.index)):
                        break
                elif end and end.match(text, self.index):
                    break
                if self.index == self.line_start and _DOC.match(text, self.index):
                    if quoted:
                        raise self.error("illegal document indicator in scalar")
                    break
                if quote == '"' and char == "\\" and text[self.index + 1 : self.index + 2] in ("\n", "\r"):
                    self.index += 1
                    solid = length
                    kept = length
                    escaped_any = True
                    escaped_newline = True
                    break
                # outside quotes the escape character is NUL, by accident
                if char == ("\\" if quote == '"' else quote or "\0"):
                    piece = self._escape()
                    out.append(piece)
                    length += len(piece)
                    solid = kept = length
                    escaped_any = True
                    continue
                match = run.match(text, self.index)
                piece = match.group() if match and self.index != self.line_start else char
                self.index += len(piece)
                out.append(piece)
                if quoted:
                    stripped = len(piece.rstrip(" \t"))
                    if stripped:
                        solid = length + stripped
                    length += len(piece)
                else:
                    length += len(piece)
                    if char not in " \t":
                        solid = length
            if self.index >= self.size:
                if quoted:
                    raise self.error("illegal EOF in scalar")
                break
            if not quoted and self.index == self.line_start and _DOC.match(text, self.index):
                break
            char = text[self.index]
            if quoted:
                if char == quote and not escaped_newline:
                    self.index += 1
                    break
            elif end and end.match(text, self.index):
                break
            if solid < length:
                joined = "".join(out)[:solid]
                out = [joined]
                length = solid
            self.advance_break()
            while self.peek() == " " and self.column < indent and not (end and end.match(text, self.index)):
                self.index += 1
            while self.peek() in (" ", "\t"):
                if self.peek() == "\t" and self.column < indent and not quoted:
                    raise self.error("illegal tab when looking for indentation")
                if end and end.match(text, self.index):
                    break
                self.index += 1
            next_empty = self.peek() in ("\n", "\r")
            if next_empty:
                out.append("\n")
                length += 1
            elif not empty and not escaped_newline:
                out.append(" ")
                length += 1
            empty = next_empty
            if not empty and self.column < indent:
                left = True
                break
        value = "".join(out)
        if not quoted:
            value = value.rstrip(" \t")
            value = value.rstrip("\n")
        else:
            # a quoted scalar is clipped: of trailing line breaks only one is kept, unless an escape made them
            unbroken = value.rstrip("\n")
            limit = kept if escaped_any else 0
            cut = max(len(unbroken), min(limit + 1, len(value)) if escaped_any else 0)
            if not unbroken and not escaped_any:
                value = ""
            elif cut + 1 < len(value):
                value = value[: cut + 1]
        return value, left

    def _escape(self) -> str:
        text = self.text
        if text.startswith("''", self.index):
            self.index += 2
            return "'"
        char = text[self.index + 1 : self.index + 2]
        self.index += 2
        simple = _ESCAPES.get(char)
        if simple is not None:
            return simple
        digits = {"x": 2, "u": 4, "U": 8}.get(char)
        if digits is None:
            raise self.error(f"unknown escape character: {char}")
        word = text[self.index : self.index + digits]
        self.index = min(self.index + digits, self.size)
        if len(word) < digits or not re.fullmatch(r"[0-9a-fA-F]+", word):
            raise self.error("bad character found while scanning hex number")
        code = int(word, 16)
        if 0xD800 <= code <= 0xDFFF or code > 0x10FFFF:
            raise self.error(f"invalid unicode: {code}")
        return chr(code)

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
        value = self._block_lines(indent, detect, fold)
        if chomp == "-":
            value = value.rstrip("\n")
        elif chomp != "+":
            stripped = value.rstrip("\n")
            value = stripped + "\n" if stripped and len(stripped) < len(value) else stripped
        self.key_allowed = True
        self.json_flow = False
        self._push(_QUOTED, mark, value)

    def _block_lines(self, indent: int, detect: bool, fold: bool) -> str:
        text = self.text
        out: list[str] = []
        found = False
        past_opening = False
        empty = False
        more = False
        folded = 0
        folded_more = False
        while self.index < self.size:
            while self.index < self.size and text[self.index] not in "\n\r":
                found = True
                past_opening = True
                match = _RUN_LINE.match(text, self.index)
                if match:
                    out.append(match.group())
                    self.index = match.end()
                else:
                    out.append(self._escape())
            if self.index >= self.size:
                break
            self.advance_break()
            while self.peek() == " " and (self.column < indent or (detect and not found)):
                self.index += 1
            if detect and not found:
                indent = max(indent, self.column)
            if self.peek() == "\t" and self.column < indent:
                raise self.error("illegal tab when looking for indentation")
            following = self.peek()
            next_empty = following in ("\n", "\r")
            next_more = following in (" ", "\t")
            if fold and folded == 0 and next_empty:
                folded_more = more
            if past_opening:
                if not fold:
                    out.append("\n")
                else:
                    if not empty and not next_empty and not more and not next_more and self.column >= indent:
                        out.append(" ")
                    elif next_empty:
                        folded += 1
                    else:
                        out.append("\n")
                    if not next_empty and folded > 0:
                        out.append("\n" * (folded - 1))
                        if folded_more or next_more or not found:
                            out.append("\n")
                        folded = 0
            empty = next_empty
            more = next_more
            past_opening = True
            if not empty and self.column < indent:
                break
        return "".join(out)


_ESCAPES = {
    "0": "\0", "a": "\x07", "b": "\x08", "t": "\t", "\t": "\t", "n": "\n", "v": "\x0b", "f": "\x0c", "r": "\r",
    "e": "\x1b", " ": " ", '"': '"', "'": "'", "\\": "\\", "/": "/", "N": "\udc85", "_": "\udca0", "L": "\u2028",
    "P": "\u2029",
}  # fmt: skip
# yaml-cpp writes \N and \_ as single bytes, which are not UTF-8


class _Parser:
    """yaml-cpp's parser of one document at a time, building nodes without recursion limits of Python's own."""

    def __init__(self, scanner: _Scanner) -> None:
        self.scanner = scanner
        self.anchors: dict[str, Yaml] = {}
        self.flow_seq: list[bool] = []
        self.depth = 0
        self.nodes = 0

    def document(self) -> Yaml:
        scanner = self.scanner
        if scanner.front().kind == _DOC_START:
            scanner.pop()
        node = self.node()
        while not scanner.empty() and scanner.front().kind == _DOC_END:
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

    def _node(self) -> Yaml:
        scanner = self.scanner
        self._count()
        if scanner.empty():
            return Yaml(NULL, None, scanner.mark())
        token = scanner.front()
        mark = token.mark
        if token.kind == _VALUE:
            return self._map(Yaml(MAP, [], mark))
        if token.kind == _ALIAS:
            target = self.anchors.get(token.value)
            if target is None:
                raise scanner.error(f"the referenced anchor is not defined: {token.value}", mark)
            scanner.pop()
            self._count(_size(target))
            return target
        tag = ""
        anchor = ""
        while not scanner.empty():
            token = scanner.front()
            if token.kind == _TAG:
                if tag:
                    raise scanner.error("cannot assign multiple tags to the same node", token.mark)
                tag = token.value
                scanner.pop()
            elif token.kind == _ANCHOR:
                if anchor:
                    raise scanner.error("cannot assign multiple anchors to the same node", token.mark)
                anchor = token.value
                scanner.pop()
            else:
                break
        node = Yaml(NULL, None, mark)
        if anchor:
            self.anchors[anchor] = node
        if scanner.empty():
            return node
        token = scanner.front()
        kind = token.kind
        if kind in (_PLAIN, _QUOTED):
            if kind == _QUOTED or tag or token.value not in NULL_TEXTS:
                node.kind = SCALAR
                node.value = token.value
                node.style = '"' if kind == _QUOTED else ""
            scanner.pop()
            return node
        if kind in (_FLOW_SEQ_START, _SEQ_START):
            node.kind = SEQUENCE
            node.value = []
            return self._sequence(node)
        if kind in (_FLOW_MAP_START, _MAP_START) or (kind == _KEY and self.flow_seq and self.flow_seq[-1]):
            node.kind = MAP
            node.value = []
            return self._map(node)
        if tag:
            node.kind = SCALAR
            node.value = ""
        return node

    def _sequence(self, node: Yaml) -> Yaml:
        scanner = self.scanner
        flow = scanner.front().kind == _FLOW_SEQ_START
        scanner.pop()
        self.flow_seq.append(flow)
        items = node.value
        while True:
            if scanner.empty():
                raise scanner.error("end of sequence flow not found" if flow else "end of sequence not found")
            token = scanner.front()
            if flow:
                if token.kind == _FLOW_SEQ_END:
                    scanner.pop()
                    break
                items.append(self.node())
                if scanner.empty():
                    raise scanner.error("end of sequence flow not found")
                token = scanner.front()
                if token.kind == _FLOW_ENTRY:
                    scanner.pop()
                elif token.kind != _FLOW_SEQ_END:
                    raise scanner.error("end of sequence flow not found", token.mark)
                continue
            if token.kind not in (_ENTRY, _SEQ_END):
                raise scanner.error("end of sequence not found", token.mark)
            scanner.pop()
            if token.kind == _SEQ_END:
                break
            if not scanner.empty():
                following = scanner.front()
                if following.kind in (_ENTRY, _SEQ_END):
                    self._count()
                    items.append(Yaml(NULL, None, following.mark))
                    continue
            items.append(self.node())
        self.flow_seq.pop()
        return node

    def _map(self, node: Yaml) -> Yaml:
        scanner = self.scanner
        start = scanner.front().kind
        pairs = node.value
        self.flow_seq.append(False)
        if start == _KEY:
            mark = scanner.front().mark
            scanner.pop()
            key = self.node()
            pairs.append((key, self._map_value(mark)))
        elif start == _VALUE:
            key = Yaml(NULL, None, scanner.front().mark)
            scanner.pop()
            pairs.append((key, self.node()))
        else:
            flow = start == _FLOW_MAP_START
            stop = _FLOW_MAP_END if flow else _MAP_END
            scanner.pop()
            message = "end of map flow not found" if flow else "end of map not found"
            while True:
                if scanner.empty():
                    raise scanner.error(message)
                token = scanner.front()
                if token.kind == stop:
                    scanner.pop()
                    break
                if not flow and token.kind not in (_KEY, _VALUE):
                    raise scanner.error(message, token.mark)
                mark = token.mark
                if token.kind == _KEY:
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
                if token.kind == _FLOW_ENTRY:
                    scanner.pop()
                elif token.kind != _FLOW_MAP_END:
                    raise scanner.error(message, token.mark)
        self.flow_seq.pop()
        return node

    def _map_value(self, mark: Mark) -> Yaml:
        scanner = self.scanner
        if not scanner.empty() and scanner.front().kind == _VALUE:
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
    scanner = _Scanner(text)
    documents: list[Yaml] = []
    version_seen = False
    tags: set[str] = set()
    while True:
        read_directive = False
        while not scanner.empty() and scanner.front().kind == _DIRECTIVE:
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
