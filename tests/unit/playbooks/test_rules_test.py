"""rules_test.yml runs the tests of every ruleset that comes with the collection."""

from __future__ import annotations

from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[3]


def test_no_ruleset_s_tests_are_left_out() -> None:
    task = yaml.safe_load((ROOT / "playbooks" / "rules_test.yml").read_text())[0]["tasks"][0]
    there = sorted(path.name for path in (ROOT / "inventory" / "files").glob("*_tests"))
    assert there == ["audit_rules_tests", "rules_tests"]
    for name in there:
        assert f"'{name}'" in task["falconet.k8s.falco_rules_test"]["tests"]
