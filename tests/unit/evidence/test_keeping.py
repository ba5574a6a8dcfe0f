"""What of the evidence outlives the directory of a run."""

from __future__ import annotations

import base64
import gzip

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.evidence.check import EvidenceError
from ansible_collections.falconet.k8s.plugins.module_utils.evidence.keeping import (
    ROOM_BYTES,
    TOLD,
    config_map,
    told_by_artifacts,
)
from ansible_collections.falconet.k8s.plugins.module_utils.evidence.report import report

from .test_report import ABOUT, check

FILES = {"report.json": "{}", "summary.md": "# Proven", "report.html": "<html>", "told.json": ""}


def test_artifacts_tell_the_verdict_and_the_failed_checks() -> None:
    made = report([check("passed"), check("failed", detail="no pod")], **ABOUT)
    told = told_by_artifacts(made)
    assert told["verdict"] == "failed"
    assert told["headline"] == made["headline"]
    assert told["summary"] == {"passed": 1, "failed": 1, "skipped": 0}
    assert len(told["failed"]) == 1
    assert told["failed"][0].endswith(": no pod")


def test_artifacts_stay_small() -> None:
    made = report([check("failed", detail=str(number)) for number in range(TOLD + 5)], **ABOUT)
    told = told_by_artifacts(made)["failed"]
    assert len(told) == TOLD + 1
    assert told[-1] == "and 5 more"


def test_config_map_has_the_evidence() -> None:
    made = config_map(FILES, "falconet-evidence", "falco", "production")
    assert made["metadata"]["name"] == "falconet-evidence"
    assert made["metadata"]["annotations"] == {"falconet.k8s/cluster": "production"}
    assert made["data"] == {"report.json": "{}", "summary.md": "# Proven"}
    assert gzip.decompress(base64.b64decode(made["binaryData"]["report.html.gz"])) == b"<html>"
    assert made == config_map(FILES, "falconet-evidence", "falco", "production")


def test_what_does_not_fit_is_left_out() -> None:
    made = config_map({**FILES, "report.json": "x" * (ROOM_BYTES - 5)}, "e", "falco", "production")
    assert list(made["data"]) == ["report.json"]
    assert made["binaryData"] == {}
    made = config_map({**FILES, "report.json": "x" * ROOM_BYTES}, "e", "falco", "production")
    assert (list(made["data"]), made["binaryData"]) == (["report.json"], {})
    made = config_map({"report.json": "x" * (ROOM_BYTES - 8), "summary.md": "# Proven"}, "e", "falco", "production")
    assert list(made["data"]) == ["report.json", "summary.md"]


def test_where_there_is_no_page_none_is_kept() -> None:
    made = config_map({"report.json": "{}", "summary.md": "x"}, "e", "falco", "production")
    assert made["binaryData"] == {}
    assert made["data"] == {"report.json": "{}", "summary.md": "x"}


def test_report_that_alone_does_not_fit_is_told() -> None:
    with pytest.raises(EvidenceError, match=r"report.json has 1000001 bytes, and a ConfigMap holds 1000000"):
        config_map({"report.json": "x" * (ROOM_BYTES + 1)}, "e", "falco", "production")


def test_nothing_to_keep_is_told() -> None:
    with pytest.raises(EvidenceError, match=r"there is no report\.json"):
        config_map({"summary.md": "# Proven"}, "e", "falco", "production")
