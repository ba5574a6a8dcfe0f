# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A finding: what is wrong, where a person finds it, and what would be right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Fix:
    """The one mend that is certain: a text that takes the place of another in one line.

    Attributes:
        line: 1-based.
        column, end_column: 1-based; the end is exclusive.
        text: what to write there.
    """

    line: int
    column: int
    end_column: int
    text: str

    def to_dict(self) -> dict[str, Any]:
        return {"line": self.line, "column": self.column, "end_column": self.end_column, "text": self.text}


@dataclass(frozen=True)
class Finding:
    """One thing to know about what was judged: rules, policies.

    Attributes:
        code: stable name of the check.
        severity: error, warning or info.
        file: the file or input, as it was given; empty when unknown.
        line, column: 1-based; None where there is no place.
        item: kind and name of the entry, such as `rule 'Terminal shell'`; empty for a whole file.
        message: what is wrong.
        hint: what would be right; may be empty.
        excerpt: the line with a caret below the spot; may be empty.
        ruleset: name of the ruleset, where several are judged.
        way: from the entry that it was found in to where it stands, such as `rule 'Shell'`, `macro 'shells'`,
            `list 'shell_names'`; empty where it stands in the entry itself.
        beyond: what would refuse the input does not get as far as this; it stops at an earlier finding.
        fix: the mend, where there is one that is certain.
    """

    code: str
    severity: str
    file: str
    line: int | None
    column: int | None
    item: str
    message: str
    hint: str = ""
    excerpt: str = ""
    ruleset: str = ""
    way: tuple[str, ...] = ()
    beyond: bool = False
    fix: Fix | None = None

    def to_dict(self) -> dict[str, Any]:
        return {
            "code": self.code,
            "severity": self.severity,
            "file": self.file,
            "line": self.line,
            "column": self.column,
            "item": self.item,
            "message": self.message,
            "hint": self.hint,
            "excerpt": self.excerpt,
            "ruleset": self.ruleset,
            "way": list(self.way),
            "beyond": self.beyond,
            "fix": self.fix.to_dict() if self.fix else None,
        }


def place(finding: Finding) -> str:
    """Where a finding is, as editors take it: file, line and column as far as they are known."""
    known = [str(one) for one in (finding.line, finding.column) if one is not None]
    return ":".join([finding.file, *known])


def refusal(findings: Sequence[Finding]) -> str:
    """Why something was refused: the first finding with its place or else its item, its hint, and how many more."""
    first = findings[0]
    hint = f" ({first.hint})" if first.hint else ""
    more = f", and {len(findings) - 1} more" if len(findings) > 1 else ""
    return f"{place(first) or first.item}: {first.code}: {first.message}{hint}{more}"
