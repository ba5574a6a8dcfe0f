# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixes are proven before they are offered, and what shows only behind them is told as well.

Put into the files, a fix ends its finding and makes no new error. Where it ends an error, what was hidden behind that
one shows: of `a && b && c` Falco tells the first `&&` alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

from ...common.finding import Finding, Fix
from ...common.mend import apart, before_mends, fixes_of, mended_files
from ..codes import ERROR
from ..load.ruleset import Loaded, Loader, RulesFile
from .findings import Texts

ROUNDS = 12
"""How often fixes that do not hold are left out, or what shows behind those that do is added, and all tried again."""

_NO_RULES = "Rules content is not yaml"
"""What Falco says of a file that has rules within, once it is YAML; these are judged by themselves."""

_Spot = tuple[str, "int | None", "int | None", str]
Judge = Callable[[Loaded], "list[Finding]"]


class _Left(NamedTuple):
    """A finding on the mended files at its place in those that were given, and the fix that wrote what stands there."""

    finding: Finding
    within: Fix | None


def with_proven_fixes(findings: Sequence[Finding], loaded: Loaded, judge: Judge) -> list[Finding]:
    """Keep those fixes that mend what they are offered for, and add the errors that show behind them.

    Args:
        findings: on the ruleset.
        loaded: the ruleset.
        judge: finds what is wrong with another one.

    Returns:
        The findings, errors first; a fix after which its finding is still there, or another error comes of it, is left
        out. Errors that show behind a fix are marked as beyond what Falco comes to.
    """
    told = list(findings)
    loader = Loader.like(loaded)
    for _round in range(ROUNDS):
        if not any(one.fix for one in told):
            return told
        left = _left(told, loaded, loader, judge)
        known = {_spot(one) for one in told}
        worse = [
            one
            for one in left
            if one.finding.severity == ERROR
            and _spot(one.finding) not in known
            and not one.finding.message.startswith(_NO_RULES)
        ]
        refused = _refused(told, left, worse)
        if refused:
            told = [replace(one, fix=None) if number in refused else one for number, one in enumerate(told)]
        elif worse:
            told = _joined(told, [one.finding for one in worse], loaded)
        else:
            return told
    return [replace(one, fix=None) for one in told]


def _left(told: Sequence[Finding], loaded: Loaded, loader: Loader, judge: Judge) -> list[_Left]:
    """What is found on the files with all fixes in them."""
    texts = loaded.contents
    after = mended_files(told, texts)
    made = {file: apart(fixes) for file, fixes in fixes_of(told).items()}
    again = judge(loader.load([RulesFile(file.name, after.get(file.name, file.text)) for file in loaded.files]))
    lines = Texts(loaded).lines
    left = []
    for one in again:
        fixes = [fix for fix in made.get(one.file, ()) if fix.line == one.line]
        left.append(_before(one, fixes, lines(one.file)[one.line - 1]) if one.line and fixes else _Left(one, None))
    return left


def _before(one: Finding, fixes: Sequence[Fix], line: str) -> _Left:
    """A finding on mended files, at its place in those that were given."""
    if one.column is None:
        return _Left(one, None)
    column, within = before_mends(one.column, fixes, line)
    mend = one.fix
    if mend is not None and mend.line == one.line:
        start, first = before_mends(mend.column, fixes, line)
        end, last = before_mends(mend.end_column - 1, fixes, line)
        mend = None if first or last else Fix(mend.line, start, end + 1, mend.text)
    return _Left(replace(one, column=column, fix=mend), within)


def _refused(told: Sequence[Finding], left: Sequence[_Left], worse: Sequence[_Left]) -> set[int]:
    """Which findings' fixes do not hold."""
    still = {_spot(one.finding) for one in left}
    written = {(one.finding.file, one.within) for one in worse if one.within is not None}
    # a new error comes of the mend of what was none: that of an error lets Falco go on to it
    mended = {(one.file, one.item) for one in told if one.fix and one.severity == ERROR}
    of_item = {(one.finding.file, one.finding.item) for one in worse} - mended
    return {
        number
        for number, one in enumerate(told)
        if one.fix
        and (
            _spot(one) in still
            or (one.file, one.fix) in written
            or (one.severity != ERROR and (one.file, one.item) in of_item)
        )
    }


def _joined(told: Sequence[Finding], further: Sequence[Finding], loaded: Loaded) -> list[Finding]:
    """The findings and those that show behind their fixes."""
    texts = Texts(loaded)
    shown = [replace(one, beyond=True, excerpt=texts.excerpt(one.file, one.line, one.column)) for one in further]
    first = [one for one in told if one.severity == ERROR]
    said = [one for one in first if not one.beyond]
    order = {file.name: number for number, file in enumerate(loaded.files)}
    past = [one for one in (*first, *shown) if one.beyond]
    past.sort(key=lambda one: (order.get(one.file, 0), one.line or 0, one.column or 0))
    return [*said, *past, *(one for one in told if one.severity != ERROR)]


def _spot(one: Finding) -> _Spot:
    return one.file, one.line, one.column, one.code
