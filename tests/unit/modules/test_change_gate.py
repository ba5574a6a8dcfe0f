"""change_gate through its main(): what passes, what fails and why, what a change does, and its comment and reports."""

from __future__ import annotations

import importlib
import json
import re
import shutil
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
import yaml

from ..module_runner import MODULES, run_module

ROOT = Path(__file__).resolve().parents[3]
RULES = """\
- rule: Shell
  desc: A shell in a container
  condition: evt.type = execve and proc.name in (bash, sh)
  output: A shell (command=%proc.cmdline)
  priority: WARNING
"""
TESTS = """\
rulesets:
  own: [../rules]
cases:
  - name: A shell
    given: {fields: {evt.type: execve, proc.name: bash}}
    expect: [Shell]
  - name: The other shell
    given: {fields: {evt.type: execve, proc.name: sh}}
    expect: [Shell]
  - name: No shell
    given: {fields: {evt.type: execve, proc.name: cat}}
    expect_not: [Shell]
  - name: A shell that opens a file
    given: {fields: {evt.type: open, proc.name: bash}}
    expect_not: [Shell]
"""
MANIFESTS = """\
apiVersion: v1
kind: Namespace
metadata: {name: prod}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: prod}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: web}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: db, namespace: prod}
spec:
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: db, image: db, ports: [{containerPort: 5432}]}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db, namespace: prod}
spec:
  podSelector: {matchLabels: {app: db}}
  policyTypes: [Ingress]
  ingress:
    - from: [{podSelector: {matchLabels: {app: web}}}]
      ports: [{port: 5432}]
"""
WEB = {"namespace": "prod", "labels": {"app": "web"}}
DB = {"namespace": "prod", "labels": {"app": "db"}}
FLOW = {"name": "web to its database", "from": WEB, "to": DB, "ports": ["5432/TCP"]}
WORLD = {"name": "the world to the database", "from": {"cidr": "0.0.0.0/0"}, "to": DB}
RULESET = {"name": "own", "files": ["rules"], "tests": ["rules_tests"]}
POLICIES = {"name": "prod", "paths": ["manifests"], "required_flows": [FLOW], "forbidden_flows": [WORLD]}
VALUES = {"name": "falco", "path": "chart", "values": ["values.yaml"]}


