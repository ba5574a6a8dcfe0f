"""SARIF: each code described once, each finding at its place."""

from __future__ import annotations

import json

from ansible_collections.falconet.k8s.plugins.module_utils.common.finding import Finding, Fix
from ansible_collections.falconet.k8s.plugins.module_utils.common.sarif import to_sarif

FINDINGS = (
    Finding("B", "warning", "a b.yaml", 3, 7, "rule 'R'", "is wrong", "do this"),
    Finding("A", "error", "a b.yaml", None, None, "", "cannot be read"),
    Finding("B", "warning", "c.yaml", 1, None, "", "is wrong, too"),
)


def test_findings_refer_to_their_code_and_place() -> None:
    (run,) = json.loads(to_sarif(FINDINGS, "some_module", {"A": ("error", "a"), "B": ("info", "b")}.__getitem__))[
        "runs"
    ]
    driver = run["tool"]["driver"]
    assert driver["name"] == "some_module"
    assert [(rule["id"], rule["defaultConfiguration"]["level"]) for rule in driver["rules"]] == [
        ("A", "error"),
        ("B", "note"),
    ]
    first, second, third = run["results"]
    assert [r["ruleId"] for r in run["results"]] == [driver["rules"][r["ruleIndex"]]["id"] for r in run["results"]]
    place = first["locations"][0]
    assert place["physicalLocation"] == {
        "artifactLocation": {"uri": "a%20b.yaml"},
        "region": {"startLine": 3, "startColumn": 7},
    }
    assert place["logicalLocations"] == [{"fullyQualifiedName": "rule 'R'"}]
    assert first["message"] == {"text": "is wrong (do this)"}
    assert "region" not in second["locations"][0]["physicalLocation"]
    assert third["locations"][0]["physicalLocation"]["region"] == {"startLine": 1}


def test_a_fix_is_told_with_what_it_replaces_and_what_is_beyond_says_so() -> None:
    fixed = Finding("A", "warning", "a b.yaml", 3, 7, "", "is wrong", "do this", fix=Fix(3, 7, 9, "ok"))
    bare = Finding("A", "warning", "c.yaml", 1, 1, "", "is wrong", beyond=True, fix=Fix(1, 1, 2, ""))
    (run,) = json.loads(to_sarif((fixed, bare), "some_module", lambda _code: ("warning", "a")))["runs"]
    first, second = run["results"]
    region = {"startLine": 3, "startColumn": 7, "endLine": 3, "endColumn": 9}
    assert first["fixes"] == [
        {
            "description": {"text": "do this"},
            "artifactChanges": [
                {
                    "artifactLocation": {"uri": "a%20b.yaml"},
                    "replacements": [{"deletedRegion": region, "insertedContent": {"text": "ok"}}],
                }
            ],
        }
    ]
    assert second["fixes"][0]["description"] == {"text": "is wrong"}
    assert ("properties" in first, second["properties"]) == (False, {"beyond": True})


def test_the_document_is_indented_by_two_and_ends_its_last_line() -> None:
    lines = to_sarif((), "some_module", lambda _code: ("warning", "a")).split("\n")
    assert [line[: line.index('"')] for line in lines[1:4]] == ["  "] * 3
    assert lines[-2:] == ["}", ""]
