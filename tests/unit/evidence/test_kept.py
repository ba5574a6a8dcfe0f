"""What a report tells beside its checks: coverage of ATT&CK, what runs, and the reports that are kept."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.evidence.coverage import coverage
from ansible_collections.falconet.k8s.plugins.module_utils.evidence.history import history
from ansible_collections.falconet.k8s.plugins.module_utils.evidence.report import report
from ansible_collections.falconet.k8s.plugins.module_utils.evidence.running import running

from .test_report import ABOUT, check

RULES: dict[str, dict[str, Any]] = {
    "Shell": {"enabled": True, "tags": ["T1059", "mitre_execution", "container", "T1", "mitre_"]},
    "Shell at a terminal": {"enabled": True, "tags": ["T1059", "mitre_privilege_escalation"]},
    "Keys": {"enabled": True, "tags": ["T1552.001"]},
    "Off": {"enabled": False, "tags": ["T1003"]},
    "Untagged": {"enabled": True},
}


def alert(subject: str, status: str = "passed", code: str = "alert") -> dict[str, Any]:
    return check(status, "verify", code=code, subject=subject)


def test_tactics_and_techniques_have_their_rules_and_those_that_alerted() -> None:
    checks = [
        alert("Shell, a shell in prod"),
        alert("Shell at a terminal, x in prod", "failed"),
        alert("Keys, x in prod", code="silence"),
    ]
    told = [(one["kind"], one["name"], one["rules"], one["proven"]) for one in coverage(RULES, checks)]
    assert told == [
        ("tactic", "execution", ["Shell"], ["Shell"]),
        ("tactic", "privilege escalation", ["Shell at a terminal"], []),
        ("technique", "T1059", ["Shell", "Shell at a terminal"], ["Shell"]),
        ("technique", "T1552.001", ["Keys"], []),
    ]
    assert coverage({}, checks) == []


def test_what_runs_is_read_from_the_checks() -> None:
    pods = [
        {"node": "n2", "name": "falco-b", "digests": {"a.yaml": "1"}},
        {"node": "n1", "name": "falco-a", "digests": {"a.yaml": "1", "b.yaml": "2"}},
    ]
    process = {"version": "0.44.0", "driver": "modern_bpf", "events": 7, "dropped": 0}
    images = {"DaemonSet/falco": {"falco": "reg/falco:1"}}
    checks = [
        check(code="nodes", data={"pods": [{**pods[0], "process": process}, pods[1]]}),
        check(stage="falco_rules", code="loaded", data={"pods": pods}),
        check(
            code="images", data={"images": images, "running": {"DaemonSet/falco": {"falco": ["reg/falco@sha256:1"]}}}
        ),
    ]
    found = running(checks)
    assert found["falco"][0] == {"node": "n2", "pod": "falco-b", **process}
    assert found["falco"][1]["version"] == ""
    assert found["rules"] == [
        {"file": "a.yaml", "sha256": "1", "nodes": ["n1", "n2"]},
        {"file": "b.yaml", "sha256": "2", "nodes": ["n1"]},
    ]
    falco = {"workload": "DaemonSet/falco", "container": "falco", "image": "reg/falco:1"}
    assert found["images"] == [{**falco, "digests": ["reg/falco@sha256:1"]}]
    assert running([check()]) == {"falco": [], "rules": [], "images": []}


def at(day: int, **about: Any) -> dict[str, Any]:
    return report([check()], **{**ABOUT, "time": f"2026-11-{day}T20:00:00Z", **about})


def test_kept_reports_are_told_with_this_one_the_newest_first() -> None:
    now = at(26)
    told = history([json.dumps(at(24)), at(25), json.dumps(at(26, notes=["a run before"]))], now)
    assert [one["time"][:10] for one in told] == ["2026-11-26", "2026-11-25", "2026-11-24"]
    assert told[0] == {key: now[key] for key in ("time", "verdict", "headline", "summary", "changes")}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        json.dumps(at(24, cluster="other")),
        json.dumps({**at(24), "changes": {}}),
        json.dumps({**at(24), "time": 1}),
        json.dumps({**at(24), "summary": 1}),
        json.dumps({**at(24), "changes": []}),
        json.dumps({**at(24), "changes": {"turned": [], "came": [], "went": 1}}),
    ],
)
def test_what_is_no_report_of_this_cluster_is_passed_over(text: str) -> None:
    assert len(history([text], at(26))) == 1
