# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Advice on text that is no YAML: what a value needs quotes for, brackets, commas, tabs, indentation, templates."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .advice import Advice

_KEY = re.compile(r"\s*(?:- +)?[\w.-]+ *: +(?=\S)")
_BEGINS = re.compile(r"( *)(?:- +)?[\w.-]+ *:(?: |$)")
_WORD_BEFORE = re.compile(r"[^\s,\[\]]+$")
_IN_FLOW = re.compile(r"\[[^\]]*$")
_FLOW_WORD = re.compile(r"[^\s,\[\]]+")
TEMPLATE = "'{{' belongs to a template of Helm or Ansible: judge what it renders to"


def on_yaml(message: str, line: int, column: int, lines: Sequence[str]) -> Advice:
    """Advice on an error of the YAML; empty for nothing known.

    Args:
        message: the reader's.
        line, column: 1-based, where it stopped.
        lines: of the file.
    """
    text = lines[line - 1] if line <= len(lines) else ""
    start = column - 1
    if "{{" in text:
        return Advice(TEMPLATE)
    if "\t" in text[: len(text) - len(text.lstrip())]:
        return Advice("indent with blanks: YAML takes no tab there")
    if "unknown token" in message or "anchor is not defined" in message:
        return _quoted_from(text, line, start, f"a value that begins with '{text[start : start + 1]}' needs quotes")
    if "flow not found" in message:
        return _in_brackets(text, line, start, lines)
    if "illegal map value" in message:
        return _colon(text, line, start, lines)
    if "unexpected scalar" in message:
        return Advice(
            "the text in quotes ends before this: quote all of the value, and double a quote that is within it"
        )
    if "block scalar" in message:
        return Advice("'>' and '|' begin a block: its text stands on the lines below")
    if message.endswith(("end of map not found", "end of sequence not found")):
        return _indentation(text, line, lines)
    return Advice()


def _quoted_from(text: str, line: int, start: int, hint: str) -> Advice:
    """Advice to put what begins at an offset into quotes, up to the end of the value."""
    flow = _FLOW_WORD.match(text, start) if _IN_FLOW.search(text[:start]) else None
    value = flow.group() if flow else text[start:].rstrip()
    if not value or "'" in value:
        return Advice(hint, at=(line, start + 1))
    return Advice(hint, value, f"'{value}'", (line, start + 1))


def _in_brackets(text: str, line: int, start: int, lines: Sequence[str]) -> Advice:
    if text[start : start + 1] == "[":
        word = _WORD_BEFORE.search(text[:start])
        end = text.find("]", start)
        if word and end > 0:
            value = text[word.start() : end + 1]
            hint = "brackets within a list need quotes around the value"
            return Advice(hint, value, f"'{value}'", (line, word.start() + 1))
    if _IN_FLOW.search(text[:start]) and text[start : start + 1] not in ("", ":"):
        char = text[start]
        return Advice("a comma is missing before this", char, f", {char}")
    for number in range(min(line, len(lines)), 0, -1):
        for bracket, closing in (("[", "]"), ("{", "}")):
            before = lines[number - 1]
            if before.count(bracket) > before.count(closing):
                if "{{" in before:
                    return Advice(TEMPLATE, at=(number, before.find("{{") + 1))
                return Advice(f"the '{bracket}' that opens here is not closed", at=(number, before.rfind(bracket) + 1))
    return Advice()


def _colon(text: str, line: int, start: int, lines: Sequence[str]) -> Advice:
    key = _KEY.match(text)
    if key and start >= key.end():
        return _quoted_from(text, line, key.end(), "a value with ': ' in it needs quotes")
    above = line - 1
    while above > 0 and not lines[above - 1].strip():
        above -= 1
    before = lines[above - 1] if above else ""
    if before and not _BEGINS.match(before):
        column = len(before) - len(before.lstrip(" -")) + 1
        return Advice("a key ends with a colon and a blank", at=(above, column))
    return _indentation(text, line, lines)


def _indentation(text: str, line: int, lines: Sequence[str]) -> Advice:
    """Advice on a key that is not below those of its entry."""
    here = _BEGINS.match(text)
    for number in range(line - 1, 0, -1):
        above = re.match(r"( *)(- +)?[\w.-]+ *:(?: |$)", lines[number - 1])
        if above is None or not here:
            continue
        wanted = len(above.group(1)) + len(above.group(2) or "")
        given = len(here.group(1))
        hint = f"indent it by {wanted} blanks, as the key of line {number}"
        wrong = text[:given] if given else ""
        return Advice(hint, wrong, " " * wanted if wrong else "", mend_at=(line, 1))
    return Advice()
