"""Scenarios of Molecule: each has the steps that all share, and CONTRIBUTING.md says where each is run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

import noxfile

ROOT = Path(__file__).resolve().parents[2]
SCENARIOS = {path.parent.name: path.parent for path in ROOT.glob("molecule/*/molecule.yml")}
COMMON = yaml.safe_load((ROOT / ".config" / "molecule" / "config.yml").read_text())
ROW = re.compile(r"^\| `([a-z0-9_]+)` \| .* \| ([^|]+) \|$", re.MULTILINE)


def settings(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((SCENARIOS[name] / "molecule.yml").read_text()) or {}
    return found


def run_by(name: str) -> str:
    """What CONTRIBUTING.md is to say."""
    if name in noxfile.NOT_ON_THE_SANDBOX:
        return "by name"
    tested = noxfile.TESTED_ON_MACHINES | noxfile.TESTED_ON_THE_CLUSTER
    return "`make test`" if name in tested else "`make molecule`"


def test_the_steps_are_in_the_order_that_shows_the_most() -> None:
    steps = COMMON["scenario"]["test_sequence"]
    order = ["check", "converge", "idempotence", "verify", "destroy"]
    assert [step for step in steps[1:] if step in order] == order
    assert steps[0] == "destroy", "what a killed run left is not taken for this one's"


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_leaves_nothing_of_what_all_share_out(name: str) -> None:
    own = settings(name)
    assert own.keys() <= {"ansible", "verifier"}
    assert (SCENARIOS[name] / "converge.yml").is_file()


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_looks_at_what_it_made(name: str) -> None:
    by_pytest = settings(name).get("verifier", COMMON["verifier"])["name"] == "testinfra"
    looked = sorted((SCENARIOS[name] / "tests").glob("test_*.py")) if by_pytest else [SCENARIOS[name] / "verify.yml"]
    assert looked
    assert all(file.is_file() for file in looked)


def test_the_table_says_of_each_scenario_where_it_is_run() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    told = dict(ROW.findall(text[text.index("## Scenarios") :]))
    assert told == {name: run_by(name) for name in SCENARIOS}
