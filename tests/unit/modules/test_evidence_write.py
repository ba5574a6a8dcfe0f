"""evidence_write through its main(): every form, the history, check mode, a folder that cannot be written."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

from ansible_collections.falconet.k8s.plugins.module_utils.evidence.report import report

from ..module_runner import run_module

CHECK = {"stage": "falco", "code": "x", "check": "It holds", "subject": "é", "status": "failed", "detail": "gone"}
FORMS = {"report.json", "report.html", "junit.xml", "summary.md", "metrics.prom", "history"}


def made(hour: int = 20) -> dict[str, Any]:
    return report([CHECK], cluster="production", time=f"2026-11-26T{hour:02}:00:00Z")


def write(folder: Path, hour: int = 20, **more: Any) -> dict[str, Any]:
    return run_module("evidence_write", {"report": made(hour), "directory": str(folder), "page": "<p>", **more})


def kept(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "history").iterdir())


def test_every_form_is_written(tmp_path: Path) -> None:
    folder = tmp_path / "not" / "yet"
    result = write(folder)
    assert result["changed"] is True
    assert {path.name for path in folder.iterdir()} == FORMS
    assert json.loads((folder / "report.json").read_text()) == made()
    assert (folder / "history" / "20261126T200000Z.json").read_text() == (folder / "report.json").read_text()
    assert ET.fromstring((folder / "junit.xml").read_text()).get("failures") == "1"
    assert (folder / "summary.md").read_text().startswith("## Not proven on production")
    assert "falconet_proof_passed" in (folder / "metrics.prom").read_text()
    assert (folder / "report.html").read_text() == "<p>"
    assert {path.stat().st_mode & 0o777 for path in folder.rglob("*.*")} == {0o644}
    assert len(result["files"]) == 6


def test_without_a_page_there_is_none(tmp_path: Path) -> None:
    run_module("evidence_write", {"report": made(), "directory": str(tmp_path)})
    assert {path.name for path in tmp_path.iterdir()} == FORMS - {"report.html"}


def test_the_oldest_reports_go(tmp_path: Path) -> None:
    for hour in range(4):
        result = write(tmp_path, hour, history_length=2)
    assert kept(tmp_path) == ["20261126T020000Z.json", "20261126T030000Z.json"]
    assert [Path(path).name for path in result["removed"]] == ["20261126T010000Z.json"]
    write(tmp_path, 5, history_length=0)
    assert kept(tmp_path) == ["20261126T050000Z.json"]
    assert write(tmp_path, 5, history_length=1)["removed"] == []


def test_check_mode_writes_and_removes_nothing(tmp_path: Path) -> None:
    write(tmp_path, 1)
    options = {"report": made(2), "directory": str(tmp_path), "history_length": 1}
    result = run_module("evidence_write", options, check_mode=True)
    assert [Path(path).name for path in result["removed"]] == ["20261126T010000Z.json"]
    assert kept(tmp_path) == ["20261126T010000Z.json"]


def test_what_is_no_report_and_no_folder_is_told(tmp_path: Path) -> None:
    result = run_module("evidence_write", {"report": {"cluster": "x"}, "directory": str(tmp_path)})
    assert "so it is none of the filter evidence_report" in result["msg"]
    (tmp_path / "file").write_text("")
    assert "cannot be written" in write(tmp_path / "file")["msg"]
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
