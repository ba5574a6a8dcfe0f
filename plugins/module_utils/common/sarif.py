# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Findings as SARIF 2.1.0, which code-scanning views read.

Specification: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote

from .finding import Finding

_LEVELS = {"error": "error", "warning": "warning", "info": "note"}


def to_sarif(findings: Sequence[Finding], tool: str, describe: Callable[[str], tuple[str, str]]) -> str:
    """Write findings as one SARIF run.

    Args:
        findings: in the order of the report.
        tool: name of what found them.
        describe: gives a code's severity (error, warning, info) and title.
    """
    codes = sorted({finding.code for finding in findings})
    described = {code: describe(code) for code in codes}
    rules = [
        {
            "id": code,
            "shortDescription": {"text": described[code][1]},
            "defaultConfiguration": {"level": _LEVELS[described[code][0]]},
        }
        for code in codes
    ]
    run = {
        "tool": {
            "driver": {
                "name": tool,
                "informationUri": "https://github.com/falconet-k8s/falconet.k8s",
                "rules": rules,
            }
        },
        "columnKind": "unicodeCodePoints",
        "results": [_result(finding, codes.index(finding.code)) for finding in findings],
    }
    document = {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}
    return json.dumps(document, indent=2) + "\n"


def _result(finding: Finding, index: int) -> dict[str, Any]:
    text = finding.message + (f" ({finding.hint})" if finding.hint else "")
    location: dict[str, Any] = {"physicalLocation": {"artifactLocation": {"uri": _uri(finding.file)}}}
    if finding.line is not None:
        region = {"startLine": finding.line}
        if finding.column is not None:
            region["startColumn"] = finding.column
        location["physicalLocation"]["region"] = region
    if finding.item:
        location["logicalLocations"] = [{"fullyQualifiedName": finding.item}]
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "ruleIndex": index,
        "level": _LEVELS[finding.severity],
        "message": {"text": text},
        "locations": [location],
    }
    if finding.fix is not None:
        region = {
            "startLine": finding.fix.line,
            "startColumn": finding.fix.column,
            "endLine": finding.fix.line,
            "endColumn": finding.fix.end_column,
        }
        replacement = {"deletedRegion": region, "insertedContent": {"text": finding.fix.text}}
        change = {"artifactLocation": {"uri": _uri(finding.file)}, "replacements": [replacement]}
        result["fixes"] = [{"description": {"text": finding.hint or finding.message}, "artifactChanges": [change]}]
    if finding.beyond:
        result["properties"] = {"beyond": True}
    return result


def _uri(path: str) -> str:
    return quote(path.encode("utf-8", "surrogateescape"), safe="/")
