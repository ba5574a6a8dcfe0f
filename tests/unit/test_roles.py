"""Each role declares its variables once in argument_specs; its defaults are the same, and its page is made of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
ROLES = sorted(p.name for p in (ROOT / "roles").iterdir() if (p / "meta" / "argument_specs.yml").exists())


def options(role: str) -> dict[str, Any]:
    document = yaml.safe_load((ROOT / "roles" / role / "meta" / "argument_specs.yml").read_text())
    found: dict[str, Any] = document["argument_specs"]["main"]["options"]
    return found


def defaults(role: str) -> dict[str, Any]:
    return yaml.safe_load((ROOT / "roles" / role / "defaults" / "main.yml").read_text()) or {}


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


def test_every_stage_is_a_role_and_every_role_a_stage_or_said_to_be_none() -> None:
    stages = yaml.safe_load((ROOT / "playbooks" / "vars" / "stages.yml").read_text())
    assert sorted(role for kind in ("node", "cluster", "further") for role in stages[kind]) == ROLES


def test_the_default_chart_brings_the_falco_that_rules_and_nodes_are_judged_for() -> None:
    from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.chart_changes import CHARTS

    minor = dict(CHARTS)[defaults("falco")["falco_chart_version"]]
    assert defaults("falco_rules")["falco_rules_falco_version"] == minor
    assert defaults("node_prep")["node_prep_falco_version"].startswith(f"{minor}.")
