"""Rules switched by name, of old or of today, and lists that variables add to."""

from __future__ import annotations

import re
from pathlib import Path

import yaml
from ansible_collections.falconet.k8s.plugins.module_utils.k8s_audit.rules import CALLED_BEFORE, LISTS, added, disabled
from ansible_collections.falconet.k8s.plugins.plugin_utils.role_specs import role_options

ROOT = Path(__file__).resolve().parents[3]
RULES = ROOT / "inventory" / "files" / "audit_rules"


def items(kind: str) -> set[str]:
    return {
        entry[kind]
        for path in RULES.glob("*.yaml")
        for entry in yaml.safe_load(path.read_text())
        if kind in entry and entry.get("override") is None
    }


def test_each_list_of_the_shipped_rules_has_a_variable_of_its_name() -> None:
    assert {f"audit_{name}" for name in LISTS} == items("list")
    for name in LISTS:
        option = role_options("k8s_audit")[f"k8s_audit_{name}"]
        assert (option["type"], option["elements"], option["default"]) == ("list", "str", [])


def test_names_of_old_are_those_that_the_page_shows_and_lead_to_rules_that_there_are() -> None:
    page = (ROOT / "docs" / "audit-rules.md").read_text()
    shown = dict(re.findall(r"^\| `([^`]+)` \| `[^`]+` \| ([^|]+) \|", page, re.MULTILINE))
    of_old = {before: rule for rule, before in shown.items() if before not in ("the same", "an activity rule", "")}
    assert of_old == CALLED_BEFORE
    assert set(CALLED_BEFORE.values()) <= items("rule")


def test_what_is_added_and_switched() -> None:
    variables = {
        **{name: [] for name in LISTS},
        "allowed_users": ["alice"],
        "rules": {"All K8s Audit Events": True, "Pod in kube-system": False, "port-forward": False},
        "rules_extra": [{"list": "audit_exec_users", "items": ["bob"], "override": {"items": "append"}}],
    }
    assert added(variables) == [
        {"list": "audit_allowed_users", "items": ["alice"], "override": {"items": "append"}},
        {"rule": "All K8s Audit Events", "enabled": True, "override": {"enabled": "replace"}},
        {"list": "audit_exec_users", "items": ["bob"], "override": {"items": "append"}},
    ]
    assert disabled(variables) == ["Pod Created in Kube Namespace", "port-forward"]
