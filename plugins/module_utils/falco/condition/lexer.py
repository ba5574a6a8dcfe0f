# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tokens of Falco conditions.

The grammar has no token stream of its own: what a piece of text is depends on what the parser expects
there (`in` may be an operator, a macro or a value). So this module offers one compiled expression per
kind of token, to be matched at a position, and the reading of quoted strings.

Specification: the grammar at the top of `userspace/libsinsp/filter/parser.h` in falcosecurity/libs.
Bytes that are not UTF-8 arrive as lone surrogates (Python's `surrogateescape`); Falco's expressions
never match such a byte inside a negated class, hence the range in `_BAD`.
"""

from __future__ import annotations

import re

from ..errors import Cause, ConditionSyntaxError, Reason

_BAD = "\udc80-\udcff"
_SPACE = " \\t\\n\\v\\f\\r"
BLANKS = " \t\b\r\n"

blank = re.compile("[ \\t\\x08\\r\\n]*").match
"""Skips blanks (a backspace is one, form feed and vertical tab are not); always matches."""

field = re.compile(r"[a-zA-Z][a-zA-Z0-9_]*(?:\.[a-zA-Z][a-zA-Z0-9_]*)+").match
identifier = re.compile(r"[a-zA-Z][a-zA-Z0-9_]*").match
negation = re.compile(f"not[{_SPACE}]+").match
number = re.compile(r"0[xX][0-9a-fA-F]+|[+\-]?[0-9]+\.?[0-9]*(?:[eE][+\-][0-9]+)?").match
bare_string = re.compile(f"[^()\"'{_SPACE}=,{_BAD}]+").match
bare_argument = re.compile(f"[^\\]\\[\"'{_SPACE}{_BAD}]+").match
transformer = re.compile(r"(tolower|toupper|b64|basename|len|join|concat|getopt)\(").match
operator = re.compile(
    r"exists|<=|<|>=|>|==|=|!="
    r"|(?:glob|iglob|contains|icontains|bcontains|startswith|bstartswith|endswith|regex)(?=[ \t\x08\r\n])"
    r"|intersects|in|pmatch"
).match
modifier = re.compile(r"(oneof|anyof|allof)[ \t\x08\r\n]+(?=[(a-zA-Z])(?!(?:and|or|not)(?![a-zA-Z0-9]))").match
"""A list modifier that a list or a name follows; `and`, `or`, `not` after it mean that it was a plain value."""

NUMERIC_OPERATORS = frozenset(("<=", "<", ">=", ">"))
LIST_OPERATORS = frozenset(("in", "intersects", "pmatch"))
STRING_OPERATORS = (
    "==",
    "=",
    "!=",
    "glob",
    "iglob",
    "contains",
    "icontains",
    "bcontains",
    "startswith",
    "bstartswith",
    "endswith",
    "regex",
)
OPERATORS = ("exists", "<=", "<", ">=", ">", *STRING_OPERATORS, "intersects", "in", "pmatch")
MODIFIERS = ("oneof", "anyof", "allof")

_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", " ": "\\", "\\": "\\", "/": "/"}
_HEX = re.compile(r"[0-9a-fA-F]{2}")


def quoted_end(text: str, index: int) -> int:
    """Find the end of the quoted string that starts at `index`.

    A quote after a backslash does not close the string, even when that backslash is itself escaped.

    Returns:
        The offset after the closing quote, or -1 when there is none (a NUL byte ends the search).
    """
    quote = text[index]
    end = text.find(quote, index + 1)
    while end >= 0 and text[end - 1] == "\\":
        end = text.find(quote, end + 1)
    if end < 0 or text.find("\0", index, end) >= 0:
        return -1
    return end + 1


def unescape(literal: str, index: int) -> str:
    """Resolve the escapes of a quoted string.

    Args:
        literal: the string with its quotes, as C(quoted_end) finds it.
        index: offset of `literal` in the condition, for errors.

    Raises:
        ConditionSyntaxError: an escape that Falco does not know; its index is the end of the literal,
            because a list's first value is retried from there.
    """
    if "\\" not in literal:
        return literal[1:-1]
    end = index + len(literal)
    quote = literal[0]
    out: list[str] = []
    i, last = 1, len(literal) - 1
    while i < last:
        char = literal[i]
        i += 1
        if char != "\\":
            out.append(char)
            continue
        char = literal[i]
        if char in _ESCAPES:
            out.append(_ESCAPES[char])
        elif char in ("'", '"'):
            if char != quote:
                raise ConditionSyntaxError(f"invalid \\{char} escape in {quote}-quoted string", end)
            out.append(char)
        elif char == "x":
            if i + 2 >= last:
                raise ConditionSyntaxError("truncated hex char escape sequence", end)
            digits = literal[i + 1 : i + 3]
            if not _HEX.fullmatch(digits):
                raise ConditionSyntaxError(f"invalid hex char escape sequence: {digits}", end)
            byte = int(digits, 16)
            out.append(chr(byte) if byte < 0x80 else chr(0xDC00 + byte))
            i += 2
        else:
            raise ConditionSyntaxError(
                f"unsupported string escape sequence: \\{char}", end, Cause(Reason.UNKNOWN_ESCAPE, f"\\{char}")
            )
        i += 1
    return "".join(out)


def escape(text: str) -> str:
    """Write a constant so that `unescape` reads it back; bare when it needs no quotes and is not empty."""
    bare = bare_string(text)
    return text if bare and bare.end() == len(text) else quoted(text)


def quoted(text: str) -> str:
    """Write a constant in quotes so that `unescape` reads it back."""
    out = ['"']
    for index, char in enumerate(text):
        if char == '"':
            out.append('\\"')
        elif char == "\\":
            # Two backslashes before the closing quote would not let it close; a backslash and a space mean one, too.
            out.append("\\\\" if index + 1 < len(text) else "\\ ")
        elif char in "\b\f\n\r\t":
            out.append({"\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}[char])
        elif char < " " or char == "\x7f":
            out.append(f"\\x{ord(char):02x}")
        elif "\udc80" <= char <= "\udcff":
            out.append(f"\\x{ord(char) - 0xDC00:02x}")
        else:
            out.append(char)
    out.append('"')
    return "".join(out)
