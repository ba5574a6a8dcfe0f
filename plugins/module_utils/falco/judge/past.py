# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Falco's findings on a ruleset that it refuses, and those that it would come to once its errors are mended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ...common.finding import Finding, place
from ..codes import ERROR

_UNMET = "Plugin requirement not satisfied"


def findings_past(said: Sequence[Finding], all_of_them: Sequence[Finding]) -> list[Finding]:
    """Join what Falco says and what was found past its errors.

    Args:
        said: Falco's findings, in its order.
        all_of_them: those on the same files, loaded past each error.

    Returns:
        Errors first; those that Falco does not come to are marked, and of those that only follow from its first error
        it is said.
    """
    places = {_spot(one) for one in said}
    messages = {(one.code, one.item, one.message) for one in said}
    past = [
        replace(one, beyond=True)
        for one in all_of_them
        if _spot(one) not in places and (one.code, one.item, one.message) not in messages
    ]
    found = {_spot(one) for one in all_of_them}
    told = []
    first: Finding | None = None
    for one in said:
        if one.severity != ERROR:
            told.append(one)
        elif first is None or _spot(one) in found or one.message.startswith(_UNMET):
            first = first or one
            told.append(one)
        else:
            told.append(replace(one, hint=f"follows from what is wrong at {place(first)}: mend that first"))
    order = {one.file: number for number, one in reversed([*enumerate([*said, *all_of_them])])}
    past.sort(key=lambda one: (order[one.file], one.line or 0, one.column or 0))
    return sorted([*told, *past], key=lambda one: one.severity != ERROR)


def _spot(one: Finding) -> tuple[str, str, int | None, int | None]:
    return one.code, one.file, one.line, one.column
