"""falco_rules_compose through its main(): files, warnings and failures as a role gets them."""

from __future__ import annotations

import hashlib
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
    return run_module("falco_rules_compose", {"contents": {"ours.yaml": OURS}, "base": base, **options})


def test_without_data_nothing_is_added() -> None:
    result = compose(scope={})
    assert result["files"] == {"ours.yaml": OURS}
    assert result["changed"] is False
    assert result["remarks"] == []


OLD = """
- rule: Keys read
  desc: d
  condition: evt.type = open and evt.dir = > and proc.name = cat
  output: o
  priority: NOTICE
- rule: Database reached
  desc: d
  condition: evt.type = connect and evt.dir = < and fd.sport = 5432
  output: o
  priority: NOTICE
"""


def test_what_an_upgrade_makes_of_the_rules_is_warned_of(tmp_path: Path) -> None:
    (tmp_path / "old.yaml").write_text(OLD)
    base = [{"name": "falco_rules.yaml", "content": OLD.replace("- rule: ", "- rule: Falco's "), "path": "/b.yaml"}]
    options: dict[str, Any] = {"contents": {}, "files": [str(tmp_path / "old.yaml")], "base": base}
    result = compose(**options, upgrade_from="0.40.1")
    silent, constant = result["upgrade"]
    assert (silent["code"], silent["file"], silent["line"]) == ("FN102", str(tmp_path / "old.yaml"), 4)
    assert (constant["code"], constant["instead"]) == ("FN103", "evt.type = connect and fd.sport = 5432")
    assert f"{tmp_path}/old.yaml:4:34: FN102: rule 'Keys read': the rule loads and never fires" in result["warned"][-2]
    assert "write condition: evt.type = connect and fd.sport = 5432" in result["warned"][-1]
    assert len(result["warnings"]) >= 2
    strict = compose(**options, upgrade_from="0.40.1", warnings_are_errors=True)
    assert "FN102" in strict["msg"]
    assert strict["upgrade"] == result["upgrade"]


def test_nothing_is_said_of_an_upgrade_where_there_is_none_or_nobody_knows() -> None:
    for version in (None, "", "0.44.0"):
        assert compose(contents={"old.yaml": OLD}, upgrade_from=version)["upgrade"] == []
    result = compose(upgrade_from="0.36.2")
    assert not result.get("failed")
    assert "what the rules meant to the Falco that runs is not known: no catalogue for Falco 0.36" in str(
        result["warnings"]
    )


def test_rules_that_the_version_to_come_refuses_are_told_with_the_way() -> None:
    text = OURS.replace("proc.cwd = /tmp", "mesos.task.name = x")
    result = compose(contents={"ours.yaml": text}, upgrade_from="0.40")
    assert "LOAD_ERR" in result["msg"]
    assert "FN101" in {one["code"] for one in result["upgrade"]}


def test_rules_are_named_with_whether_they_are_switched_on() -> None:
    ours = {"Shell of ours": True, "Other of ours": True}
    assert compose(disabled_tags=["shell"])["rules"] == {"Shell of Falco": False, "Audit of Falco": True, **ours}
    assert compose(base=None)["rules"] == ours


def test_data_become_files() -> None:
    result = compose(disabled_tags=["shell"], scope={"namespaces": ["prod"], "rules": "own"})
    assert result["generated"] == ["zz-disabled.yaml", "zz-scope.yaml"]
    # What rules do is tested, though they are switched off, and wherever they may fire.
    assert result["testable"].keys() == result["files"].keys() - {"zz-disabled.yaml", "zz-scope.yaml"}
    assert yaml.safe_load(result["files"]["zz-disabled.yaml"]) == [
        {"rule": "Shell of Falco", "enabled": False, "override": {"enabled": "replace"}}
    ]
    assert [entry["rule"] for entry in yaml.safe_load(result["files"]["zz-scope.yaml"])] == [
        "Shell of ours",
        "Other of ours",
    ]


TESTS = """\
cases:
  - name: bash is told
    given: {fields: {evt.type: execve, proc.name: bash, proc.cwd: /srv}}
    expect: [Shell of ours]
  - name: another directory is told
    given: {fields: {evt.type: execve, proc.name: cat, proc.cwd: /tmp}}
    expect: [Other of ours]
"""


