# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report as JUnit XML: a test suite a stage, a test case a check."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from typing import Any

from .check import FAILED, SKIPPED

#: What XML 1.0 cannot hold, section 2.2; alerts carry what an attacker typed.
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(report: Mapping[str, Any]) -> str:
    """The report in the form that CI servers read (the Ant JUnit schema).

    Args:
        report: as C(report.report) returns it.
    """
    checks = report["checks"]
    top = ET.Element("testsuites", name="falconet.k8s", tests=str(len(checks)), failures=str(report["summary"][FAILED]))
    for stage in report["stages"]:
        mine = [check for check in checks if check["stage"] == stage["name"]]
        suite = ET.SubElement(
            top,
            "testsuite",
            name=_clean(stage["name"]),
            tests=str(len(mine)),
            failures=str(stage[FAILED]),
            skipped=str(stage[SKIPPED]),
            timestamp=str(report["time"]),
            hostname=_clean(report["cluster"]),
        )
        for check in mine:
            name = _clean(f"{check['check']}: {check['subject']}")
            case = ET.SubElement(suite, "testcase", classname=_clean(stage["name"]), name=name)
            if check["status"] == FAILED:
                ET.SubElement(case, "failure", message=_clean(check["detail"]))
            elif check["status"] == SKIPPED:
                ET.SubElement(case, "skipped", message=_clean(check["detail"]))
    ET.indent(top)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(top, encoding="unicode") + "\n"


def _clean(text: object) -> str:
    return _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", str(text))
