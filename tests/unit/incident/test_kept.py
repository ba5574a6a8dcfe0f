"""Of what is kept of incidents, responses that somebody broke are left out, and the others are told."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.incident.kept import incidents

SINCE = datetime(2026, 1, 1, tzinfo=timezone.utc)
ROW: dict[str, Any] = {
    "at": "2026-01-31T12:00:00.000000Z", "what": "event", "detail": "R", "seconds": None, "took": 0.5
}  # fmt: skip
WHOLE: dict[str, Any] = {"plan": {"rule": "R", "do": ["note"], "steps": [{"why": "dry"}]}, "timeline": [ROW]}


def told(tmp_path: Path, text: str) -> int:
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "timeline.json").write_text(text)
    found = incidents(tmp_path, SINCE, 10)
    return found[0]["responses"] if found else 0


@pytest.mark.parametrize(
    "broken",
    [
        None,
        "text",
        {**WHOLE, "timeline": {}},
        {**WHOLE, "timeline": []},
        {**WHOLE, "timeline": [1]},
        {**WHOLE, "timeline": [{**ROW, "at": None}]},
        {**WHOLE, "timeline": [{**ROW, "at": 5}, ROW]},
        {**WHOLE, "timeline": [{**ROW, "seconds": "soon"}]},
        {**WHOLE, "timeline": [{"at": "2026-01-31T12:00:00Z"}]},
        {**WHOLE, "plan": "R"},
        {**WHOLE, "plan": {"do": "note"}},
        {**WHOLE, "plan": {"steps": ["dry"]}},
        {**WHOLE, "held": [1]},
        {**WHOLE, "shown": True},
        {**WHOLE, "shown": {"tried": "all"}},
        {**WHOLE, "problems": 0.5},
    ],
    ids=str,
)
def test_a_broken_response_is_left_out_and_takes_none_along(tmp_path: Path, broken: Any) -> None:
    assert told(tmp_path, json.dumps([WHOLE, broken])) == 1


@pytest.mark.parametrize("text", ["", "[", "{}", "[" * 2000], ids=lambda text: text[:3])
def test_a_broken_file_is_no_incident(tmp_path: Path, text: str) -> None:
    assert told(tmp_path, text) == 0
