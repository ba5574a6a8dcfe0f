"""The report's data and its JUnit form: counts, what nothing was said of, and text that an attacker wrote."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.falconet.k8s.plugins.filter.evidence import FilterModule, evidence_report
from ansible_collections.falconet.k8s.plugins.module_utils.evidence.check import EvidenceError
from ansible_collections.falconet.k8s.plugins.module_utils.evidence.junit import junit
from ansible_collections.falconet.k8s.plugins.module_utils.evidence.report import report
from hypothesis import given
from hypothesis import strategies as st

ABOUT: dict[str, Any] = {"cluster": "production", "time": "2026-11-26T20:00:00Z"}


def check(status: str = "passed", stage: str = "falco", **more: Any) -> dict[str, Any]:
    return {"stage": stage, "code": "x", "check": "It holds", "subject": "a", "status": status, "detail": "", **more}


def test_it_counts_by_verdict_and_by_stage() -> None:
    checks = [check(), check("failed"), check("skipped", "node_prep"), check(stage="verify")]
    made = report(checks, **ABOUT)
    assert made["summary"] == {"passed": 2, "failed": 1, "skipped": 1}
    assert [(one["name"], one["passed"], one["failed"], one["skipped"]) for one in made["stages"]] == [
        ("node_prep", 0, 0, 1),
        ("falco", 1, 1, 0),
        ("verify", 1, 0, 0),
    ]
    assert made["stages"][1]["title"] == "Falco runs on every node"
    assert [one["stage"] for one in made["checks"]] == ["node_prep", "falco", "falco", "verify"]


@pytest.mark.parametrize(
    ("statuses", "verdict"),
    [
        (["passed"], "passed"),
        (["passed", "skipped"], "passed"),
        (["passed", "failed"], "failed"),
        (["skipped"], "failed"),
        ([], "failed"),
    ],
)
def test_only_something_proven_and_nothing_failed_is_a_pass(statuses: list[str], verdict: str) -> None:
    assert report([check(status) for status in statuses], **ABOUT)["verdict"] == verdict


def test_a_stage_that_says_nothing_failed() -> None:
    made = report([check()], **ABOUT, stages=["falco", "falco_rules"])
    assert made["verdict"] == "failed"
    assert [(one["stage"], one["detail"]) for one in made["checks"] if one["status"] == "failed"] == [
        ("falco_rules", "it left no check")
    ]


def test_a_machine_that_was_not_asked_is_told() -> None:
    made = report([check(stage="node_prep", subject="n1")], **ABOUT, machines=["n1", "n2"])
    assert [(one["subject"], one["status"]) for one in made["checks"]] == [("n1", "passed"), ("n2", "skipped")]


@pytest.mark.parametrize(
    ("bad", "named"), [(check("ok"), "It holds"), (check(stage=""), "It holds"), ({"detail": "x"}, "{'detail': 'x'}")]
)
def test_something_else_than_a_check_is_an_error(bad: dict[str, Any], named: str) -> None:
    with pytest.raises(EvidenceError, match=rf"^not a check: {named}$"):
        report([bad], **ABOUT)
    with pytest.raises(AnsibleFilterError, match="not a check"):
        evidence_report([bad], **ABOUT)


def test_nodes_are_described() -> None:
    node = {
        "metadata": {"name": "n1"},
        "status": {
            "conditions": [{"type": "DiskPressure", "status": "True"}, {"type": "Ready", "status": "False"}],
            "nodeInfo": {"kubeletVersion": "v1.35.4", "osImage": "Rocky", "kernelVersion": "5.14"},
        },
    }
    made = report([check()], **ABOUT, nodes=[{"metadata": {"name": "n2"}}, node])
    assert [(one["name"], one["ready"], one["kubelet"]) for one in made["nodes"]] == [
        ("n1", False, "v1.35.4"),
        ("n2", False, ""),
    ]


def test_junit_has_a_suite_a_stage_and_a_case_a_check() -> None:
    checks = [check(), check("failed", detail="gone"), check("skipped", "verify", detail="not asked")]
    top = ET.fromstring(junit(report(checks, **ABOUT)))
    assert (top.get("tests"), top.get("failures")) == ("3", "1")
    assert [(one.get("name"), one.get("failures"), one.get("skipped")) for one in top] == [
        ("falco", "1", "0"),
        ("verify", "0", "1"),
    ]
    assert [one.get("message") for one in top.iter("failure")] == ["gone"]
    assert [one.get("message") for one in top.iter("skipped")] == ["not asked"]


@given(st.text())
def test_junit_is_well_formed_whatever_an_attacker_typed(text: str) -> None:
    made = report([check("failed", detail=text, subject=f"x{text}")], **ABOUT)
    top = ET.fromstring(junit(made))
    assert len(list(top.iter("failure"))) == 1


def test_the_filters_have_their_names() -> None:
    forms = {f"evidence_{form}" for form in ("alert", "artifacts", "config_map", "history", "report", "views")}
    assert set(FilterModule().filters()) == {"evidence", *forms}
