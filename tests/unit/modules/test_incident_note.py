"""incident_note through its real main(): what is kept of an alert and its responses, and what time each step took."""

from __future__ import annotations

import importlib
import json
import stat
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import yaml

from ..module_runner import MODULES, run_module

ALERT = {
    "rule": "Shell",
    "priority": "Warning",
    "time": "2026-03-01T10:00:00.5Z",
    "output": "{{ lookup('pipe', 'id') }}",
}
PLAN = {"time": "2026-03-01T10:00:00.500000Z", "rule": "Shell", "do": ["note"]}
MARKS = [{"at": "2026-03-01T10:00:02Z", "what": "held", "detail": "{{ 1 }}"}, {"at": "broken", "what": "x"}]


def note(tmp_path: Path, check_mode: bool = False, **args: Any) -> dict[str, Any]:
    given = {"alert": quote(json.dumps(ALERT)), "plan": PLAN, "marks": MARKS, "dest": str(tmp_path / "incidents")}
    return run_module("incident_note", {**given, **args}, check_mode=check_mode)


def kept(result: dict[str, Any], name: str) -> Any:
    return json.loads((Path(result["directory"]) / name).read_text())


def test_an_alert_and_what_was_done_about_it_are_kept_for_their_owner_alone(tmp_path: Path) -> None:
    result = note(tmp_path)
    assert not result.get("failed"), result["msg"]
    assert kept(result, "alert.json") == ALERT
    assert kept(result, "timeline.json") == [{"plan": PLAN, "timeline": result["timeline"]}]
    files = list(Path(result["directory"]).iterdir())
    assert {stat.S_IMODE(one.stat().st_mode) for one in files} == {0o600}
    assert {one.name for one in files} == {"alert.json", "timeline.json"}


def test_each_step_has_the_time_that_it_took_and_none_where_it_is_not_known(tmp_path: Path) -> None:
    rows = note(tmp_path)["timeline"]
    assert [(one["what"], one["seconds"], one["took"]) for one in rows] == [
        ("event", 0.0, 0.0),
        ("held", 1.5, 1.5),
        ("x", None, None),
    ]
    assert rows[1]["detail"] == "(( 1 ))"
    assert note(tmp_path, plan={})["timeline"][1]["seconds"] is None


def test_a_later_alert_of_the_incident_is_added_and_what_is_broken_begun_anew(tmp_path: Path) -> None:
    first = note(tmp_path)
    later = note(tmp_path, alert=quote(json.dumps({**ALERT, "time": "2026-03-01T11:00:00Z"})))
    assert later["directory"] == first["directory"]
    assert kept(later, "alert.json") == ALERT
    assert len(kept(later, "timeline.json")) == 2
    (Path(later["directory"]) / "timeline.json").write_text("{")
    assert len(kept(note(tmp_path), "timeline.json")) == 1


def test_check_mode_writes_nothing_and_tells_the_same(tmp_path: Path) -> None:
    result = note(tmp_path, check_mode=True)
    assert list(tmp_path.iterdir()) == []
    assert result["timeline"] == note(tmp_path)["timeline"]


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ({"alert": "{"}, "the alert is no JSON"),
        ({"alert": "{}"}, "the alert has no rule"),
        ({"dest": "/proc/nowhere"}, "the incident cannot be kept"),
    ],
)
def test_what_cannot_be_kept_is_told(tmp_path: Path, args: dict[str, Any], said: str) -> None:
    result = note(tmp_path, **args)
    assert result["failed"] is True
    assert said in result["msg"]


def test_results_are_as_documented(tmp_path: Path) -> None:
    documented = yaml.safe_load(importlib.import_module(f"{MODULES}.incident_note").RETURN)
    result = note(tmp_path)
    assert set(documented) <= set(result)
    assert set(result["timeline"][0]) == set(documented["timeline"]["sample"][0])
