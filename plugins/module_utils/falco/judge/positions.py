# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From an offset in a condition, as Falco sees it, back to line and column of the rules file.

Falco's positions point into a text that lists, exceptions and YAML folding have changed. Here the word at
the offset is looked for in the lines of the YAML value that the condition came from.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from ..load.context import Context
from ..load.items import MacroItem
from ..load.ruleset import Loaded

_WORD = re.compile(r"[^\s()\"',=]+")


def condition_position(context: Context, lines: Sequence[str]) -> tuple[int | None, int | None]:
    """Find the place of a spot in a condition.

    Args:
        context: a chain whose last link is inside a condition.
        lines: of the file that the chain starts in.

    Returns:
        Line and column, 1-based: of the word, or else of where the YAML value starts.
    """
    base: Any = context.locations[-2].mark
    condition, index = context.condition or "", context.index or 0
    match = _WORD.search(condition, index)
    if match is None:
        return base.line + 1, base.column + 1
    word = match.group()
    occurrence = len(re.findall(re.escape(word), condition[:index]))
    found = _find(lines, base.line, base.column, word, occurrence)
    return found if found else (base.line + 1, base.column + 1)


_CULPRIT = re.compile(
    r"nonexistent field (\S+)|unknown event type (.+)|unknown event argument (\S+)"
    r"|'([^']+)' may be|regex check with '(.+)' may be"
)


def culprit_macro(message: str, condition: str, loaded: Loaded) -> tuple[MacroItem, str] | None:
    """The macro that really holds what a finding on a rule's condition is about.

    Args:
        message: Falco's message, which names a field or a value.
        condition: the rule's own condition.
        loaded: the ruleset.

    Returns:
        The macro and the word, or None when the word stands in the rule's condition or cannot be found.
    """
    match = _CULPRIT.search(message)
    if match is None:
        return None
    word = next(group for group in match.groups() if group)
    if word in condition:
        return None
    for macro in loaded.compiler.macros.values():
        if word in macro.item.condition:
            return macro.item, word
    return None


def macro_position(macro: MacroItem, word: str, lines: Sequence[str]) -> tuple[int, int]:
    """Line and column, 1-based, of a word in a macro's condition."""
    base: Any = macro.condition_context.locations[-1].mark
    return _find(lines, base.line, base.column, word, 0) or (base.line + 1, base.column + 1)


def _find(lines: Sequence[str], line: int, column: int, word: str, occurrence: int) -> tuple[int, int] | None:
    """Find the n-th occurrence of a word in a YAML value that starts at a 0-based position."""
    indent = len(lines[line]) - len(lines[line].lstrip(" -")) if line < len(lines) else 0
    last: tuple[int, int] | None = None
    number = line
    while number < len(lines):
        text = lines[number]
        shallow = bool(text.strip()) and len(text) - len(text.lstrip(" ")) <= indent
        if number > line and shallow and text.lstrip(" ")[:1] not in ("'", '"'):
            break
        start = column if number == line else 0
        spot = text.find(word, start)
        while spot >= 0:
            last = (number + 1, spot + 1)
            if occurrence == 0:
                return last
            occurrence -= 1
            spot = text.find(word, spot + len(word))
        number += 1
    return last
