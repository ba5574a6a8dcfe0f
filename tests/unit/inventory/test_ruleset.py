"""The rules that come with the system: named on their page, clean by every check, and open to a site's own lists."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from ..module_runner import run_module

ROOT = Path(__file__).resolve().parents[3]
RULES = ROOT / "inventory" / "files" / "rules"
PAGE = (ROOT / "docs" / "ruleset.md").read_text()
ENTRIES: list[dict[str, Any]] = [
    {**entry, "file": path.name} for path in sorted(RULES.glob("*.yaml")) for entry in yaml.safe_load(path.read_text())
]
SHIPPED = [entry for entry in ENTRIES if "rule" in entry]
INSTALL = {
    "evt.type": "execve",
    "evt.failed": False,
    "container.id": "3f2a1b0c9d8e",
    "container.image.repository": "registry.example/ci/runner",
    "k8s.ns.name": "ci",
    "proc.name": "apk",
}


def test_the_page_names_every_rule_with_its_file_and_every_list() -> None:
    shown = set(re.findall(r"^\| `([A-Z][^`]+)` \| `(\w+\.yaml)` \|", PAGE, re.M))
    assert shown == {(entry["rule"], entry["file"]) for entry in SHIPPED}
    lists = set(re.findall(r"^\| `(site_\w+)` \|", PAGE, re.M))
    assert lists == {entry["list"] for entry in ENTRIES if str(entry.get("list", "")).startswith("site_")}


@pytest.mark.parametrize("entry", SHIPPED, ids=lambda entry: entry["rule"])
def test_a_rule_has_what_tuning_and_a_reader_need(entry: dict[str, Any]) -> None:
    assert entry["desc"]
    assert {"%proc.cmdline", "%k8s.pod.name", "%k8s.ns.name"} <= set(re.findall(r"%[\w.]+", entry["output"]))
    if entry["file"] != "production.yaml":
        assert entry["exceptions"]
        assert {"%proc.name", "%container.image.repository"} <= set(re.findall(r"%[\w.]+", entry["output"]))


def test_no_check_finds_anything_not_even_those_that_must_be_asked_for() -> None:
    result = run_module("falco_rules_validate", {"files": [str(RULES)], "optional_checks": ["FN007", "FN008"]})
    assert not result.get("failed"), result
    assert result["findings"] == []


def test_a_site_adds_to_and_replaces_lists_as_the_page_shows(tmp_path: Path) -> None:
    (shown,) = re.findall(r"```yaml\n(falco_rules_extra:\n.*?)```", PAGE, re.S)
    extra = yaml.safe_load(shown)["falco_rules_extra"]
    connects = {**INSTALL, "evt.type": "connect", "fd.sockfamily": "ip", "fd.sip": "203.0.113.7", "fd.sport": 443}
    events = [INSTALL, {**connects, "k8s.ns.name": "shop"}, {**connects, "k8s.ns.name": "prod"}]
    (tmp_path / "events.jsonl").write_text("".join(json.dumps({"fields": event}) + "\n" for event in events))

    def fired(**variables: Any) -> list[list[str]]:
        site = run_module("falco_rules_compose", {"files": [str(RULES)], **variables})
        assert not site.get("failed"), site
        for name, content in site["files"].items():
            (tmp_path / name).write_text(content)
        given = {"files": [str(tmp_path / name) for name in sorted(site["files"])]}
        replayed = run_module(
            "falco_rules_replay", {**given, "events": str(tmp_path / "events.jsonl"), "rule_matching": "all"}
        )
        assert not replayed.get("failed"), replayed
        by_event = {result["event"]: result["rules"] for result in replayed["results"]}
        return [by_event.get(number + 1, []) for number in range(len(events))]

    install, connect = "Package manager started in a container", "Connection outside of a pod's policy"
    assert fired() == [[install], [], [connect]]
    assert fired(extra=extra) == [[], [connect], []]
