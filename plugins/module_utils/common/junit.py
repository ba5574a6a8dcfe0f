# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Test suites as JUnit XML (the Ant schema), which CI servers read."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

#: What XML 1.0 cannot hold, section 2.2: alerts and rules carry what an attacker typed.
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Case:
    """One thing that was tested; without C(failure) and C(skipped) it passed.

    Attributes:
        name, classname: what it is called, and within what.
        failure: why it failed, in one line; None if it did not.
        text: what else is to be said of the failure.
        skipped: why it was not tested; None if it was.
        output: what is to be said beside the result.
    """

    name: str
    classname: str
    failure: str | None = None
    text: str = ""
    skipped: str | None = None
    output: str = ""


@dataclass(frozen=True)
class Suite:
    """Cases that belong together, and further attributes of their element (C(timestamp), C(hostname))."""

    name: str
    cases: Sequence[Case]
    attributes: Mapping[str, str] = field(default_factory=dict)


def to_junit(name: str, suites: Sequence[Suite]) -> str:
    """One document of all suites.

    Args:
        name: of the whole.
        suites: in the order of the report.
    """
    everything = [case for suite in suites for case in suite.cases]
    top = ET.Element("testsuites", {"name": _clean(name), **_counts(everything)})
    for suite in suites:
        more = {key: _clean(value) for key, value in suite.attributes.items()}
        element = ET.SubElement(top, "testsuite", {"name": _clean(suite.name), **_counts(suite.cases), **more})
        for case in suite.cases:
            _add(element, case)
    ET.indent(top)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(top, encoding="unicode") + "\n"


def _counts(cases: Sequence[Case]) -> dict[str, str]:
    return {
        "tests": str(len(cases)),
        "failures": str(sum(case.failure is not None for case in cases)),
        "errors": "0",
        "skipped": str(sum(case.skipped is not None for case in cases)),
    }


def _add(suite: ET.Element, case: Case) -> None:
    element = ET.SubElement(suite, "testcase", classname=_clean(case.classname), name=_clean(case.name))
    if case.failure is not None:
        ET.SubElement(element, "failure", message=_clean(case.failure)).text = _clean(case.text)
    elif case.skipped is not None:
        ET.SubElement(element, "skipped", message=_clean(case.skipped))
    if case.output:
        ET.SubElement(element, "system-out").text = _clean(case.output)


def _clean(text: object) -> str:
    return _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", str(text))
