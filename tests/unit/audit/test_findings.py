"""Each code of audit policies is explained, shown, and found in what it shows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.audit.check import check
from ansible_collections.falconet.k8s.plugins.module_utils.audit.codes import CODES, UNJUDGED
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.ruleset import RulesFile, load

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "findings.md").read_text()
SECTIONS = dict(re.findall(r"^### (FA\w+)\n(.*?)(?=^##|\Z)", PAGE, re.S | re.M))
SOUND = "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules:\n  - level: Metadata\n"
RULE = "- rule: R\n  desc: d\n  condition: ka.verb = get\n  output: o\n  priority: INFO\n  source: k8s_audit\n"


def codes(policy: str, rules: str = RULE) -> set[str]:
    return {one.code for one in check(policy, load([RulesFile("rules.yaml", rules)])).findings}


def test_every_code_is_explained_with_its_severity_and_title() -> None:
    assert list(SECTIONS) == list(CODES)
    assert [code for code in CODES if not re.fullmatch(r"FA\d{3}", code)] == []
    for code, text in SECTIONS.items():
        assert text.strip().startswith(f"*{': '.join(CODES[code])}.*")


@pytest.mark.parametrize("code", [code for code in CODES if code != UNJUDGED])
def test_the_example_of_each_code_gets_it_and_a_sound_policy_does_not(code: str) -> None:
    assert code in codes(*re.findall(r"```yaml\n(.*?)```", SECTIONS[code], re.S))
    assert codes(SOUND) == set()
