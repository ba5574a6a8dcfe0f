# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fixes of findings put into texts, and shown as a unified diff."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping

from .finding import Finding, Fix


def mended(text: str, fixes: Iterable[Fix]) -> str:
    """Put fixes into a text; of those that overlap only the first."""
    lines = text.split("\n")
    end: tuple[int, int] | None = None
    for fix in sorted(set(fixes), key=lambda one: (one.line, one.column), reverse=True):
        if not 0 < fix.line <= len(lines) or (end is not None and (fix.line, fix.end_column) > end):
            continue
        line = lines[fix.line - 1]
        lines[fix.line - 1] = line[: fix.column - 1] + fix.text + line[fix.end_column - 1 :]
        end = (fix.line, fix.column)
    return "\n".join(lines)


def mended_files(findings: Iterable[Finding], texts: Mapping[str, str]) -> dict[str, str]:
    """The texts, by file, that fixes of findings change."""
    by_file: dict[str, list[Fix]] = {}
    for finding in findings:
        if finding.fix is not None and finding.file in texts:
            by_file.setdefault(finding.file, []).append(finding.fix)
    return {file: mended(texts[file], fixes) for file, fixes in by_file.items()}


def patch(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    """What changes from one set of texts to another, as a unified diff, which the program patch takes."""
    told: list[str] = []
    for file, text in after.items():
        lines = difflib.unified_diff(before[file].splitlines(keepends=True), text.splitlines(keepends=True), file, file)
        for line in lines:
            told.append(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n")
    return "".join(told)
