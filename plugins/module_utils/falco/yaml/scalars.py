# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""yaml-cpp's reading of scalars: plain, quoted and block, with its folding, escapes and accidents.

Sources: `src/scanscalar.cpp`, `src/exp.cpp` and `src/stream.cpp` of https://github.com/jbeder/yaml-cpp.
"""

from __future__ import annotations

import re

from .nodes import Mark, YamlError

_DOC = re.compile(r"(?:---|\.\.\.)(?=[ \t\n\r]|\Z)")
# What a run of ordinary characters inside a scalar is: up to anything that ends or changes it.
_RUN_BLOCK = re.compile(r"[^\s:#\\'\"\x00]+")
_RUN_FLOW = re.compile(r"[^\s:#\\'\",?\[\]{}\x00]+")
_RUN_SINGLE = re.compile(r"[^'\n\r]+")
_RUN_DOUBLE = re.compile(r"[^\"\\\n\r]+")
_RUN_LINE = re.compile(r"[^\n\r\x00]+")

_ESCAPES = {
    "0": "\0", "a": "\x07", "b": "\x08", "t": "\t", "\t": "\t", "n": "\n", "v": "\x0b", "f": "\x0c", "r": "\r",
    "e": "\x1b", " ": " ", '"': '"', "'": "'", "\\": "\\", "/": "/", "N": "\udc85", "_": "\udca0", "L": "\u2028",
    "P": "\u2029",
}  # fmt: skip
# yaml-cpp writes \N and \_ as single bytes, which are not UTF-8


class ScalarReader:
    """A text with a position in it, from which scalars are read.

    Attributes:
        index: offset of the next character.
        line, line_start: its line, from 0, and the offset where that line starts.
        newline: the kind of line break that counts lines, the first one in the text.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.size = len(text)
        self.index = 0
        self.line = 0
        self.line_start = 0
        self.newline = ""

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
        for _character in range(length):
            char = text[self.index]
            self.index += 1
            if not self.newline:
                self.newline = "\r" if char == "\r" and not text.startswith("\n", self.index) else "\n"
            if char == self.newline:
                self.line += 1
                self.line_start = self.index

    def flow_scalar(  # noqa: C901 - the loop of yaml-cpp's ScanScalar, step by step; it runs once for each character
        self, end: re.Pattern[str] | None, indent: int, quote: str = "", in_flow: bool = False
    ) -> tuple[str, bool]:
        """A plain or quoted scalar, folded; returns it and whether it ended by a line that is less indented."""
        text = self.text
        quoted = bool(quote)
        out: list[str] = []
        length = 0
        kept = 0  # length of the scalar up to its last escape, which trimming must not touch
        escaped_any = False
        empty = False
        left = False
        run = _RUN_SINGLE if quote == "'" else _RUN_DOUBLE if quote else _RUN_FLOW if in_flow else _RUN_BLOCK
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

    def _block_line(self, out: list[str]) -> bool:
        """Append the rest of a line to `out`; tell whether there was any."""
        text = self.text
        start = self.index
        while self.index < self.size and text[self.index] not in "\n\r":
            match = _RUN_LINE.match(text, self.index)
            if match:
                out.append(match.group())
                self.index = match.end()
            else:
                out.append(self._escape())
        return self.index > start

    def _block_indent(self, indent: int, detect: bool) -> int:
        """Step over a line's indentation; returns that of the block, which is the line's where it is to be detected."""
        while self.peek() == " " and (self.column < indent or detect):
            self.index += 1
        if detect:
            indent = max(indent, self.column)
        if self.peek() == "\t" and self.column < indent:
            raise self.error("illegal tab when looking for indentation")
        return indent

    def block_lines(self, indent: int, detect: bool, fold: bool) -> str:
        out: list[str] = []
        found = False
        past_opening = False
        empty = False
        more = False
        folded = 0
        folded_more = False
        while self.index < self.size:
            if self._block_line(out):
                found = past_opening = True
            if self.index >= self.size:
                break
            self.advance_break()
            indent = self._block_indent(indent, detect and not found)
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
