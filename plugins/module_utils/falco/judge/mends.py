# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixes are proven before they are offered: put into the files, each ends its finding and makes no new error."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

from ...common.finding import Finding, Fix
from ...common.mend import mended_files
from ..codes import ERROR
from ..load.ruleset import Loaded, Loader, RulesFile

ROUNDS = 3
"""How often fixes that do not hold are left out and the others tried again."""


def with_proven_fixes(
    findings: Sequence[Finding], loaded: Loaded, judge: Callable[[Loaded], list[Finding]]
) -> list[Finding]:
    """Keep those fixes that mend what they are offered for.

    Args:
        findings: on the ruleset.
        loaded: the ruleset.
        judge: finds what is wrong with another one.

    Returns:
        The findings; a fix after which its finding is still there, or another error is at its line, is left out.
    """
    told = list(findings)
    texts = loaded.contents
    loader = Loader.like(loaded)
    known = Counter(map(_spot, findings))
    for _round in range(ROUNDS):
        offered = Counter(_spot(one) for one in told if one.fix)
        if not offered:
            return told
        after = mended_files(told, texts)
        left = judge(loader.load([RulesFile(file.name, after.get(file.name, file.text)) for file in loaded.files]))
        still = Counter(map(_spot, left))
        worse = [one for one in left if one.severity == ERROR and _spot(one) not in known]
        refused = {
            number
            for number, one in enumerate(told)
            if one.fix
            and (
                still[_spot(one)] > known[_spot(one)] - offered[_spot(one)]
                or any(_within(other, one.file, one.fix) for other in worse)
            )
        }
        if not refused:
            return told
        told = [replace(one, fix=None) if number in refused else one for number, one in enumerate(told)]
    return [replace(one, fix=None) for one in told]


def _spot(one: Finding) -> tuple[str, int | None, str, str]:
    return one.file, one.line, one.code, one.message


def _within(one: Finding, file: str, fix: Fix) -> bool:
    """Whether a finding is at what a fix wrote."""
    at = one.column or 0
    return (one.file, one.line) == (file, fix.line) and fix.column <= at <= fix.column + len(fix.text)
