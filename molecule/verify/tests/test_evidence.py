"""What the proof said when all was well, and when nobody passed alerts on."""

from __future__ import annotations

import json
import os
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

EVIDENCE = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"]) / "evidence"
FORMS = {"metrics.prom", "report.html", "report.json", "summary.md", "junit.xml"}


def report(name: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((EVIDENCE / name / "report.json").read_text())
    return told


def alerts(name: str) -> dict[str, set[str]]:
    """The verdicts on the trigger's alerts by what they say of it."""
    told = [one for one in report(name)["checks"] if one["stage"] == "verify"]
    return {status: {one["check"] for one in told if one["status"] == status} for status in ("passed", "failed")}


def test_all_passed_while_all_was_well() -> None:
    assert report("good")["verdict"] == "passed"
    assert report("good")["summary"]["failed"] == 0
    assert alerts("good")["passed"]


def test_each_form_of_the_evidence_is_there() -> None:
    for name in ("good", "broken"):
        assert {path.name for path in (EVIDENCE / name).iterdir()} >= FORMS


def test_an_alert_that_nobody_passed_on_is_a_failed_check_that_names_the_channel() -> None:
    told = report("broken")
    assert told["verdict"] == "failed"
    failed = [one for one in told["checks"] if one["stage"] == "verify" and one["status"] == "failed"]
    (cause,) = [one for one in failed if one["code"] == "handover"]
    assert cause["subject"] == "Falcosidekick"
    lost = [one for one in failed if one is not cause]
    assert lost
    assert [one for one in lost if "slack" not in json.dumps(one)] == []
    assert any(one["stage"] == "verify" and one["status"] == "passed" for one in told["checks"]), (
        "Falco's own log has it"
    )


def test_the_failures_are_in_the_form_that_continuous_integration_reads() -> None:
    root = ET.parse(EVIDENCE / "broken" / "junit.xml").getroot()  # noqa: S314 - written by the scenario itself
    assert len(root.findall(".//failure")) == report("broken")["summary"]["failed"]
