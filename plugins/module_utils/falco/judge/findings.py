# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Findings on rulesets: what is wrong, where a person finds it, and what would be right."""

from __future__ import annotations

from typing import Any

from ...common.finding import Finding
from ..codes import ERROR, severity
from ..load.context import CONDITION, Context
from ..load.result import Issue
from ..load.ruleset import Loaded
from .positions import condition_position, culprit_macro, macro_position

EXCERPT_WIDTH = 160


class Texts:
    """The files' lines, split once, for excerpts."""

    def __init__(self, loaded: Loaded) -> None:
        self._contents = loaded.contents
        self._lines: dict[str, list[str]] = {}

    def lines(self, file: str) -> list[str]:
        found = self._lines.get(file)
        if found is None:
            found = self._lines[file] = self._contents.get(file, "").split("\n")
        return found

    def excerpt(self, file: str, line: int | None, column: int | None) -> str:
        """The line and a caret below the column (1-based), cut to `EXCERPT_WIDTH` around it."""
        lines = self.lines(file)
        if line is None or column is None or not 0 < line <= len(lines):
            return ""
        text = lines[line - 1].rstrip("\r").replace("\t", " ")
        spot = min(column - 1, len(text))
        start = max(0, spot - EXCERPT_WIDTH // 2)
        shown = text[start : start + EXCERPT_WIDTH]
        return f"{shown}\n{' ' * (spot - start)}^"


def describe(context: Context) -> str:
    """Name the entry that a context is in."""
    kind, name = context.item
    return f"{kind} '{name}'" if name else ""


def finding_of(issue: Issue, loaded: Loaded, texts: Texts, ruleset: str = "") -> Finding:
    """Make a finding of one of Falco's issues."""
    from .hints import hint_for

    context = issue.context
    file = context.file
    message = issue.text
    line: int | None = None
    column: int | None = None
    if len(context.locations) > 1 or issue.code != "LOAD_ERR_YAML_PARSE":
        spot = context.locations[-1]
        if spot.item_type == CONDITION:
            culprit = culprit_macro(issue.message, context.condition or "", loaded)
            if culprit:
                macro, word = culprit
                file = macro.context.file
                message = f"{message} (in macro '{macro.name}')"
                line, column = macro_position(macro, word, texts.lines(file))
            else:
                line, column = condition_position(context, texts.lines(file))
        else:
            line, column = spot.mark.line + 1, spot.mark.column + 1
    return Finding(
        code=issue.code,
        severity=severity(issue.code),
        file=file,
        line=line,
        column=column,
        item=describe(context),
        message=message,
        hint=hint_for(issue, loaded),
        excerpt=texts.excerpt(file, line, column),
        ruleset=ruleset,
    )


def findings_of(loaded: Loaded, ruleset: str = "") -> list[Finding]:
    """All of Falco's findings on a ruleset, each once.

    Falco repeats, for each further file, what it found in the earlier ones; here the last word counts: a
    macro that a later file uses is not unused.
    """
    texts = Texts(loaded)
    found: dict[tuple[Any, ...], Finding] = {}
    last = loaded.results[-1] if loaded.results else None
    for result in loaded.results:
        for issue in result.errors:
            one = finding_of(issue, loaded, texts, ruleset)
            found.setdefault((one.code, one.file, one.line, one.column, one.message), one)
        for issue in result.warnings:
            unused = issue.code in ("LOAD_UNUSED_MACRO", "LOAD_UNUSED_LIST")
            if unused and result is not last and last is not None and last.successful:
                continue
            one = finding_of(issue, loaded, texts, ruleset)
            found.setdefault((one.code, one.file, one.line, one.column, one.message), one)
    return sorted(found.values(), key=lambda one: one.severity != ERROR)