@pytest.fixture
def after(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout, and beside it the same one as the revision before."""
    files = {
        "rules/shell.yaml": RULES,
        "rules_tests/shell.yaml": TESTS,
        "manifests/prod.yaml": MANIFESTS,
        "chart/Chart.yaml": "name: falco\nversion: 1.0.0\nappVersion: 1.0.0\n",
        "chart/values.yaml": "image:\n  tag: x\nreplicas: 1\n",
        "chart/templates/a.yaml": "{{ .Values.image.tag }} {{ .Values.replicas }}\n",
        "values.yaml": "image:\n  tag: y\n",
    }
    root = tmp_path / "after"
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    shutil.copytree(root, tmp_path / "before")
    monkeypatch.chdir(tmp_path)
    return root


def outcome(check_mode: bool = False, **args: Any) -> dict[str, Any]:
    return run_module("change_gate", {"root": "after", "before": "before", "jobs": 1, **args}, check_mode=check_mode)


def the_section(result: dict[str, Any]) -> dict[str, Any]:
    (section,) = result["sections"]
    return dict(section)


def changes(result: dict[str, Any]) -> dict[str, list[str]]:
    return {one["title"]: one["lines"] for one in the_section(result)["changes"]}


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_a_revision_without_a_mistake_and_without_a_change_passes(after: Path) -> None:
    result = outcome(rulesets=[RULESET], policies=[POLICIES], charts=[VALUES], minimum_mutation_score=100)
    assert not result.get("failed"), result["msg"]
    assert result["successful"] is True
    assert [(one["kind"], one["status"], one["changes"]) for one in result["sections"]] == [
        ("rules", "passed", []),
        ("policies", "passed", []),
        ("charts", "passed", []),
    ]
    counts = result["sections"][0]["counts"]
    assert (counts["rules"], counts["cases passed"]) == (1, 4)
    assert counts["mutants"] == counts["mutants killed"] > 3


def test_rules_that_falco_would_refuse_fail_at_their_place_below_the_root(after: Path) -> None:
    edit(after / "rules" / "shell.yaml", "proc.name in", "proc.nam in")
    result = outcome(rulesets=[RULESET])
    assert result["failed"] is True
    assert result["msg"].startswith("rules own: rules/shell.yaml:3:")
    assert "proc.nam" in result["msg"]
    assert result["findings"][0]["file"] == "rules/shell.yaml"
    assert the_section(result)["status"] == "failed"


def test_a_test_that_fails_fails_the_gate_and_names_the_part(after: Path) -> None:
    edit(after / "rules" / "shell.yaml", "(bash, sh)", "(bash)")
    result = outcome(rulesets=[RULESET])
    assert "rule 'Shell' did not fire" in result["msg"]
    assert "rules/shell.yaml:3:" in result["msg"]
    assert "after/" not in json.dumps({k: v for k, v in result.items() if k != "invocation"})


def test_a_mutant_that_survives_fails_the_gate_where_a_score_is_asked_for(after: Path) -> None:
    edit(after / "rules_tests" / "shell.yaml", "proc.name: sh}", "proc.name: bash}")
    assert not outcome(rulesets=[RULESET]).get("failed")
    result = outcome(rulesets=[RULESET], minimum_mutation_score=100)
    assert "no test notices" in result["msg"]
    assert result["successful"] is False


def test_a_minimum_without_tests_fails(after: Path) -> None:
    result = outcome(rulesets=[{**RULESET, "tests": []}], minimum_coverage={"rules": 100})
    assert result["msg"] == "rules own: ruleset 'own' has no tests, and a minimum is asked of them"


@pytest.mark.parametrize(
    ("ruleset", "said"),
    [
        ({"files": ["nowhere.yaml"]}, "rules own: nowhere.yaml: cannot read the file: No such file or directory"),
        ({"files": []}, "rules own: rulesets[own].files: names no file, so there is nothing to judge"),
        ({"tests": ["nowhere"]}, "rules own: nowhere: cannot read the file: No such file or directory"),
        ({"events": "nowhere.jsonl"}, "rules own: nowhere.jsonl: "),
    ],
)
def test_rules_that_are_not_there_fail(after: Path, ruleset: dict[str, Any], said: str) -> None:
    result = outcome(rulesets=[{**RULESET, **ruleset}])
    assert result["failed"] is True
    assert result["msg"].startswith(said)


def test_a_warning_of_the_base_is_not_the_author_s_but_its_error_is(after: Path) -> None:
    base = after / "base.yaml"
    base.write_text("- list: unused\n  items: [a]\n")
    result = outcome(rulesets=[{**RULESET, "base_files": ["base.yaml"]}], fail_on="warning")
    assert not result.get("failed"), result["msg"]
    base.write_text("- list: unused\n")
    result = outcome(rulesets=[{**RULESET, "base_files": ["base.yaml"]}], fail_on="warning")
    assert "base.yaml" in result["msg"]


def test_a_change_of_rules_is_told_and_what_it_does_to_recorded_alerts(after: Path) -> None:
    events = [{"fields": {"evt.type": "execve", "proc.name": name}} for name in ("bash", "sh", "zsh")]
    (after / "events.jsonl").write_text("".join(json.dumps(one) + "\n" for one in events))
    edit(after / "rules" / "shell.yaml", "(bash, sh)", "(bash, zsh)")
    ruleset = {**RULESET, "tests": [], "events": "events.jsonl", "rule_matching": "all"}
    found = changes(outcome(rulesets=[ruleset]))
    assert found == {
        "Rules": ["rule Shell: condition changed (patch)"],
        "Alerts lost": ["rule 'Shell': no longer alerts on 1 event (line 2) of events.jsonl"],
        "Alerts added": ["rule 'Shell': newly alerts on 1 event (line 3) of events.jsonl"],
    }
    found = changes(outcome(rulesets=[ruleset], before=None))
    assert found == {"Alerts": ["rule 'Shell': alerts on 2 events (lines 1, 3) of events.jsonl"]}


def test_a_ruleset_that_is_new_or_was_broken_is_not_compared_and_says_so(after: Path, tmp_path: Path) -> None:
    before = tmp_path / "before" / "rules"
    edit(before / "shell.yaml", "proc.name in", "proc.nam in")
    section = the_section(outcome(rulesets=[RULESET]))
    assert section["notes"] == ["The revision before does not load, so nothing is compared with it."]
    shutil.rmtree(before)
    section = the_section(outcome(rulesets=[RULESET]))
    assert section["notes"] == ["The revision before does not have this ruleset: all of it is new."]
    assert section["changes"] == [{"title": "Rules", "lines": ["rule Shell: added (minor)"]}]


def test_flows_that_do_not_hold_fail_each_with_its_reason(after: Path) -> None:
    edit(after / "manifests" / "prod.yaml", "ports: [{port: 5432}]", "ports: [{port: 5433}]")
    edit(after / "manifests" / "prod.yaml", "- from: [{podSelector", "- {}\n    - from: [{podSelector")
    result = outcome(policies=[POLICIES])
    reasons = the_section(result)["reasons"]
    assert len(reasons) == 1
    assert reasons[0].startswith("the world to the database: ")
    assert "is forbidden but allowed" in reasons[0]


def test_a_flow_that_names_what_is_not_there_fails_and_the_others_are_judged(after: Path) -> None:
    wrong = {**FLOW, "from": {"namespace": "prd"}}
    edit(after / "manifests" / "prod.yaml", "5432}]", "5433}]")
    result = outcome(policies=[{**POLICIES, "required_flows": [wrong, FLOW]}])
    reasons = the_section(result)["reasons"]
    assert len(reasons) == 2
    assert "required_flows[0].from" in reasons[0]
    assert "did you mean 'prod'?" in reasons[0]
    assert "is required but denied" in reasons[1]


def test_a_change_of_policies_and_labels_is_told(after: Path) -> None:
    path = after / "manifests" / "prod.yaml"
    edit(path, "ports: [{port: 5432}]", "ports: [{port: 5433}]")
    assert changes(outcome(policies=[{**POLICIES, "required_flows": []}])) == {
        "Connections on other ports": ["prod/Deployment/web -> prod/Deployment/db: TCP 5432 => TCP 5433"]
    }
    edit(path, "metadata: {labels: {app: web}}", "metadata: {labels: {app: www}}")
    edit(path, "selector: {matchLabels: {app: web}}", "selector: {matchLabels: {app: www}}")
    found = changes(outcome(policies=[{**POLICIES, "required_flows": []}]))
    assert found["Connections lost"] == ["prod/Deployment/web -> prod/Deployment/db: TCP 5432"]
    assert found["Labels"] == ["workload prod/Deployment/web: app=web => app=www"]


def test_manifests_that_the_api_refuses_fail_all_at_once(after: Path) -> None:
    edit(after / "manifests" / "prod.yaml", "policyTypes: [Ingress]", "policyTypes: [Ingres]")
    edit(after / "manifests" / "prod.yaml", "[{port: 5432}]", "[{port: 99999}]")
    result = outcome(policies=[POLICIES])
    assert {(one["file"], one["code"]) for one in result["findings"]} == {("manifests/prod.yaml", "invalid-object")}
    assert len(result["findings"]) == 2
    assert the_section(result)["status"] == "failed"
    assert outcome(policies=[{"name": "prod", "paths": ["nowhere"]}])["msg"] == (
        "policies prod: nowhere does not exist"
    )
    assert "names no file" in outcome(policies=[{"name": "prod", "paths": []}])["msg"]


def test_findings_of_policies_fail_from_the_asked_severity_on(after: Path) -> None:
    edit(
        after / "manifests" / "prod.yaml", "spec:\n  podSelector: {matchLabels: {app: db}}", "spec:\n  podSelector: {}"
    )
    policies = [{"name": "prod", "paths": ["manifests"]}]
    (after / "manifests" / "stray.yaml").write_text(
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: stray, namespace: prod}\n"
        "spec: {podSelector: {matchLabels: {app: nobody}}}\n"
    )
    found = outcome(policies=policies, fail_on="warning")
    assert found["failed"] is True
    assert "manifests/stray.yaml:1" in found["msg"]
    assert not outcome(policies=policies, fail_on="never").get("failed")


def test_what_of_policies_is_not_analysed_is_said_once(after: Path) -> None:
    (after / "manifests" / "mesh.yaml").write_text(
        "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\n"
        "metadata: {name: mesh, namespace: prod}\nspec: {}\n"
    )
    notes = the_section(outcome(policies=[POLICIES]))["notes"]
    assert [note for note in notes if "not analysed" in note] == ["not analysed: 1 AuthorizationPolicy"]


def test_questions_about_the_set_as_a_whole_fail_where_the_answer_is_not_the_expected_one(after: Path) -> None:
    (after / "never.yaml").write_text(
        """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: never, namespace: prod}
