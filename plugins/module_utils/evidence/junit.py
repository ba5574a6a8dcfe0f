# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report as JUnit XML: a test suite a stage, a test case a check."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..common.junit import Case, Suite, to_junit
from .check import FAILED, SKIPPED


def junit(report: Mapping[str, Any]) -> str:
    """The report in the form that CI servers read.

    Args:
        report: as C(report.report) returns it.
    """
    suites = []
    for stage in report["stages"]:
        cases = [
            Case(
                f"{check['check']}: {check['subject']}",
                stage["name"],
                failure=check["detail"] if check["status"] == FAILED else None,
                skipped=check["detail"] if check["status"] == SKIPPED else None,
            )
            for check in report["checks"]
            if check["stage"] == stage["name"]
        ]
        attributes = {"timestamp": str(report["time"]), "hostname": report["cluster"]}
        suites.append(Suite(stage["name"], cases, attributes))
    return to_junit("falconet.k8s", suites)
