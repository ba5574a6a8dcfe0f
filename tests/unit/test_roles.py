"""Each role says the same thing three times: defaults, argument_specs and the README's table."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
ROLES = sorted(p.name for p in (ROOT / "roles").iterdir() if (p / "meta" / "argument_specs.yml").exists())
ROW = re.compile(r"^\| `([a-z_0-9]+)` \| ([^|]+) \| ((?:[^|\\]|\\.)*) \|", re.MULTILINE)


def options(role: str) -> dict[str, Any]:
    document = yaml.safe_load((ROOT / "roles" / role / "meta" / "argument_specs.yml").read_text())
    found: dict[str, Any] = document["argument_specs"]["main"]["options"]
    return found


def defaults(role: str) -> dict[str, Any]:
    return yaml.safe_load((ROOT / "roles" / role / "defaults" / "main.yml").read_text()) or {}


def rows(role: str) -> dict[str, str]:
    text = (ROOT / "roles" / role / "README.md").read_text()
    return {name: kind.strip() for name, kind, _ in ROW.findall(text)}


@pytest.mark.parametrize("role", ROLES)
def test_defaults_are_those_of_the_argument_specs(role: str) -> None:
    declared = {name: option["default"] for name, option in options(role).items() if "default" in option}
    assert {k: v for k, v in defaults(role).items() if not k.startswith("__")} == declared


@pytest.mark.parametrize("role", ROLES)
def test_every_option_is_described_and_prefixed(role: str) -> None:
    for name, option in options(role).items():
        assert name.startswith(f"{role}_"), name
        assert option.get("description"), name
        assert option.get("type"), name


@pytest.mark.parametrize("role", ROLES)
def test_readme_table_lists_every_option_with_its_type(role: str) -> None:
    told = rows(role)
    assert set(told) == set(options(role))
    for name, option in options(role).items():
        assert told[name].startswith(option["type"]), f"{name}: README says {told[name]}, it is {option['type']}"


def test_every_stage_is_a_role_and_every_role_a_stage() -> None:
    stages = yaml.safe_load((ROOT / "playbooks" / "vars" / "stages.yml").read_text())
    assert sorted(stages["__falconet_node_stages"] + stages["__falconet_cluster_stages"]) == ROLES