spec:
  podSelector: {matchLabels: {app: db}}
  ingress: [{from: [{ipBlock: {cidr: 192.0.2.0/24}}, {podSelector: {matchLabels: {app: web}}}]}]
"""
    )
    forbids = {"question": "forbids", "other_paths": ["never.yaml"]}
    entry = {"name": "prod", "paths": ["manifests"], "questions": [forbids, {"question": "emptiness"}]}
    result = outcome(policies=[entry], sarif_path="gate.sarif", junit_path="gate.xml")
    assert result["msg"] == (
        "policies prod: forbids never.yaml: the policies do not forbid all that the others' rules allow "
        "(prod/Deployment/web -> prod/Deployment/db: TCP 5432)"
    )
    assert the_section(result)["counts"]["questions"] == 2
    told = {one["ruleId"]: one["level"] for one in json.loads(Path("gate.sarif").read_text())["runs"][0]["results"]}
    assert told["forbids"] == "error"
    cases = {one.get("name"): one for one in ET.parse("gate.xml").iter("testcase")}
    failure = cases["forbids never.yaml"].find("failure")
    assert failure is not None
    assert "TCP 5432" in (failure.text or "")
    assert cases["emptiness"].find("failure") is None
    assert not outcome(policies=[{**entry, "questions": [{**forbids, "expect": False}]}]).get("failed")


def test_policies_that_select_nobody_are_findings_of_the_question_for_empty_ones(after: Path) -> None:
    edit(
        after / "manifests" / "prod.yaml",
        "podSelector: {matchLabels: {app: db}}",
        "podSelector: {matchLabels: {app: dB}}",
    )
    entry = {"name": "prod", "paths": ["manifests"], "questions": [{"question": "emptiness"}]}
    result = outcome(policies=[entry], fail_on="never")
    assert "emptiness: manifests/prod.yaml:23: warning: NetworkPolicy prod/db: selects no pod" in result["msg"]
    assert "empty-policy" in {one["code"] for one in result["findings"]}


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ({"question": "permits"}, "permits: other_paths names no file: there is no other set of policies"),
        ({"question": "permits", "other_paths": ["nowhere"]}, "permits nowhere: nowhere does not exist"),
    ],
)
def test_a_question_without_its_other_set_fails(after: Path, question: dict[str, Any], said: str) -> None:
    result = outcome(policies=[{"name": "prod", "paths": ["manifests"], "questions": [question]}])
    assert result["msg"] == f"policies prod: {said}"


def test_values_that_the_chart_does_not_know_fail_at_their_line(after: Path) -> None:
    (after / "values.yaml").write_text("image:\n  tagg: y\n")
    result = outcome(charts=[VALUES])
    assert result["msg"].startswith("charts falco: values.yaml:2:3: chart-value: ")
    (after / "values.yaml").write_text("image: [\n")
    assert "values.yaml" in outcome(charts=[VALUES])["msg"]
    (after / "values.yaml").write_text("- image\n")
    assert "values are a mapping" in outcome(charts=[VALUES])["msg"]
    assert "cannot be read" in outcome(charts=[{**VALUES, "values": ["nowhere.yaml"]}])["msg"]
    assert "nowhere is no Helm chart" in outcome(charts=[{**VALUES, "path": "nowhere"}])["msg"]
    assert "names no file" in outcome(charts=[{**VALUES, "values": []}])["msg"]


AUDIT_POLICY = """\
apiVersion: audit.k8s.io/v1
kind: Policy
rules:
  - level: Metadata
    resources: [{group: "", resources: [pods/exec]}]
  - level: None
