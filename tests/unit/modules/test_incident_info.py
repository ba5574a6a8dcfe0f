"""incident_info through its real main(): what incident_respond has kept, told again."""

from __future__ import annotations

import importlib
import json
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import yaml

from ..module_runner import MODULES, run_module

LATER, NOW = "2999-03-01T10:00:00Z", datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def noted(at: str = NOW, **more: Any) -> dict[str, Any]:
    steps = [{"step": "note", "do": True, "why": ""}, {"step": "collect", "do": False, "why": "dry run"}]
    plan = {"rule": "Shell", "namespace": "prod", "pod": "web-1", "do": ["note"], "steps": [*steps, steps[1]]}
    row = {"at": at, "what": "event", "detail": "Shell", "seconds": 0.0, "took": 0.0}
    return {"plan": plan, "timeline": [row], "archive": "", "held": {}, "shown": {}, "problems": [], **more}


def keep(tmp_path: Path, name: str, *responses: dict[str, Any]) -> None:
    (tmp_path / name).mkdir()
    (tmp_path / name / "timeline.json").write_text(json.dumps(responses))


def names(tmp_path: Path, **options: Any) -> list[str]:
    found = run_module("incident_info", {"path": str(tmp_path), **options})
    return [one["directory"] for one in found["incidents"]]


def test_the_response_that_held_the_pod_counts_and_how_many_there_were_is_told(tmp_path: Path) -> None:
    keep(tmp_path, "a", noted(), noted(held={"proven": True}, archive="a.tar.gz"), noted())
    (one,) = run_module("incident_info", {"path": str(tmp_path)})["incidents"]
    assert (one["responses"], one["held"], one["archive"]) == (3, {"proven": True}, "a.tar.gz")
    assert (one["rule"], one["namespace"], one["pod"], one["do"], one["why"]) == (
        "Shell",
        "prod",
        "web-1",
        ["note"],
        ["dry run"],
    )
    documented = yaml.safe_load(importlib.import_module(f"{MODULES}.incident_info").RETURN)
    assert set(one) == set(documented["incidents"]["sample"][0])


def test_the_last_come_first_and_what_is_old_or_too_much_is_left_out(tmp_path: Path) -> None:
    keep(tmp_path, "old", noted("2026-01-01T00:00:00Z"))
    keep(tmp_path, "now", noted())
    keep(tmp_path, "later", noted(LATER))
    assert names(tmp_path) == ["later", "now"]
    assert names(tmp_path, most=1) == ["later"]
    assert names(tmp_path, within_hours=10**6) == ["later", "now", "old"]


def test_what_is_broken_or_not_there_is_none(tmp_path: Path) -> None:
    assert names(tmp_path / "nowhere") == []
    keep(tmp_path, "empty")
    keep(tmp_path, "broken", {"timeline": []})
    (tmp_path / "a-file").write_text("x")
    (tmp_path / "half").mkdir()
    (tmp_path / "half" / "timeline.json").write_text("[")
    assert names(tmp_path) == []
