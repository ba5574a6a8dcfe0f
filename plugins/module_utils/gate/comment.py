# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the gate says as one comment in Markdown, for a pull request.

Names of rules, policies and files are written by whoever opened the request, so all of them are code: no link, mention
or picture of theirs is more than text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..common.finding import Finding, place
from ..common.markdown import code, first, plain
from .section import FAILED, PASSED, Section

MARK = "<!-- falconet.k8s gate -->"
"""The first line, by which a workflow finds the comment that it wrote before."""
MOST = 25
"""Lines of one list."""
LIMIT = 60_000
"""Characters; GitHub refuses a comment with more than 65,536."""
_MARKS = {PASSED: "passed", FAILED: "**failed**"}


def comment(title: str, sections: Sequence[Section]) -> str:
    """The comment.

    Args:
        title: of the comment.
        sections: in the order of the comment.

    Returns:
        Markdown of at most LIMIT characters; what is left out is said.
    """
    lines = [MARK, f"## {plain(title)}: {_verdict(sections)}", "", *_table(sections)]
    size = sum(len(line) + 1 for line in lines)
    for section in sections:
        more = list(_section(section))
        size += sum(len(line) + 1 for line in more)
        if size > LIMIT:
            lines += ["", "More does not fit into a comment; the reports of the job have all of it."]
            break
        lines += more
    return "\n".join(lines) + "\n"


def _verdict(sections: Sequence[Section]) -> str:
    failed = sum(section.status == FAILED for section in sections)
    if failed:
        return f"{failed} of {len(sections)} parts failed"
    return "nothing was looked at" if not any(one.status == PASSED for one in sections) else "passed"


def _table(sections: Sequence[Section]) -> Iterator[str]:
    yield "| Part | | What was looked at |"
    yield "|---|---|---|"
    for one in sections:
        told = plain(one.skipped) or ", ".join(f"{plain(name)}: {number}" for name, number in one.counts.items())
        yield f"| {one.kind} {plain(one.name)} | {_MARKS.get(one.status, one.status)} | {told} |"


def _section(section: Section) -> Iterator[str]:
    if not (section.reasons or section.changes or section.findings or section.notes):
        return
    yield ""
    yield f"### {section.kind} {plain(section.name)}"
    if section.reasons:
        yield ""
        yield from first([f"**failed**: {_text(reason)}" for reason in section.reasons], MOST)
    if section.notes:
        yield ""
        yield from first([plain(note) for note in section.notes], MOST)
    for change in section.changes:
        yield from _folded(f"{change.title} ({len(change.lines)})", [code(line) for line in change.lines])
    if section.findings:
        yield from _folded(f"Findings ({len(section.findings)})", [_finding(one) for one in section.findings])


def _text(reason: str) -> str:
    return " ".join(code(line) for line in reason.split("\n") if line.strip())


def _folded(title: str, entries: Sequence[str]) -> Iterator[str]:
    yield ""
    yield f"<details><summary>{title}</summary>"
    yield ""
    yield from first(entries, MOST)
    yield ""
    yield "</details>"


def _finding(finding: Finding) -> str:
    hint = f" ({finding.hint})" if finding.hint else ""
    item = f"{finding.item}: " if finding.item else ""
    said = (code(finding.code), code(place(finding)), code(item + finding.message + hint))
    return " ".join([finding.severity, *filter(None, said)])
