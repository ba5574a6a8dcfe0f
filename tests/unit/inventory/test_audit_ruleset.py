"""The rules for audit events: named on their page, clean by every check, tested whole, open to a site's own lists."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.falconet.k8s.plugins.module_utils.k8s_audit.rules import added, disabled

from ..module_runner import run_module

ROOT = Path(__file__).resolve().parents[3]
FILES = ROOT / "inventory" / "files"
RULES = FILES / "audit_rules"
ROLE = ROOT / "roles" / "k8s_audit"
PAGE = (ROOT / "docs" / "audit-rules.md").read_text()
ENTRIES: list[dict[str, Any]] = [
    {**entry, "file": path.name} for path in sorted(RULES.glob("*.yaml")) for entry in yaml.safe_load(path.read_text())
]
SHIPPED = [entry for entry in ENTRIES if "rule" in entry]
OFF = "All K8s Audit Events"
EVENT = {
    "kind": "Event",
    "auditID": "1",
    "stage": "ResponseComplete",
    "verb": "list",
    "requestURI": "/api/v1/namespaces/prod/pods",
    "user": {"username": "alice@example.com", "groups": ["system:authenticated"]},
    "objectRef": {"resource": "pods", "namespace": "prod"},
    "responseStatus": {"code": 200},
    "stageTimestamp": "2026-03-01T10:00:01Z",
}


def test_the_page_names_every_rule_with_its_file_and_every_list() -> None:
    shown = set(re.findall(r"^\| `([^`]+)` \| `([\w-]+\.yaml)` \|", PAGE, re.M))
    assert shown == {(entry["rule"], entry["file"]) for entry in SHIPPED}
    lists = set(re.findall(r"^\| `(audit_\w+)` \|", PAGE, re.M))
    assert lists == {entry["list"] for entry in ENTRIES if "list" in entry}


@pytest.mark.parametrize("entry", SHIPPED, ids=lambda entry: entry["rule"])
def test_a_rule_tells_who_did_what_to_what_and_from_where(entry: dict[str, Any]) -> None:
    assert entry["source"] == "k8s_audit"
    assert entry["desc"]
    assert entry["exceptions"]
    told = {"%ka.user.name", "%ka.verb", "%ka.target.resource", "%ka.target.name", "%ka.target.namespace"}
    assert {*told, "%ka.response.code", "%jevt.value"} <= set(re.findall(r"%[\w.]+", entry["output"]))
    assert "%jevt.value[/sourceIPs]" in entry["output"]
    assert entry.get("enabled", True) is (entry["rule"] != OFF)


def test_no_check_finds_anything_not_even_those_that_must_be_asked_for() -> None:
    result = run_module("falco_rules_validate", {"files": [str(RULES)], "optional_checks": ["FN007", "FN008"]})
    assert not result.get("failed"), result
    assert [one for one in result["findings"] if one["severity"] != "info"] == []


def test_the_rules_are_tested_whole_and_no_change_of_them_goes_unnoticed() -> None:
    kinds = dict.fromkeys(("rules", "exceptions", "macros", "parts"), 100)
    result = run_module(
        "falco_rules_test",
        {"tests": [str(FILES / "audit_rules_tests")], "minimum_coverage": kinds, "minimum_mutation_score": 100},
    )
    assert not result.get("failed"), result["msg"]
    assert result["findings"] == []
    assert result["counts"]["passed"] > 400
    assert result["mutants"]["own"]["killed"] == result["mutants"]["own"]["total"] > 500
    assert result["coverage"]["own"]["rules"]["total"] == len(SHIPPED) - 1


def test_system_call_rules_and_those_for_audit_events_are_apart() -> None:
    """A DaemonSet without the plugins would refuse to start with them."""
    assert all("source: k8s_audit" not in path.read_text() for path in (FILES / "rules").glob("*.yaml"))


def fired(tmp_path: Path, **variables: Any) -> list[str]:
    """The rules that fire on `EVENT` with a site's variables."""
    (tmp_path / "audit.log").write_text(json.dumps(EVENT) + "\n")
    site = run_module("falco_rules_compose", {"files": [str(RULES)], **variables})
    assert not site.get("failed"), site
    for name, content in site["files"].items():
        (tmp_path / name).write_text(content)
    given = {"files": [str(tmp_path / name) for name in sorted(site["files"])], "rule_matching": "all"}
    replayed = run_module("falco_rules_replay", {**given, "events": str(tmp_path / "audit.log")})
    assert not replayed.get("failed"), replayed
    return list(replayed["results"][0]["rules"])


def test_a_site_sets_lists_and_switches_rules_as_the_page_shows(tmp_path: Path) -> None:
    (shown,) = re.findall(r"```yaml\n(k8s_audit_allowed_users:.*?)```", PAGE, re.S)
    defaults = yaml.safe_load((ROLE / "defaults" / "main.yml").read_text())
    site = {name.removeprefix("k8s_audit_"): value for name, value in {**defaults, **yaml.safe_load(shown)}.items()}
    user = "Disallowed K8s User"
    assert fired(tmp_path) == [user]
    assert user not in fired(tmp_path, extra=added(site))
    assert OFF in fired(tmp_path, extra=added(site))
    assert fired(tmp_path, disabled=[user]) == []
    fired(tmp_path, disabled=disabled(site), disabled_tags=site["rules_disabled_tags"])
