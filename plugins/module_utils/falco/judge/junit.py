# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verdicts as JUnit XML: one test case per ruleset or, of a single ruleset, per file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.sax.saxutils import escape, quoteattr

from .findings import Finding
from .validate import Verdict

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def to_junit(verdicts: Sequence[Verdict], failing: Sequence[Finding]) -> str:
    """Write one test suite.

    Args:
        verdicts: of the rulesets.
        failing: the findings that count as failures; all others become output of their test case.
    """
    counted = set(failing)
    cases = []
    failures = 0
    for verdict in verdicts:
        names = [verdict.name] if verdict.name else [str(result["name"]) for result in verdict.results]
        for name in names:
            mine = [one for one in verdict.findings if verdict.name or one.file == name]
            bad = [one for one in mine if one in counted]
            rest = [one for one in mine if one not in counted]
            failures += bool(bad)
            cases.append(_case(name, bad, rest))
    body = "".join(cases)
    head = f'<testsuite name="falco_rules_validate" tests="{len(cases)}" failures="{failures}" errors="0">'
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n{head}\n{body}</testsuite>\n</testsuites>\n'


def _case(name: str, bad: Sequence[Finding], rest: Sequence[Finding]) -> str:
    lines = [f"  <testcase classname={_attribute('falco_rules')} name={_attribute(name)}>\n"]
    if bad:
        first = f"{bad[0].code}: {bad[0].message}"
        text = "\n".join(_line(one) for one in bad)
        lines.append(f"    <failure message={_attribute(first)}>{_text(text)}</failure>\n")
    if rest:
        lines.append(f"    <system-out>{_text(chr(10).join(_line(one) for one in rest))}</system-out>\n")
    lines.append("  </testcase>\n")
    return "".join(lines)


def _line(finding: Finding) -> str:
    place = f"{finding.file}:{finding.line}:{finding.column}" if finding.line else finding.file
    hint = f" ({finding.hint})" if finding.hint else ""
    return f"{place}: {finding.severity}: {finding.code}: {finding.message}{hint}"


def _clean(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)


def _text(text: str) -> str:
    return escape(_clean(text))


def _attribute(text: str) -> str:
    return quoteattr(_clean(text))
