# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fixes of findings put into texts, and shown as a unified diff."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping

from .finding import Finding, Fix

MARK = "\ufeff"
"""The mark that some editors put before a text; it has no column."""


def apart(fixes: Iterable[Fix]) -> list[Fix]:
    """Fixes that do not overlap, the last in the text first; of those that overlap only the last."""
    kept: list[Fix] = []
    for fix in sorted(set(fixes), key=lambda one: (one.line, one.column, one.end_column, one.text), reverse=True):
        after = (kept[-1].line, kept[-1].column) if kept else None
        if after is None or ((fix.line, fix.end_column) <= after and (fix.line, fix.column) < after):
            kept.append(fix)
    return kept


def mended(text: str, fixes: Iterable[Fix]) -> str:
    """Put fixes into a text; of those that overlap only the last."""
    mark = MARK if text.startswith(MARK) else ""
    lines = text.removeprefix(MARK).split("\n")
    for fix in apart(one for one in fixes if 0 < one.line <= len(lines)):
        line = lines[fix.line - 1]
        lines[fix.line - 1] = line[: fix.column - 1] + fix.text + line[fix.end_column - 1 :]
    return mark + "\n".join(lines)


def before_mends(column: int, fixes: Iterable[Fix], line: str) -> tuple[int, Fix | None]:
    """Where a column of a mended line was before, and the fix that wrote what stands there.

    Args:
        column: 1-based, in the mended line.
        fixes: those of this line, as `apart` keeps them.
        line: before the mends. What a fix keeps of it, as quotes around a value do, was there before.
    """
    shift = 0
    for fix in sorted(fixes, key=lambda one: one.column):
        start = fix.column + shift
        if column < start:
            break
        if column < start + len(fix.text):
            wrong = line[fix.column - 1 : fix.end_column - 1]
            kept = column - start - fix.text.find(wrong)
            if wrong in fix.text and 0 <= kept < len(wrong):
                return fix.column + kept, None
            return fix.column, fix
        shift += len(fix.text) - (fix.end_column - fix.column)
    return column - shift, None


def fixes_of(findings: Iterable[Finding]) -> dict[str, list[Fix]]:
    """The fixes of findings by file."""
    by_file: dict[str, list[Fix]] = {}
    for finding in findings:
        if finding.fix is not None:
            by_file.setdefault(finding.file, []).append(finding.fix)
    return by_file


def mended_files(findings: Iterable[Finding], texts: Mapping[str, str]) -> dict[str, str]:
    """The texts, by file, that fixes of findings change."""
    return {file: mended(texts[file], fixes) for file, fixes in fixes_of(findings).items() if file in texts}


def patch(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    """What changes from one set of texts to another, as a unified diff, which the program patch takes."""
    told: list[str] = []
    for file, text in after.items():
        lines = difflib.unified_diff(before[file].splitlines(keepends=True), text.splitlines(keepends=True), file, file)
        for line in lines:
            told.append(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n")
    return "".join(told)
