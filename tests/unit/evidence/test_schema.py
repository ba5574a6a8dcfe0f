"""A report is as its published schema says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.evidence.report import FORMAT, report
from ansible_collections.falconet.k8s.plugins.module_utils.evidence.stages import evidence

from .cases import k8s_audit, respond

SCHEMA = json.loads((Path(__file__).resolve().parents[3] / "docs" / "evidence.schema.json").read_text())
ABOUT: dict[str, Any] = {"cluster": "production", "time": "2026-11-26T20:00:00Z"}
CHECK = {"stage": "falco", "code": "x", "check": "It holds", "subject": "a", "status": "passed", "detail": ""}
PODS = {"pods": [{"node": "n1", "name": "falco-a", "process": {"version": "0.44", "events": 3, "dropped": None}}]}
NODE = {"metadata": {"name": "n1"}, "status": {"conditions": [{"type": "Ready", "status": "True"}]}}


def reports() -> list[dict[str, Any]]:
    """Reports with nothing in them, with something, and with something before."""
    before = json.dumps(report([CHECK, {**CHECK, "subject": "b"}], **ABOUT))
    now = [{**CHECK, "status": "failed"}, {**CHECK, "subject": "c"}]
    return [
        report([], **ABOUT),
        report([CHECK], **ABOUT, machines=["n1"], stages=["verify"], nodes=[NODE], notes=["a stand-in"]),
        report(now, **ABOUT, previous=before),
        report(
            [
                {**CHECK, "code": "images", "data": {"images": {"a": {"b": "c"}}}},
                {**CHECK, "code": "nodes", "data": PODS},
            ],
            **ABOUT,
            observed={"rules": {"r": {"enabled": True, "tags": ["T1059"]}}},
        ),
        report(evidence({**respond.GOOD, "quarantines": {"quarantines": [respond.held()]}}, "respond"), **ABOUT),
        report([check for case in k8s_audit.CASES for check in evidence(case.asked, "k8s_audit")], **ABOUT),
    ]


@pytest.mark.parametrize("made", reports(), ids=["nothing", "first", "later", "running", "contained", "audit"])
def test_a_report_is_as_its_schema_says(made: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(json.loads(json.dumps(made)), SCHEMA)


@pytest.mark.parametrize(
    "wrong",
    [{"verdict": "maybe"}, {"format": FORMAT + 1}, {"checks": [{}]}, {"time": None}, {"summary": {"passed": -1}}],
    ids=str,
)
def test_the_schema_refuses_what_is_no_report(wrong: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**reports()[1], **wrong}, SCHEMA)


def test_the_schema_knows_what_an_audit_alert_has() -> None:
    made = reports()[-1]
    [alert, *_more] = [one for one in made["checks"] if one["code"] == "alert"]
    alert["data"]["latency_ms"] = "soon"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(made, SCHEMA)


def test_every_key_is_described() -> None:
    def undescribed(node: Any, path: str) -> list[str]:
        found = []
        for name, inner in node.get("properties", {}).items():
            where = f"{path}.{name}"
            found += [] if "description" in inner or "$ref" in inner else [where]
            found += undescribed(inner, where)
        found += undescribed(node["items"], f"{path}[]") if isinstance(node.get("items"), dict) else []
        return found

    assert undescribed(SCHEMA, "") == []
    assert [name for name, inner in SCHEMA["$defs"].items() if undescribed(inner, name)] == []