def test_rules_are_tested_where_they_may_not_fire_and_though_they_are_off(tmp_path: Path) -> None:
    (tmp_path / "t.yaml").write_text(TESTS)
    asked = {"disabled": ["Other of ours"], "scope": {"namespaces": ["prod"], "rules": "own"}}
    result = compose(tests=[str(tmp_path)], **asked)
    assert result["tested"] == {"passed": 2, "failed": 0, "skipped": 0}
    assert compose(**asked)["tested"] == {"passed": 0, "failed": 0, "skipped": 0}


def test_exceptions_as_data_are_tested_with_the_rules(tmp_path: Path) -> None:
    tests = tmp_path / "t.yaml"
    tests.write_text(TESTS)
    exception = {"name": "ours", "fields": ["proc.name"], "comps": ["="], "values": [["bash"]]}
    result = compose(tests=[str(tests)], exceptions=[{"rule": "Shell of ours", "exceptions": [exception]}])
    assert result["failed"]
    assert result["msg"].startswith(f"{tests}:4:14: FT002: rule 'Shell of ours' did not fire")
    assert result["findings"][-1]["code"] == "FT002"


def test_a_warning_that_is_an_error_is_told_before_tests_are_run(tmp_path: Path) -> None:
    """Tests may ask for what the rules cannot do for the very reason that the warning names."""
    (tmp_path / "t.yaml").write_text(TESTS.replace("bash", "sh"))
    unused = [{"list": "nobody", "items": ["x"]}]
    told = compose(tests=[str(tmp_path)], extra=unused, warnings_are_errors=True)["msg"]
    assert told.startswith("warnings_are_errors is set: zz-extra.yaml:1:3: LOAD_UNUSED_LIST: ")
    assert "FT002" in compose(tests=[str(tmp_path)], extra=unused)["msg"]


def test_a_mistake_in_a_test_file_and_one_that_is_not_there_are_told(tmp_path: Path) -> None:
    tests = tmp_path / "t.yaml"
    tests.write_text(TESTS.replace("expect: [Other", "expct: [Other"))
    assert f"{tests}:7:5: FT001: a case has no key 'expct'" in compose(tests=[str(tests)])["msg"]
    away = str(tmp_path / "away")
    assert compose(tests=[away], prefix="falco_rules_")["msg"].startswith(f"falco_rules_tests: {away}: ")


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


def test_a_file_that_falco_would_refuse_fails_with_its_place() -> None:
    result = compose(contents={"a.yaml": OURS.replace("proc.cwd", "proc.cdw")}, scope={"namespaces": ["prod"]})
    assert result["failed"] is True
    assert result["msg"].startswith("a.yaml:9:36: LOAD_ERR_COMPILE_CONDITION: ")
    assert "did you mean 'proc.cwd'?" in result["msg"]
    errors = [one for one in result["findings"] if one["severity"] == "error"]
    assert [one["code"] for one in errors] == ["LOAD_ERR_COMPILE_CONDITION"]


def test_files_and_directories_are_read_in_the_order_of_their_names(tmp_path: Path) -> None:
    (tmp_path / "own" / "east").mkdir(parents=True)
    (tmp_path / "own" / "b.yaml").write_text("- list: b\n  items: [a]\n")
    (tmp_path / "own" / "east" / "c.yml").write_text("- list: c\n  items: [b]\n")
    (tmp_path / "a.yaml").write_text(OURS)
    result = compose(
        contents={},
        files=[str(tmp_path / "own"), str(tmp_path / "a.yaml")],
        cluster_files=[str(tmp_path / "there-is-none")],
        cluster="east",
    )
    assert list(result["files"]) == ["a.yaml", "b.yaml", "c.yml"]
    assert result["digests"]["a.yaml"] == hashlib.sha256(OURS.encode()).hexdigest()
    # Told with the path that an editor opens.
    assert result["warned"] == [
        f"{tmp_path}/own/east/c.yml:1:3: LOAD_UNUSED_LIST: list 'c': List not referred to by any other rule/macro",
    ]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"files": ["{}/none.yaml"]}, "falco_rules_files: there is no {}/none.yaml on the controller."),
        ({"base_files": ["{}/none"]}, "falco_rules_base_files: there is no {}/none on the controller."),
        ({"files": ["{}", "{}/other/one.yaml"]}, "two rules files have one name"),
    ],
)
def test_a_place_that_is_wrong_is_told_with_its_variable(
    tmp_path: Path, options: dict[str, list[str]], said: str
) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "one.yaml").write_text(OURS)
    (tmp_path / "other" / "one.yaml").write_text(OURS)
    given = {name: [path.format(tmp_path) for path in paths] for name, paths in options.items()}
    result = compose(contents={}, prefix="falco_rules_", **given)
    assert result["failed"] is True
    assert said.format(tmp_path) in result["msg"]


