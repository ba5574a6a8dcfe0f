"""The workflow keeps its cache where the tests look for it, and tries regularly without one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def workflow(path: Path) -> dict[str, Any]:
    # YAML 1.1 reads the key `on` as true.
    return {("on" if key is True else key): value for key, value in yaml.safe_load(path.read_text()).items()}


CI = workflow(ROOT / ".github" / "workflows" / "ci.yml")
STEPS = CI["jobs"]["test"]["steps"]
CACHE = next(step for step in STEPS if step.get("uses", "").startswith("actions/cache@"))
RUN = next(step for step in STEPS if ".ci/run" in step.get("run", ""))


def test_the_cache_is_where_make_looks_for_it() -> None:
    assert CACHE["with"]["path"] == "${{ env.FALCONET_CACHE }}"
    assert CI["env"]["FALCONET_CACHE"].startswith("/home/runner/")
    assert "FALCONET_CACHE" in RUN["run"].split("--preserve-env=")[1].split()[0].split(",")
    assert re.search(r"^CACHE := \$\(or \$\(FALCONET_CACHE\),", (ROOT / "Makefile").read_text(), re.MULTILINE)


def test_the_runner_owns_the_cache_when_it_is_saved() -> None:
    owned = next(step for step in STEPS if "chown" in step.get("run", ""))
    assert STEPS.index(owned) > STEPS.index(RUN)
    assert owned["if"] == "always()"


def test_it_is_tried_from_an_empty_cache_once_a_week() -> None:
    (entry,) = CI["on"]["schedule"]
    assert entry["cron"].split()[-1] != "*"
    assert CACHE["if"] == "github.event_name != 'schedule'"


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_rights_are_named_and_small(path: Path) -> None:
    rights = workflow(path)["permissions"]
    assert set(rights.values()) <= {"read"}