"""
AUDIT_RULES = """\
- rule: Session
  desc: A session in a pod
  condition: ka.verb = create and ka.target.resource = pods and ka.target.subresource = exec
  output: A session (user=%ka.user.name)
  priority: NOTICE
  source: k8s_audit
"""
AUDIT = {"name": "api", "policy": "audit.yaml", "files": ["audit_rules.yaml"]}


@pytest.fixture
def audited(after: Path, tmp_path: Path) -> Path:
    """The checkouts with an audit policy and a rule that it records."""
    for side in (after, tmp_path / "before"):
        (side / "audit.yaml").write_text(AUDIT_POLICY)
        (side / "audit_rules.yaml").write_text(AUDIT_RULES)
    return after


def test_an_audit_policy_that_leaves_a_rule_blind_fails_and_what_it_saw_before_is_told(audited: Path) -> None:
    passed = outcome(audit_policies=[AUDIT, {"name": "ours", "preset": "recommended"}])
    assert not passed.get("failed"), passed["msg"]
    assert [one["status"] for one in passed["sections"]] == ["passed", "passed"]
    edit(audited / "audit.yaml", "level: Metadata", "level: None")
    result = outcome(audit_policies=[AUDIT])
    assert "never fires" in result["msg"]
    assert result["msg"].startswith("audit_policies api: audit_rules.yaml:1: FA011: ")
    assert changes(result) == {"Rules that see less": ["rule Session: recorded => never"]}


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"policy": "nowhere.yaml"}, "nowhere.yaml"),
        ({"policy": "audit.yaml", "preset": "full"}, "give either policy or preset"),
        ({}, "give either policy or preset"),
        ({"preset": "full", "files": ["nowhere.yaml"]}, "nowhere.yaml: cannot read the file"),
        ({"preset": "full", "files": ["rules"]}, "none of the rules has the source k8s_audit"),
    ],
)
def test_an_audit_policy_that_cannot_be_judged_fails(audited: Path, entry: dict[str, Any], said: str) -> None:
    result = outcome(audit_policies=[{"name": "api", **entry}])
    assert result["failed"] is True
    assert said in result["msg"]
    assert "after/" not in result["msg"]


def test_a_policy_that_is_new_is_not_compared_and_says_so(audited: Path, tmp_path: Path) -> None:
    (tmp_path / "before" / "audit.yaml").unlink()
    (note,) = the_section(outcome(audit_policies=[AUDIT]))["notes"]
    assert "nothing is compared with it" in note


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ({}, "there is nothing to judge: give rulesets, audit_policies, policies or charts"),
        ({"rulesets": [RULESET, RULESET]}, "rulesets: 2 entries are called 'own'; give each a name of its own"),
        ({"rulesets": [RULESET], "root": "nowhere"}, "root: nowhere is no directory"),
        ({"rulesets": [RULESET], "before": "nowhere"}, "before: nowhere is no directory"),
        ({"rulesets": [RULESET], "falco_version": "0.1"}, "0.1"),
        ({"rulesets": [RULESET], "sarif_path": "nowhere/a.sarif"}, "a report cannot be written: "),
    ],
)
def test_options_with_which_nothing_can_be_judged_are_refused(after: Path, args: dict[str, Any], said: str) -> None:
    result = outcome(**args)
    assert result["failed"] is True
    assert said in result["msg"]


def test_the_reports_hold_every_part_and_check_mode_writes_none(after: Path, tmp_path: Path) -> None:
    edit(after / "rules" / "shell.yaml", "(bash, sh)", "(bash)")
    edit(after / "manifests" / "prod.yaml", "5432}]", "5433}]")
    (after / "values.yaml").write_text("imag: y\n")
    paths = {"markdown_path": "gate.md", "sarif_path": "gate.sarif", "junit_path": "gate.xml"}
    args: dict[str, Any] = {"rulesets": [RULESET], "policies": [POLICIES], "charts": [VALUES], **paths}
    result = outcome(check_mode=True, **args)
    assert [name for name in paths.values() if (tmp_path / name).exists()] == []
    assert outcome(**args)["changed"] is True
    assert outcome(**args)["changed"] is False
    assert (tmp_path / "gate.md").read_text() == result["comment"]
    sarif = json.loads((tmp_path / "gate.sarif").read_text())
    assert {one["ruleId"] for one in sarif["runs"][0]["results"]} >= {"FT002", "chart-value"}
    suites = {one.get("name"): one for one in ET.fromstring((tmp_path / "gate.xml").read_text())}
    assert {"rules own", "rules_tests/shell.yaml", "policies prod", "policies prod flows", "charts falco"} <= set(
        suites
    )
    failures = {name: int(one.get("failures", 0)) for name, one in suites.items()}
    assert (failures["rules own"], failures["policies prod flows"], failures["charts falco"]) == (1, 1, 1)


HOSTILE = "x`y` [l](http://e) <img src=x> @all | #1 **b**\u202e"


def test_what_an_author_writes_is_text_in_the_comment(after: Path) -> None:
    (after / "rules" / "shell.yaml").write_text(RULES.replace("rule: Shell", f"rule: {json.dumps(HOSTILE)}"))
    result = outcome(rulesets=[{**RULESET, "name": HOSTILE, "tests": []}])
    for line in result["comment"].splitlines()[1:]:
        outside = re.sub(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", "", line)
        bare = re.sub(r"\\.", "", outside)
        assert not re.search(r"[\[\]@`]|<(?!/?(details|summary)>)", bare), line


def test_the_comment_tells_verdict_parts_and_changes_and_stays_small(after: Path) -> None:
    edit(after / "rules" / "shell.yaml", "(bash, sh)", "(bash)")
    many = "".join(RULES.replace("Shell", f"Rule {n:04} {'x' * 200}") for n in range(2000))
    (after / "rules" / "many.yaml").write_text(many)
    result = outcome(rulesets=[RULESET], policies=[POLICIES])
    lines = result["comment"].splitlines()
    assert lines[:2] == ["<!-- falconet.k8s gate -->", "## Gate: 1 of 2 parts failed"]
    assert "- and 1976 more" in lines
    assert len(result["comment"]) < 65_536


def test_the_example_runs_and_returns_what_is_documented(after: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = importlib.import_module(f"{MODULES}.change_gate")
    documented = yaml.safe_load(module.RETURN)
    (task,) = yaml.safe_load(module.EXAMPLES)
    monkeypatch.chdir(after)
    args = {**task["falconet.k8s.change_gate"], "before": "../before", "jobs": 1}
    args["policies"] = [POLICIES]
    result = run_module("change_gate", args)
    assert not result.get("failed"), result["msg"]
    assert set(result) - {"changed", "invocation"} == set(documented)
    assert set(result["sections"][0]) == set(documented["sections"]["sample"][0])
