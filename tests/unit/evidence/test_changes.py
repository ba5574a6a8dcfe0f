"""What differs between two reports of a cluster."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.evidence.report import FORMAT, report

from .test_report import ABOUT, check


def changed(before: list[dict[str, Any]], now: list[dict[str, Any]], **other: Any) -> dict[str, Any]:
    text = json.dumps({**report(before, "production", "2026-11-25T20:00:00Z"), **other})
    found: dict[str, Any] = report(now, **ABOUT, previous=text)["changes"]
    return found


def test_verdicts_that_turned_come_with_both_and_the_worse_first() -> None:
    before = [check("failed", subject="a"), check("passed", subject="b"), check("passed", subject="c")]
    now = [check("passed", subject="a"), check("failed", subject="b", detail="gone"), check("passed", subject="c")]
    found = changed(before, now)
    assert found["since"] == "2026-11-25T20:00:00Z"
    told = [(one["subject"], one["before"], one["status"], one["detail"]) for one in found["turned"]]
    assert told == [("b", "passed", "failed", "gone"), ("a", "failed", "passed", "")]
    assert found["came"] == found["went"] == []


def test_the_report_of_before_may_have_been_read_already() -> None:
    before = report([check(subject="a")], "production", "2026-11-25T20:00:00Z")
    found = report([check("failed", subject="a")], **ABOUT, previous=before)["changes"]
    assert [(one["before"], one["status"]) for one in found["turned"]] == [("passed", "failed")]


def test_checks_that_only_one_of_them_has_are_told() -> None:
    found = changed([check(subject="old")], [check(subject="new")])
    assert [one["subject"] for one in found["came"]] == ["new"]
    assert [one["subject"] for one in found["went"]] == ["old"]
    assert found["turned"] == []


def test_of_checks_that_are_alike_the_failed_one_counts() -> None:
    found = changed([check(), check()], [check(), check("failed", detail="gone")])
    assert [(one["before"], one["status"]) for one in found["turned"]] == [("passed", "failed")]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        json.dumps({"format": FORMAT, "cluster": "production"}),
        json.dumps({"format": FORMAT, "cluster": "other", "checks": [], "time": "x"}),
        json.dumps({"format": FORMAT + 1, "cluster": "production", "checks": [], "time": "x"}),
    ],
)
def test_what_is_no_report_of_this_cluster_is_not_compared_with(text: str) -> None:
    none: dict[str, Any] = {"since": None, "turned": [], "came": [], "went": []}
    assert report([check()], **ABOUT, previous=text)["changes"] == none


@pytest.mark.parametrize("odd", ["passed", 5, None, ["failed"]])
def test_a_report_of_before_with_checks_that_are_none_is_no_report(odd: object) -> None:
    found = changed([check(subject="a")], [check("failed", subject="a")], checks=[check(subject="a"), odd])
    assert found["since"] is None
