"""falco_exceptions_suggest through its main(): from a recording to exceptions that the composed rules load with."""

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
SHIPPED = ROOT / "inventory" / "files"
RULE = "Terminal shell in production"
NOISY = {
    "evt.time": 1,
    "user.name": "root",
    "proc.cmdline": "bash -c sync",
    "k8s.pod.name": "backup-0",
    "k8s.ns.name": "prod",
    "container.image.repository": "registry.example/backup",
    "proc.name": "bash",
}
ATTACK = {
    "evt.type": "execve",
    "proc.tty": 1,
    "k8s.ns.name": "prod",
    "proc.name": "bash",
    "container.id": "1",
    "container.image.repository": "registry.example/web",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rules").mkdir()
    shutil.copy(SHIPPED / "rules" / "production.yaml", tmp_path / "rules")
    (tmp_path / "rules_tests").mkdir()
    shutil.copy(SHIPPED / "rules_tests" / "production.yaml", tmp_path / "rules_tests")
    alerts = [{"rule": RULE, "source": "syscall", "output_fields": NOISY}] * 150
    lines = ["Falco version: 0.44.0", *map(json.dumps, alerts)]
    (tmp_path / "alerts.jsonl").write_text("\n".join(lines) + "\n")
    (tmp_path / "triggers.jsonl").write_text(json.dumps({"fields": ATTACK}) + "\n")
    return tmp_path


def suggested(**args: Any) -> dict[str, Any]:
    return run_module("falco_exceptions_suggest", {"alerts": "alerts.jsonl", "files": ["rules"], **args})


def test_the_example_runs_and_returns_what_is_documented(folder: Path) -> None:
    module = importlib.import_module(f"{MODULES}.falco_exceptions_suggest")
    documented = yaml.safe_load(module.RETURN)
    result = run_module(
        "falco_exceptions_suggest", yaml.safe_load(module.EXAMPLES)[0]["falconet.k8s.falco_exceptions_suggest"]
    )
    assert not result.get("failed"), result
    assert set(result) - {"changed", "invocation"} == set(documented)
    assert set(result["noise"]) == set(documented["noise"]["sample"])
    assert set(result["noise"]["loudest"][0]) == set(documented["noise"]["sample"]["loudest"][0])
    assert set(result["suggestions"][0]) == set(documented["suggestions"]["sample"][0])
    assert (result["alerts"], result["skipped"], result["unknown"], result["dead"]) == (150, 1, [], [])
    assert result["suggestions"][0]["kept"] == 1
    assert result["suggestions"][0]["tests"] > 20


def test_the_way_of_the_documentation_from_noise_to_proof(folder: Path) -> None:
    """docs/tuning.md: noise, exceptions, proof, rollout; what it shows is what comes out."""
    page = (ROOT / "docs" / "tuning.md").read_text()
    result = suggested(tests=["rules_tests"], keep="triggers.jsonl")
    shown = re.search(r"```yaml\nfalco_rules_exceptions:\n(.*?)```", page, re.S)
    assert shown
    assert yaml.safe_load(shown.group(0).removeprefix("```yaml\n").removesuffix("```")) == {
        "falco_rules_exceptions": result["exceptions"]
    }
    site = run_module("falco_rules_compose", {"files": ["rules"], "exceptions": result["exceptions"]})
    assert not site.get("failed"), site
    (folder / "after").mkdir()
    for name, content in site["files"].items():
        (folder / "after" / name).write_text(content)
    noisy = {**ATTACK, "container.image.repository": "registry.example/backup"}
    (folder / "events.jsonl").write_text("".join(json.dumps({"fields": one}) + "\n" for one in (noisy, ATTACK)))
    replayed = run_module(
        "falco_rules_replay", {"files": ["after"], "before_files": ["rules"], "events": "events.jsonl"}
    )
    assert [one["event"] for one in replayed["changes"]["lost"]] == [1]
    assert replayed["counts"] == {RULE: 1}


def test_the_picture_is_drawn_once_and_not_in_check_mode(folder: Path) -> None:
    args = {"alerts": "alerts.jsonl", "files": ["rules"], "picture_path": "noise.svg"}
    assert run_module("falco_exceptions_suggest", args, check_mode=True)["changed"] is False
    assert not Path("noise.svg").exists()
    assert [run_module("falco_exceptions_suggest", args)["changed"] for _time in range(2)] == [True, False]
    assert Path("noise.svg").read_text().startswith("<svg")


def test_what_is_wrong_is_told(folder: Path) -> None:
    assert suggested(alerts="nowhere")["msg"] == "nowhere: No such file or directory"
    (folder / "empty.jsonl").write_text("Falco started\n")
    assert suggested(alerts="empty.jsonl")["msg"].startswith("empty.jsonl: no alert in it")
    (folder / "rules_tests" / "production.yaml").write_text("cases: 1\n")
    assert suggested(tests=["rules_tests"])["msg"].startswith("rules_tests/production.yaml:")
    (folder / "triggers.jsonl").write_text("{}\n")
    assert suggested(keep="triggers.jsonl")["msg"].startswith("event 1: expected a field map")


def test_less_than_the_minimum_is_no_noise(folder: Path) -> None:
    assert suggested(minimum_alerts=151)["exceptions"] == []
    assert suggested(minimum_alerts=150, minimum_share=1.0)["exceptions"] != []


TRIGGERS: list[dict[str, Any]] = [
    {"name": "shell at a terminal", "rule": RULE, "namespace": "prod", "command": ["sh", "-c", "cat /etc/hostname"]},
    {"name": "elsewhere", "rule": RULE, "namespace": "dev", "command": ["sh"], "expect_alert": False},
]


def test_an_exception_that_would_silence_a_trigger_is_refused_and_names_it(folder: Path) -> None:
    noisy = {**NOISY, "container.image.repository": "docker.io/library/busybox", "proc.name": "sh"}
    alerts = [{"rule": RULE, "source": "syscall", "output_fields": one} for one in (NOISY, noisy) for _n in range(150)]
    (folder / "alerts.jsonl").write_text("".join(json.dumps(one) + "\n" for one in alerts))
    assert len(suggested(keep="triggers.jsonl")["suggestions"][0]["values"]) == 2
    result = suggested(triggers=TRIGGERS)
    (refused,) = result["refused"]
    assert (refused["program"], refused["alerts"]) == ("sh", 150)
    assert refused["reason"] == "the trigger 'shell at a terminal' would be silenced"
    (left,) = result["suggestions"]
    assert left["values"] == [["registry.example/backup", "bash"]]
    assert left["kept"] >= 1
    assert suggested(triggers=TRIGGERS, trigger_image="registry.example/other:1")["refused"] == []


def test_a_trigger_for_which_no_event_is_found_is_warned_of(folder: Path) -> None:
    for trigger in ({**TRIGGERS[0], "namespace": "dev"}, {**TRIGGERS[0], "rule": "Nobody's"}):
        result = suggested(triggers=[trigger])
        assert "trigger 'shell at a terminal': no event of it was found" in str(result["warnings"])
    assert "warnings" not in suggested(triggers=TRIGGERS)


def test_rules_that_are_rolled_out_are_given_as_texts(folder: Path) -> None:
    texts = {path.name: path.read_text() for path in (folder / "rules").iterdir()}
    alone = run_module("falco_exceptions_suggest", {"alerts": "alerts.jsonl", "contents": texts})
    assert alone["exceptions"] == suggested()["exceptions"]
    assert "give the rules" in run_module("falco_exceptions_suggest", {"alerts": "alerts.jsonl"})["msg"]


def test_noise_and_dead_exceptions_are_reported_for_code_scanning_and_ci(folder: Path) -> None:
    rules = (folder / "rules" / "production.yaml").read_text()
    dead = f"- rule: {RULE}\n  exceptions:\n    - {{name: old_user, fields: [user.name], values: [[nobody]]}}\n"
    (folder / "rules" / "zz.yaml").write_text(dead + "  override: {exceptions: append}\n")
    other = {"rule": RULE, "output_fields": {"proc.name": "sh"}}
    unknown = {"rule": "Elsewhere", "output_fields": {"proc.name": "sh"}}
    with (folder / "alerts.jsonl").open("a") as lines:
        lines.write("".join(json.dumps(one) + "\n" for one in [other] * 100 + [unknown] * 2))
    place = rules[: rules.index(f"- rule: {RULE}")].count("\n") + 1
    reports = {"sarif_path": "tune.sarif", "junit_path": "tune.xml"}
    result = suggested(**reports, fail_on=["FR013"])
    told = [(one["code"], one["file"], one["line"], one["item"], one["message"]) for one in result["findings"]]
    item = f"rule '{RULE}'"
    assert told == [
        ("FR014", "alerts.jsonl", None, "rule 'Elsewhere'", "no given rules file has the rule of these alerts"),
        (
            "FR012",
            "rules/production.yaml",
            place,
            item,
            "100 alerts by 'sh' are noise, and nothing is suggested: the alerts name neither an image nor a workload; "
            "what is left an attacker chooses",
        ),
        ("FR013", "rules/zz.yaml", 3, item, "no recorded alert meets the exception 'old_user'"),
        (
            "FR011",
            "rules/production.yaml",
            place,
            item,
            "the exception 'suggested_image_program' (container.image.repository = registry.example/backup, "
            "proc.name = bash) would silence 150 alerts; 0 tests pass and 0 events that must fire do",
        ),
    ]
    assert result["msg"].startswith("rules/zz.yaml:3:7: FR013: no recorded alert meets the exception 'old_user'")
    sarif = json.loads((folder / "tune.sarif").read_text())["runs"][0]
    assert [one["ruleId"] for one in sarif["results"]] == [one[0] for one in told]
    cases = {case.get("name"): case for case in ET.parse(folder / "tune.xml").getroot().findall(".//testcase")}
    assert list(cases) == ["rule 'Elsewhere'", item]
    failure = cases[item].find("failure")
    assert failure is not None
    assert (failure.get("message") or "").startswith("FR013: no recorded alert meets")
    assert "FR011" in (cases[item].findtext("system-out") or "")
    assert suggested(**reports, fail_on=["warning"])["msg"].endswith("and 2 more")
    assert not suggested(**reports).get("failed")
    assert suggested(**reports)["changed"] is False
    assert suggested(fail_on=["FR13"])["msg"].startswith("fail_on: 'FR13' is neither a level nor a code")


def test_rules_of_falco_itself_are_tuned_in_the_same_run_without_the_tests_of_ours(folder: Path) -> None:
    theirs = """- rule: Shell
  desc: fires on all that the tests of ours are of
  condition: evt.type = execve and proc.name in (bash, sh, ksh)
  output: s %proc.name
  priority: INFO
  exceptions:
    - {name: theirs, fields: [proc.pname], values: [[nobody]]}
"""
    ours = "- rule: Shell\n  exceptions:\n    - {name: ours, fields: [user.name], values: [[nobody]]}\n"
    ours += "  override: {exceptions: append}\n"
    noisy = {**NOISY, "proc.pname": "cron", "proc.name": "ksh"}
    with (folder / "alerts.jsonl").open("a") as lines:
        lines.write("".join(json.dumps({"rule": "Shell", "output_fields": noisy}) + "\n" for _time in range(200)))
    given = {"tests": ["rules_tests"], "keep": "triggers.jsonl", "contents": {"zz-exceptions.yaml": ours}}
    result = suggested(**given, base_contents={"falco_rules.yaml": theirs})
    told = [(one["rule"], one["silenced"], one["tests"] > 20, one["kept"]) for one in result["suggestions"]]
    assert told == [("Shell", 200, False, 1), (RULE, 150, True, 1)]
    assert result["dead"] == [{"rule": "Shell", "exception": "ours"}]
    assert result["unknown"] == []
    (folder / "falco_rules.yaml").write_text(theirs)
    assert suggested(**given, base_files=["falco_rules.yaml"])["exceptions"] == result["exceptions"]
    alone = suggested(**given)
    assert (alone["unknown"], [one["rule"] for one in alone["suggestions"]]) == (["Shell"], [RULE])
    broken = suggested(**given, base_contents={"falco_rules.yaml": "- rule: Shell\n"})
    assert broken["msg"].startswith("ruleset 'all' does not load: falco_rules.yaml:1:3: rule 'Shell': LOAD_ERR_YAML_")
