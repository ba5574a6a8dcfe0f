# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Findings on rulesets: what is wrong, where a person finds it, and what would be right."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...common.finding import Finding, Fix
from ...common.mend import MARK
from ..codes import ERROR, severity
from ..load.context import CONDITION, RULE_OUTPUT, Context
from ..load.result import Issue
from ..load.ruleset import Loaded, Loader
from .advice import Advice
from .hints import advice_on
from .positions import Names, Place, Places

EXCERPT_WIDTH = 160


class Texts:
    """The files' lines, split once, for excerpts."""

    def __init__(self, loaded: Loaded) -> None:
        self._contents = loaded.contents
        self._lines: dict[str, list[str]] = {}

    def lines(self, file: str) -> list[str]:
        found = self._lines.get(file)
        if found is None:
            found = self._lines[file] = self._contents.get(file, "").removeprefix(MARK).split("\n")
        return found

    def fix(self, place: Place, advice: Advice) -> Fix | None:
        """The mend that is advised, where what is wrong stands at the place in these very letters."""
        lines = self.lines(place.file)
        if advice.mend_at is not None:
            place = place._replace(line=advice.mend_at[0], column=advice.mend_at[1])
        if not advice.wrong or place.line is None or place.column is None or place.line > len(lines):
            return None
        start = place.column - 1
        if lines[place.line - 1][start : start + 1] in ("'", '"') and advice.wrong[0] not in "'\"":
            start += 1
        if not lines[place.line - 1].startswith(advice.wrong, start):
            return None
        return Fix(place.line, start + 1, start + 1 + len(advice.wrong), advice.right)

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


def told(way: Names) -> str:
    """The way from an entry to what is wrong, the nearest last: `in list 'a' of macro 'b'`."""
    if not way:
        return ""
    return "in " + " of ".join(f"{kind} '{name}'" for kind, name in reversed(way))


def placed(
    texts: Texts, ruleset: str, code: str, place: Place, entry: str, item: str, message: str, advice: Advice
) -> Finding:
    """A finding at its place.

    Args:
        texts: the ruleset's.
        ruleset: its name.
        code: of the finding.
        place: where it stands, with the way to there.
        entry: where that way begins.
        item: what is named as wrong.
        message: why.
        advice: what would be right.
    """
    return Finding(
        code=code,
        severity=severity(code),
        file=place.file,
        line=place.line,
        column=place.column,
        item=item,
        message=message,
        hint=advice.hint,
        excerpt=texts.excerpt(place.file, place.line, place.column),
        ruleset=ruleset,
        way=(entry, *(f"{kind} '{name}'" for kind, name in place.way)) if place.way else (),
        fix=texts.fix(place, advice),
    )


class _Gathered:
    """What is found at one place, and the entries that it is found for."""

    __slots__ = ("issue", "items", "place", "places")

    def __init__(self, issue: Issue, place: Place, places: Places) -> None:
        self.issue = issue
        self.place = place
        self.places = places
        self.items: dict[str, None] = {}


class _Gatherer:
    """Makes findings of issues: each place once, however many rules use it."""

    def __init__(self, loaded: Loaded, ruleset: str, load: Callable[[Loaded], Loaded]) -> None:
        self.loaded = loaded
        self.ruleset = ruleset
        self.load = load
        self.texts = Texts(loaded)
        self.places = Places(loaded, self.texts.lines)
        self.found: dict[tuple[Any, ...], _Gathered] = {}
        self._earlier: dict[int, Places] = {}

    def add(self, number: int, issue: Issue) -> None:
        """Take an issue of the file of a number, from 0."""
        whole = issue.code == "LOAD_ERR_YAML_PARSE" and len(issue.context.locations) == 1
        where = self._places(number, issue)
        places = [Place(issue.context.file, None, None)] if whole else where.of(issue)
        for place in places:
            key = (issue.code, place.file, place.line, place.column, issue.text)
            known = self.found.setdefault(key, _Gathered(issue, place, where))
            known.items[describe(issue.context)] = None

    def _places(self, number: int, issue: Issue) -> Places:
        """Places in the ruleset as it was when an issue came up: later files change what stands in a condition."""
        inside = issue.code == "LOAD_NO_EVTTYPE" or issue.context.locations[-1].item_type in (CONDITION, RULE_OUTPUT)
        if not inside or number == len(self.loaded.files) - 1:
            return self.places
        found = self._earlier.get(number)
        if found is None:
            before = self.load(Loader.like(self.loaded).load(self.loaded.files[: number + 1]))
            found = self._earlier[number] = Places(before, self.texts.lines)
        return found

    def findings(self) -> list[Finding]:
        return [self._finding(one) for one in self.found.values()]

    def _finding(self, one: _Gathered) -> Finding:
        issue, place = one.issue, one.place
        advice = advice_on(issue, place, one.places)
        if advice.at is not None:
            place = place._replace(line=advice.at[0], column=advice.at[1])
        elif advice.back:
            place = next(iter(one.places.before(issue, advice.back)), place)
        item, *others = one.items
        message = issue.text
        detail = told(place.way)
        users = ""
        if others and place.way:
            # what many rules share is told once, of itself
            users = f"used by {len(one.items)} rules: {', '.join(list(one.items)[:NAMED])}"
            users += f" and {len(one.items) - NAMED} more" if len(one.items) > NAMED else ""
            item = f"{place.way[0][0]} '{place.way[0][1]}'"
        detail = ", ".join(filter(None, (detail, users)))
        message = f"{message} ({detail})" if detail else message
        return placed(self.texts, self.ruleset, issue.code, place, describe(issue.context), item, message, advice)


NAMED = 3
"""Rules that use what is wrong are named up to this number."""


def findings_of(
    loaded: Loaded, ruleset: str = "", load: Callable[[Loaded], Loaded] = lambda loaded: loaded
) -> list[Finding]:
    """All of Falco's findings on a ruleset, each once.

    Falco repeats, for each further file, what it found in the earlier ones; here the last word counts: a
    macro that a later file uses is not unused, and what an override mended is not wrong.

    Args:
        loaded: the ruleset.
        ruleset: its name, for the findings.
        load: how it was made of what Falco loads.
    """
    gatherer = _Gatherer(loaded, ruleset, load)
    last = loaded.results[-1] if loaded.results else None
    for number, result in enumerate(loaded.results):
        for issue in result.errors:
            gatherer.add(number, issue)
        for issue in result.warnings:
            if result is last or last is None or not last.compiled or not _comes_again(issue):
                gatherer.add(number, issue)
    return sorted(gatherer.findings(), key=lambda one: one.severity != ERROR)


def _comes_again(issue: Issue) -> bool:
    """Whether Falco warns of it again after each further file, unless that file mended it."""
    inside = issue.context.locations[-1].item_type == CONDITION
    return inside or issue.code in ("LOAD_UNUSED_MACRO", "LOAD_UNUSED_LIST")