def test_base_files_go_before_the_running_falcos(tmp_path: Path) -> None:
    (tmp_path / "falco_rules.yaml").write_text(FALCO.replace("Shell of Falco", "Shell of a newer Falco"))
    result = compose(base_files=[str(tmp_path)], disabled=["Shell of a newer Falco"])
    assert result["disabled"] == ["Shell of a newer Falco"]
    assert list(result["base_digests"]) == ["falco_rules.yaml"]


def test_warnings_of_the_base_are_nobodys_here_and_those_of_the_site_may_stop_the_run() -> None:
    unused = "- list: nobody\n  items: [a]\n"
    base = [{"name": "falco_rules.yaml", "content": FALCO + unused, "path": "/etc/falco/falco_rules.yaml"}]
    assert compose(base=base, warnings_are_errors=True)["warned"] == []
    result = compose(contents={"ours.yaml": OURS + unused}, warnings_are_errors=True, prefix="falco_rules_")
    assert result["failed"] is True
    assert result["msg"].startswith("falco_rules_warnings_are_errors is set: ours.yaml:12:3: LOAD_UNUSED_LIST: ")


def test_what_changes_rules_that_nobody_knows_is_left_to_falco() -> None:
    result = compose(base=None, disabled=["Shell of Falco"])
    assert "zz-disabled.yaml" in result["files"]
    assert result["findings"] == []


def test_a_base_that_this_falco_would_refuse_is_left_out() -> None:
    base = [{"name": "mycloud.yaml", "content": "- required_plugin_versions: [{name: container, version: 9.0.0}]\n"}]
    result = compose(base=base, scope={"namespaces": ["prod"]})
    assert result["base_used"] is False
    assert "mycloud.yaml:1: LOAD_ERR_VALIDATE: Plugin requirement not satisfied" in result["remarks"][0]
    assert result["unknown"] == ["scope"]


def test_the_documented_variables_do_what_the_page_says() -> None:
    shown = re.search(r"```yaml\n(# group_vars/clusters/falco_rules.yml\n.*?)```", PAGE, re.S)
    assert shown
    variables = {name.removeprefix("falco_rules_"): value for name, value in yaml.safe_load(shown.group(1)).items()}
    # The names are Falco's own, which the stand-in for its rules has, too, but for the tag.
    falco = (ROOT / "sandbox" / "standins" / "image" / "etc" / "falco" / "falco_rules.yaml").read_text()
    rule = falco.index("- rule: Terminal shell in container\n")
    tagged = falco[:rule] + falco[rule:].replace(
        "shell, mitre_execution", "shell, maturity_sandbox, mitre_execution", 1
    )
    own = (ROOT / "inventory" / "files" / "rules" / "production.yaml").read_text()
    result = compose(base=[{"name": "f.yaml", "content": tagged}], contents={"production.yaml": own}, **variables)
    assert result["generated"] == ["zz-disabled.yaml", "zz-exceptions.yaml", "zz-scope.yaml"]
    assert result["disabled"] == ["Search Private Keys or Passwords", "Terminal shell in container"]
    assert {one["action"] for one in result["scoped"]} == {"append"}


def test_the_documented_playbook_shows_a_scope() -> None:
    shown = re.search(r"```yaml\n(- name: What a scope makes of the rules\n.*?)```", PAGE, re.S)
    assert shown
    (task, _debug) = yaml.safe_load(shown.group(1))[0]["tasks"]
    options = task["falconet.k8s.falco_rules_compose"]
    result = run_module("falco_rules_compose", {**options, "files": [str(ROOT / path) for path in options["files"]]})
    assert result["files"]["zz-scope.yaml"].count('and k8s.ns.name in ("prod")') == 2


def test_rules_that_a_scope_silences_are_warned_of() -> None:
    host = "- rule: On the host\n  desc: d\n  condition: evt.type = open and container.id = host\n  output: o\n"
    result = compose(contents={"a.yaml": f"{host}  priority: INFO\n"}, scope={"namespaces": ["prod"], "rules": "own"})
    assert result["scoped"][0]["silenced"] == "it looks at the host, where no pod is"
    assert "scope: rule 'On the host' never fires any more: it looks at the host, where no pod is" in result["remarks"]


