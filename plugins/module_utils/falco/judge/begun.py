# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people type in conditions that Falco stumbles over only further behind: it reads on as long as it can.

`NOT x` is a macro and then a word too many, `<>` is `<` and then no number, a curly quote is a letter of a value, and a
quote that nobody closed goes on to the next one.
"""

from __future__ import annotations

import re

from ..condition import lexer
from .advice import Advice

_CAPITALS = re.compile(r"(?:^|[\s(])(AND|OR|NOT|And|Or|Not)\s*$")
_FIRST = re.compile(r"\s*(and|or)\b\s*", re.I)
_UNEQUAL = re.compile(r"<$|=!\s*$")
_COMMENT = re.compile(r"#[^\s,()]*\s+$")
_OPENED = "\u201c\u201e\u2018"
_CURLY_BEFORE = re.compile(f"[{_OPENED}][^\\s,()]*\\s*$")
_CURLY_WHOLE = re.compile("[\u201c\u201e][^\u201c\u201d\n]*[\u201c\u201d]|\u2018[^\u2018\u2019\n]*[\u2018\u2019]")
_STRAIGHT = str.maketrans({"\u201c": '"', "\u201d": '"', "\u201e": '"', "\u2018": "'", "\u2019": "'"})
_LABEL = re.compile(r"\b(k8s(?:meta)?\.(?:pod|ns)\.labels?)\.([\w.]+)\s*$")
_LABEL_REST = re.compile(r"[/-][\w./-]*")


def begun(before: str, after: str) -> Advice:
    """Advice by what stands before the place where a condition cannot be read any further; empty for nothing known.

    Args:
        before, after: the condition up to there, and from there.
    """
    match = _FIRST.fullmatch(before)
    if match:
        return Advice(f"the condition begins with '{match.group(1)}': {_TO_ADD}", back=_back(before, match, 1))
    match = _CAPITALS.search(before)
    if match:
        word = match.group(1)
        return Advice(
            f"operators are written small: '{word.lower()}'", word, word.lower(), back=_back(before, match, 1)
        )
    match = _UNEQUAL.search(before)
    if match and (before.endswith("=!") or before.rstrip().endswith("=!") or after.startswith(">")):
        wrong = "<>" if after.startswith(">") else "=!"
        return Advice("write '!='", wrong, "!=", back=_back(before, match))
    match = _COMMENT.search(before)
    if match:
        return Advice(IN_BLOCK, back=_back(before, match))
    return _quote(before, after)


_TO_ADD = "remove it, or add 'override: {condition: append}' where it shall be added to what stands already"
IN_BLOCK = (
    "a '#' within a condition is no comment, because YAML reads it as text in a block (| or >): "
    "put the comment above the entry"
)


def _quote(before: str, after: str) -> Advice:
    """Advice on quotes: one that is never closed, one that closed a longer text than was meant, and curly ones."""
    match = _CURLY_BEFORE.search(before)
    if match:
        whole = _CURLY_WHOLE.match(before[match.start() :] + after)
        wrong = whole.group() if whole else ""
        return Advice("write straight quotes", wrong, wrong.translate(_STRAIGHT), back=_back(before, match))
    if after[:1] in ("'", '"') and lexer.quoted_end(after, 0) < 0:
        return Advice(f"the quote {after[0]} that opens here is not closed")
    start = _last_quoted(before)
    if start is not None and after[:1] not in ("", " ", "\t", "\n", ")", ","):
        return Advice(
            f"the quote {before[start]} that opens here is closed only before '{after.split()[0]}': close it where its "
            "text ends",
            back=len(before) - start,
        )
    return Advice()


def _last_quoted(before: str) -> int | None:
    """Where the text in quotes begins that ends right at the end of a condition's part."""
    index = 0
    while index < len(before):
        if before[index] in "'\"":
            end = lexer.quoted_end(before, index)
            if end == len(before):
                return index
            index = end if end > 0 else index + 1
        else:
            index += 1
    return None


def label(before: str, after: str) -> Advice | None:
    """Advice on a label whose name has a slash or hyphen, written behind a dot."""
    match, rest = _LABEL.search(before), _LABEL_REST.match(after)
    if not match or not rest:
        return None
    field = match.group(1).removesuffix("s")
    right = f"{field}[{match.group(2)}{rest.group()}]"
    return Advice(
        f"the argument stands in brackets: '{right}'", match.group() + rest.group(), right, back=_back(before, match)
    )


def _back(text: str, match: re.Match[str], group: int = 0) -> int:
    return len(text) - match.start(group)
