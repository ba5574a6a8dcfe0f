"""The table of faults is whole: its steps are known, what is planted is undone, and the check that is red exists."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.evidence import check as check_module
from ansible_collections.falconet.k8s.plugins.module_utils.evidence.stages import STAGES

from tests.integration.faults.steps import KINDS, faults

CODES = {
    code
    for path in Path(str(check_module.__file__)).parent.glob("*.py")
    for code in re.findall(r'Check\(\s*"(\w+)"', path.read_text())
}
ROWS = faults()


def test_each_fault_has_a_name_of_its_own_and_one_row_has_none() -> None:
    assert len({row["name"] for row in ROWS}) == len(ROWS)
    assert [row["name"] for row in ROWS if "plant" not in row] == ["no fault"]


@pytest.mark.parametrize("row", [row for row in ROWS if "plant" in row], ids=lambda row: row["name"])
def test_a_row_plants_undoes_and_names_a_check(row: dict[str, Any]) -> None:
    assert row["plant"]
    assert row["undo"]
    for step in (*row["plant"], *row["undo"]):
        assert len(KINDS.keys() & step.keys()) == 1, step
        assert all(isinstance(name, str) for name in step), step  # YAML takes some words for booleans
    assert row["red"]["stage"] in STAGES
    assert row["red"]["code"] in CODES
    assert row["red"]["says"]