@pytest.mark.parametrize("value", [True, 1.1, None])
def test_a_label_that_yaml_reads_as_no_text_is_refused(value: object) -> None:
    result = compose(contents={}, scope={"labels": {"app": value}})
    assert result["msg"] == f"scope.labels: put the value of 'app' in quotes; without them it is {value!r}"


def test_the_documented_warning_is_the_one_that_comes() -> None:
    shown = re.search(r"```text\n(rule 'Own shell' never.*?)```", PAGE, re.S)
    assert shown
    falco = FALCO.replace("Shell of Falco", "Terminal shell in container")
    own = {"o.yaml": OURS.replace("Shell of ours", "Own shell")}
    result = compose(base=[{"name": "f", "content": falco}], contents=own, rule_matching="first")
    assert result["remarks"][0] == " ".join(shown.group(1).split())


def test_a_base_with_rules_of_a_further_plugin_is_used() -> None:
    text = FALCO + "\n- required_plugin_versions:\n    - name: cloudtrail\n      version: 0.11.0\n"
    result = compose(base=[{"name": "f.yaml", "content": text}])
    assert result["base_used"] is True


def within(text: str) -> str:
    """Helm values with rules."""
    return "customRules:\n  rules-ours.yaml: |\n" + "".join(f"    {line}\n" for line in text.strip().splitlines())


def test_rules_within_another_file_become_a_file(tmp_path: Path) -> None:
    (tmp_path / "values.yaml").write_text(within(OURS))
    (tmp_path / "falco.yaml").write_text(within(FALCO))
    options: dict[str, Any] = {
        "contents": {}, "files": [str(tmp_path / "values.yaml")], "base_files": [str(tmp_path / "falco.yaml")]
    }  # fmt: skip
    result = compose(**options, disabled=["Shell of Falco"])
    assert result["files"]["values-customRules.rules-ours.yaml"] == OURS.strip() + "\n"
    assert result["digests"].keys() == result["testable"].keys() | {"zz-disabled.yaml"}
    assert result["rules"]["Shell of Falco"] is False
    assert result["rules"]["Shell of ours"] is True


def test_what_is_wrong_within_another_file_is_told_there(tmp_path: Path) -> None:
    values = tmp_path / "values.yaml"
    values.write_text(within(OURS.replace("proc.cwd", "proc.cwdd")))
    assert compose(contents={}, files=[str(values)])["msg"].startswith(f"{values}:10:40: LOAD_ERR_COMPILE_CONDITION: ")
    values.write_text(within(OLD))
    result = compose(contents={}, files=[str(values)], base=None, upgrade_from="0.40.1")
    assert [(one["file"], one["line"]) for one in result["upgrade"]] == [(str(values), 5), (str(values), 10)]


BELL = """
- required_plugin_versions:
    - name: doorbell
      version: 0.2.0
- rule: Night visitor
  desc: d
  condition: bell.rings > 3
  output: o
  priority: NOTICE
  source: doorbell
"""


def test_an_unknown_plugin_of_the_base_costs_neither_the_base_nor_a_warning() -> None:
    base = [{"name": "falco_rules.yaml", "content": FALCO + BELL, "path": "/etc/falco/falco_rules.yaml", "sha256": "x"}]
    result = compose(base=base, disabled=["Night visitor", "Shell of Falco"], scope={"namespaces": ["prod"]})
    assert not result.get("failed"), result
    assert result["base_used"]
    assert result["remarks"] == [
        "scope: rule 'Night visitor' still fires everywhere: cannot be restricted like this for source doorbell"
    ]
    assert [one["code"] for one in result["findings"] if one["code"] == "FN019"] == ["FN019"]


def test_an_unknown_plugin_of_our_own_is_warned_of_until_it_is_described() -> None:
    ours = {"ours.yaml": OURS + BELL}
    result = compose(contents=ours)
    assert not result.get("failed"), result
    assert "ours.yaml:14:7: FN019: required plugin versions entry 'doorbell': nothing is known" in result["warned"][0]
    assert compose(contents=ours, warnings_are_errors=True)["failed"]
    described = [{"name": "doorbell", "source": "doorbell", "fields": [{"name": "bell.rings", "type": "uint64"}]}]
    result = compose(contents=ours, plugin_descriptions=described, warnings_are_errors=True)
    assert result["warned"] == []
    assert compose(contents={"ours.yaml": OURS + BELL.replace("rings", "rigns")}, plugin_descriptions=described)[
        "failed"
    ]
