"""falco_rules_compose through its main(): files, warnings and failures as a role gets them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from ..module_runner import run_module

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "rules.md").read_text()
FALCO = """
- rule: Shell of Falco
  desc: d
  condition: evt.type = execve and proc.name in (sh, bash)
  output: o
  priority: NOTICE
  tags: [shell]
- rule: Audit of Falco
  desc: d
  condition: ka.verb = get
  output: o
  priority: NOTICE
  source: k8s_audit
"""
OURS = """
- rule: Shell of ours
  desc: d
  condition: evt.type = execve and proc.name = bash
  output: o
  priority: NOTICE
- rule: Other of ours
  desc: d
  condition: evt.type = execve and proc.cwd = /tmp
  output: o
  priority: NOTICE
"""


def compose(**options: Any) -> dict[str, Any]:
    base = [{"name": "falco_rules.yaml", "content": FALCO, "path": "/etc/falco/falco_rules.yaml", "sha256": "x"}]
    return run_module("falco_rules_compose", {"files": {"ours.yaml": OURS}, "base": base, **options})


def test_without_data_nothing_is_added() -> None:
    result = compose(scope={})
    assert result["files"] == {"ours.yaml": OURS}
    assert result["changed"] is False
    assert result["judged"] is True
    assert result["remarks"] == []


def test_rules_are_named_with_whether_they_are_switched_on() -> None:
    ours = {"Shell of ours": True, "Other of ours": True}
    assert compose(disabled_tags=["shell"])["rules"] == {"Shell of Falco": False, "Audit of Falco": True, **ours}
    assert compose(base=None)["rules"] == ours
    assert compose(files={"ours.yaml": "- rule: [unclosed"})["rules"] == {}


def test_data_become_files() -> None:
    result = compose(disabled_tags=["shell"], scope={"namespaces": ["prod"], "rules": "own"})
    assert result["generated"] == ["zz-disabled.yaml", "zz-scope.yaml"]
    assert yaml.safe_load(result["files"]["zz-disabled.yaml"]) == [
        {"rule": "Shell of Falco", "enabled": False, "override": {"enabled": "replace"}}
    ]
    assert [entry["rule"] for entry in yaml.safe_load(result["files"]["zz-scope.yaml"])] == [
        "Shell of ours",
        "Other of ours",
    ]


def test_the_same_data_give_the_same_bytes() -> None:
    asked = {"disabled": ["Shell of Falco"], "scope": {"namespaces": ["prod"]}}
    assert compose(**asked)["files"] == compose(**asked)["files"]


def test_hidden_rules_are_warned_of_with_both_names() -> None:
    warnings = compose(rule_matching="first")["remarks"]
    assert warnings[0].startswith("rule 'Shell of ours' never fires: ")
    assert "'Shell of Falco' comes first and holds whenever it does" in warnings[0]
    assert warnings[1].startswith("rule 'Other of ours' may be hidden on execve by 'Shell of Falco', 'Shell of ours': ")
    assert all("set falco_rule_matching: all" in warning for warning in warnings)


def test_where_every_match_is_raised_nothing_is_warned_of() -> None:
    result = compose(rule_matching="all")
    assert result["remarks"] == []
    assert [one["always"] for one in result["hidden"]] == [True, False, False]


def test_a_rule_that_cannot_be_restricted_is_warned_of() -> None:
    result = compose(scope={"containers": ["web"]})
    assert "rule 'Audit of Falco' still fires everywhere" in result["remarks"][0]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            {"disabled": ["Shell of Faclo"]},
            "falco_rules_disabled: no rule is called 'Shell of Faclo'; did you mean",
        ),
        ({"disabled_tags": ["shel"]}, "falco_rules_disabled_tags: no rule has the tag 'shel'; did you mean 'shell'?"),
        ({"scope": {"rules": "own"}}, "falco_rules_scope: give namespaces, labels or containers"),
        ({"scope": {"namespaces": ["a"], "rules": "Shell of ours"}}, "write one name as [Shell of ours]"),
    ],
)
def test_a_failure_names_the_variable_and_the_nearest_name(options: dict[str, Any], said: str) -> None:
    result = compose(prefix="falco_rules_", **options)
    assert result["failed"] is True
    assert said in result["msg"]


def test_what_needs_falcos_rules_is_said() -> None:
    result = compose(base=None, prefix="falco_rules_", scope={"namespaces": ["prod"]})
    assert result["unknown"] == ["falco_rules_scope"]


def test_broken_files_are_no_failure_here() -> None:
    result = compose(files={"a.yaml": "- rule: ["}, scope={"namespaces": ["prod"]})
    assert result["judged"] is False
    assert result["generated"] == []


def test_rules_for_a_plugin_that_is_not_known_here_are_left_out() -> None:
    base = [{"name": "okta.yaml", "content": "- required_plugin_versions: [{name: okta, version: 0.11.1}]\n"}]
    result = compose(base=base, scope={"namespaces": ["prod"]})
    assert result["base_used"] is False
    assert "okta.yaml:1: LOAD_ERR_VALIDATE: Plugin requirement not satisfied" in result["remarks"][0]
    assert result["unknown"] == ["scope"]


def test_the_documented_variables_do_what_the_page_says() -> None:
    shown = re.search(r"```yaml\n(# group_vars/clusters/falco_rules.yml\n.*?)```", PAGE, re.S)
    assert shown
    variables = {name.removeprefix("falco_rules_"): value for name, value in yaml.safe_load(shown.group(1)).items()}
    # The names are Falco's own, which the stand-in for its rules has, too, but for the tag.
    falco = (ROOT / "sandbox" / "standins" / "image" / "etc" / "falco" / "falco_rules.yaml").read_text()
    tagged = falco.replace("shell, mitre_execution", "shell, maturity_sandbox, mitre_execution")
    own = (ROOT / "inventory" / "files" / "rules" / "production.yaml").read_text()
    result = compose(base=[{"name": "f.yaml", "content": tagged}], files={"production.yaml": own}, **variables)
    assert result["generated"] == ["zz-disabled.yaml", "zz-exceptions.yaml", "zz-scope.yaml"]
    assert result["disabled"] == ["Search Private Keys or Passwords", "Terminal shell in container"]
    assert {one["action"] for one in result["scoped"]} == {"append"}


def test_the_documented_playbook_shows_a_scope() -> None:
    shown = re.search(r"```yaml\n(- name: What a scope makes of the rules\n.*?)```", PAGE, re.S)
    assert shown
    (task, _debug) = yaml.safe_load(shown.group(1))[0]["tasks"]
    options = task["falconet.k8s.falco_rules_compose"]
    (name,) = options["files"]
    path = re.search(r"'(inventory/[^']+)'", options["files"][name])
    assert path
    result = run_module("falco_rules_compose", {**options, "files": {name: (ROOT / path.group(1)).read_text()}})
    assert result["files"]["zz-scope.yaml"].count("and k8s.ns.name in (prod)") == 2


def test_the_documented_warning_is_the_one_that_comes() -> None:
    shown = re.search(r"```text\n(rule 'Own shell' never.*?)```", PAGE, re.S)
    assert shown
    falco = FALCO.replace("Shell of Falco", "Terminal shell in container")
    own = {"o.yaml": OURS.replace("Shell of ours", "Own shell")}
    result = compose(base=[{"name": "f", "content": falco}], files=own, rule_matching="first")
    assert result["remarks"][0] == " ".join(shown.group(1).split())
