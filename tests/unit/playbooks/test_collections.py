"""Collections that galaxy.yml asks for are there, in a version that it takes: with every ansible-core of the matrix."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
DEPENDENCIES = yaml.safe_load((ROOT / "galaxy.yml").read_text())["dependencies"]


def number(version: str) -> list[int]:
    return [int(part) for part in version.split(".")[:3]]


@pytest.fixture(scope="module")
def installed() -> dict[str, str]:
    # Which ansible-core a plugin path belongs to, and so where collections are, only Ansible itself knows.
    command = ["ansible-galaxy", "collection", "list", "--format", "json"]
    listed = json.loads(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout)
    return {name: about["version"] for path in reversed(listed.values()) for name, about in path.items()}


@pytest.mark.parametrize("collection", sorted(DEPENDENCIES))
def test_a_collection_that_is_asked_for_is_there(collection: str, installed: dict[str, str]) -> None:
    claimed = DEPENDENCIES[collection]
    assert claimed.startswith(">=")
    assert number(installed[collection]) >= number(claimed[2:])
