# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people type in conditions that is another language's, and what it is called in Falco's."""

from __future__ import annotations

import re

from ..catalogue.language import Language
from .advice import Advice
from .begun import IN_BLOCK, begun

_WORDS = {"&&": "and", "||": "or", "&": "and", "|": "or"}
_BRACKETS = re.compile(r"\[([^\[\]\n()]*)\]|\{([^{}\n()]*)\}")
_STRING_OPERATOR = re.compile(r"(?:contains|icontains|startswith|endswith|glob|iglob|regex|=|==|!=)[ \t\n]*$")
_IN = re.compile(r"\b(?:in|intersects|pmatch)[ \t\n]+$")
_WITHIN_LIST = re.compile(r"\b(?:in|intersects|pmatch)[ \t\n]*\([^()]*[^\s(),][ \t\n]+$")
_WORD = re.compile(r"[^\s()\"',=]+")
_ONE_VALUE = re.compile(r"\"[^\"\n]*\"|'[^'\n]*'|[^\s()\"',=]+")
_OTHER_OPERATOR = re.compile(r"[a-z_]+|=~|~=?")
_OTHER_OPERATORS = {
    "is": "=", "eq": "=", "equals": "=", "ne": "!=", "matches": "regex", "match": "regex", "=~": "regex", "~": "regex",
    "has": "contains", "includes": "contains", "starts_with": "startswith", "ends_with": "endswith",
}  # fmt: skip
_IN_REGEX = re.compile(r"\bregex[ \t\n]*([\"'])(?:(?!\1).)*$", re.S)
_CLASSES = {
    "\\s": "[[:space:]]", "\\S": "[^[:space:]]", "\\d": "[0-9]", "\\D": "[^0-9]", "\\w": "[0-9A-Za-z_]",
    "\\W": "[^0-9A-Za-z_]",
}  # fmt: skip


def typed(before: str, after: str, language: Language) -> Advice:
    """Advice by what stands where a condition cannot be read any further; empty when it is nothing known.

    Args:
        before, after: the condition up to there, and from there.
        language: of the version of Falco.
    """
    if after.startswith("#"):
        return Advice(IN_BLOCK)
    for sign, word in _WORDS.items():
        if after.startswith(sign):
            return Advice(f"write '{word}'", sign, word)
    match = re.match(r"(?:AND|OR|NOT|IN|CONTAINS|STARTSWITH|ENDSWITH|EXISTS|And|Or|Not)\b", after)
    if match:
        return Advice(f"operators are written small: '{match.group().lower()}'", match.group(), match.group().lower())
    match = re.match(r"not[ \t]*==?", after)
    if match:
        return Advice("write '!='", match.group(), "!=")
    match = re.match(r"not[ \t]+([a-z]+)\b", after)
    if match and match.group(1) in language.operators:
        return Advice(f"'not' stands before the field: 'not FIELD {match.group(1)} ...'")
    match = _BRACKETS.match(after)
    if match:
        return Advice("a list stands in parentheses", match.group(), f"({match.group(1) or match.group(2)})")
    if after.startswith("(") and _STRING_OPERATOR.search(before):
        return _one_of_several(before, language)
    other = begun(before, after)
    if not other.hint:
        other = _of_elsewhere(before, after)
    if other.hint:
        return other
    if after.startswith(")"):
        return Advice("this ')' closes nothing: remove it, or open one before")
    if not after.strip():
        return Advice(_at_end(before))
    return Advice()


def _one_of_several(before: str, language: Language) -> Advice:
    """Advice on a list behind an operator that takes one value."""
    match = re.search(r"(?<![!<>])(==?)\s*$", before)
    if match:
        return Advice("one of several values is compared with 'in'", match.group(1), "in", back=len(match.group()))
    if "anyof" in language.modifiers:
        return Advice("one of several values needs 'anyof' before the parenthesis", "(", "anyof (")
    return Advice("this operator takes one value: write one comparison for each, joined by 'or'")


def _of_elsewhere(before: str, after: str) -> Advice:
    """Advice on operators that other languages have, and on one value where a list belongs."""
    if after.startswith("!") and not after.startswith("!="):
        return Advice("write 'not'", "!", "not ")
    if re.match(r"like\b", after):
        return Advice("write 'glob', with '*' where 'like' has '%' and '?' where it has '_'")
    match = _OTHER_OPERATOR.match(after)
    if match and match.group() in _OTHER_OPERATORS:
        right = _OTHER_OPERATORS[match.group()]
        return Advice(f"Falco's operator for it is '{right}'", match.group(), right)
    match = _WORD.match(after)
    if match and _WITHIN_LIST.search(before) and match.group() not in ("and", "or", "not"):
        return Advice(f"a comma is missing before '{match.group()}'")
    if _IN.search(before):
        match = _ONE_VALUE.match(after)
        if match:
            return Advice("a list stands in parentheses", match.group(), f"({match.group()})")
    return Advice()


def _at_end(before: str) -> str:
    last = before.split()[-1:] or [""]
    if last[0] in ("and", "or", "not"):
        return f"the condition ends with '{last[0]}': remove it, or write what belongs behind it"
    missing = before.count("(") - before.count(")")
    return f"{missing} ')' missing" if missing > 0 else ""


def in_posix(expression: str) -> Advice:
    """Advice on a regular expression that Falco does not read."""
    if "(?" in expression:
        return Advice(
            "Falco's expressions have no '(?...)'; to ignore case, compare 'tolower(FIELD)' with small letters"
        )
    right = expression
    for escape, known in _CLASSES.items():
        right = right.replace(escape, known)
    if right == expression or "[" in expression:
        return Advice("expressions are POSIX's extended ones")
    return Advice(f"expressions are POSIX's extended ones: write '{right}'", expression, right)


def escaped(escape: str, before: str) -> Advice:
    """Advice on a backslash within quotes that Falco does not know.

    Args:
        escape: the backslash and what follows it.
        before: the condition up to the end of the quotes.
    """
    start = max(before.rfind(escape), 0)
    known = _CLASSES.get(escape)
    if known is None or not _IN_REGEX.search(before, 0, start):
        return Advice("write two backslashes: within quotes one stands for an escape", escape, f"\\{escape}")
    if before.rfind("[", 0, start) > before.rfind("]", 0, start):
        inner = known[1:-1].removeprefix("^")
        return Advice(f"within brackets that is '{inner}': POSIX's expressions have no '{escape}'")
    return Advice(f"write '{known}': POSIX's expressions have no '{escape}'", escape, known)
