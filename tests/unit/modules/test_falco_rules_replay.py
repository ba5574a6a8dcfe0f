"""falco_rules_replay through its main(): results, counts, changes, reasons, and what is wrong."""

from __future__ import annotations

import gzip
import importlib
import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
import yaml

from ..module_runner import MODULES, run_module

RULES = """
- macro: started
  condition: evt.type = execve
- rule: Shell
  desc: a shell
  condition: started and proc.name in (sh, bash)
  output: Shell (command=%proc.cmdline)
  priority: NOTICE
- rule: Program
  desc: any
  condition: started
  output: Program %proc.name
  priority: INFO
- rule: Audit
  desc: audited
  condition: ka.verb = get
  output: Got by %ka.user.name
  priority: WARNING
  source: k8s_audit
"""
EVENTS: list[Any] = [
    {"fields": {"evt.type": "execve", "proc.name": "bash", "proc.cmdline": "bash -i"}},
    {"fields": {"evt.type": "execve", "proc.name": "ls"}},
    {"fields": {"evt.type": "open"}},
    {
        "kind": "Event",
        "auditID": "1",
        "verb": "get",
        "stageTimestamp": "2026-03-01T10:00:01Z",
        "user": {"username": "u"},
    },
    {"auditID": "2", "verb": "get", "stageTimestamp": "2026-03-01T10:00:01Z"},
    {"rule": "Old", "source": "syscall", "time": "2026-03-01T10:00:01Z", "output_fields": {"evt.type": "execve"}},
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, text in (("rules.d", RULES), ("rules.old", RULES.replace("(sh, bash)", "(sh, bash, ls)"))):
        (tmp_path / name).mkdir()
        (tmp_path / name / "rules.yaml").write_text(text)
    lines = [json.dumps(event) for event in EVENTS]
    (tmp_path / "events.jsonl").write_text("\n".join([*lines[:2], "", *lines[2:]]) + "\n")
    (tmp_path / "audit").mkdir()
    (tmp_path / "audit" / "audit.log").write_text(lines[3] + "\n" + lines[3][:40])
    rotated = tmp_path / "audit" / "audit-2026-03-01T10-00-00.000.log.gz"
    rotated.write_bytes(gzip.compress((lines[3] + "\n").encode()))
    return tmp_path


def replayed(**args: Any) -> dict[str, Any]:
    given = {"files": ["rules.d"], "events": "events.jsonl", "append_output": [], **args}
    return run_module("falco_rules_replay", {name: value for name, value in given.items() if value is not None})


def test_the_examples_run_and_return_what_is_documented(folder: Path) -> None:
    module = importlib.import_module(f"{MODULES}.falco_rules_replay")
    documented = yaml.safe_load(module.RETURN)
    assert "events" in yaml.safe_load(module.DOCUMENTATION)["options"]
    for task in yaml.safe_load(module.EXAMPLES):
        result = run_module("falco_rules_replay", task["falconet.k8s.falco_rules_replay"])
        assert bool(result.get("failed")) == ("no alert" in task["name"]), result  # the change loses one
        assert set(documented) - {"changes"} <= set(result)
        assert set(result) - {"changed", "invocation", "failed", "msg", "warnings"} <= set(documented)
        for entry in result["results"]:
            assert set(entry) <= set(documented["results"]["contains"])
    assert set(result["changes"]) == set(documented["changes"]["sample"])


def test_what_fires(folder: Path) -> None:
    result = replayed(rule_matching="all")
    assert result["changed"] is False
    assert [(entry["event"], entry["rules"]) for entry in result["results"]] == [
        (1, ["Shell", "Program"]),
        (2, ["Program"]),
        (4, []),
        (5, ["Audit"]),
        (6, []),
        (7, ["Program"]),
    ]
    assert result["counts"] == {"Program": 3, "Audit": 1, "Shell": 1}
    assert next(iter(result["counts"])) == "Program"
    assert (result["events"], result["dropped"]) == (5, [6])
    (alert,) = result["results"][3]["alerts"]
    assert alert["output"] == "10:00:01.000000000: Warning Got by u"
    assert alert["output_fields"] == {"evt.time": 1772359201000000000, "ka.user.name": "u"}
    assert alert["time"] == "2026-03-01T10:00:01.000000000Z"


def test_the_first_rule_alone_a_threshold_a_limit_and_suggested_fields(folder: Path) -> None:
    assert replayed()["counts"] == {"Program": 2, "Audit": 1, "Shell": 1}
    assert replayed(priority="notice")["counts"] == {"Audit": 1, "Shell": 1}
    assert [entry["event"] for entry in replayed(limit=3)["results"]] == [1, 2, 4]
    result = run_module("falco_rules_replay", {"files": ["rules.d"], "events": "events.jsonl", "limit": 1})
    assert "container_id=<NA>" in result["results"][0]["alerts"][0]["output"]


def test_what_a_change_adds_loses_and_rewords(folder: Path) -> None:
    (folder / "rules.d" / "rules.yaml").write_text(RULES.replace("Got by", "Read by"))
    changes = replayed(before_files=["rules.old"])["changes"]
    assert [(change["event"], change["rule"]) for change in changes["added"]] == [(2, "Program")]
    assert [(change["event"], change["rule"]) for change in changes["lost"]] == [(2, "Shell")]
    (reworded,) = changes["reworded"]
    assert (reworded["event"], reworded["rule"]) == (5, "Audit")
    assert reworded["before"]["output"].endswith("Got by u")
    assert reworded["after"]["output"].endswith("Read by u")


def test_why_a_rule_does_not_fire(folder: Path) -> None:
    (explanation,) = replayed(explain=["Shell"])["results"][1]["explanations"]
    assert not explanation["fires"]
    assert [reason["says"] for reason in explanation["reasons"]] == ["proc.name in (sh, bash): proc.name is 'ls'"]


def test_check_mode_is_the_same(folder: Path) -> None:
    arguments = {"files": ["rules.d"], "events": "events.jsonl"}
    checked = run_module("falco_rules_replay", arguments, check_mode=True)
    assert checked["results"] == run_module("falco_rules_replay", arguments)["results"]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"events": "nothing.jsonl"}, "nothing.jsonl: cannot read the events: No such file"),
        ({"files": ["nothing"]}, "nothing: cannot read the file"),
        ({"files": None, "content": "- rule: R"}, "content: LOAD_ERR_YAML_VALIDATE: "),
        ({"limit": 0}, "limit: at least 1"),
        ({"alerts_path": "gone/alerts.jsonl"}, "alerts_path: gone is no directory"),
        ({"explain": ["Nope"]}, "no rule 'Nope'"),
        ({"falco_version": "0.1"}, "no catalogue for Falco 0.1"),
        ({"append_output": [{"extra_output": "%no.field"}]}, "append_output does not fit"),
    ],
)
def test_what_is_wrong_is_said(folder: Path, args: dict[str, Any], message: str) -> None:
    result = replayed(**args)
    assert result["failed"]
    assert message in result["msg"]


def test_a_broken_line_is_named(folder: Path) -> None:
    (folder / "events.jsonl").write_text('{"fields": {}}\n{"rules": 1}\n')
    assert replayed()["msg"].startswith("event 2: expected a field map")


def test_bytes_and_halves_of_characters_do_no_harm(folder: Path) -> None:
    (folder / "events.jsonl").write_bytes(
        b'{"fields": {"evt.type": "execve", "proc.name": "bash", "proc.cmdline": "\xff \\ud83d"}}\n'
        b'{"kind": "Event", "auditID": "1", "verb": "get", "stageTimestamp": "2026-03-01T10:00:01Z",'
        b' "user": {"username": "\\ud83d \\ud83d\\ude00 \xff"}}\n'
    )
    (folder / "rules.d" / "rules.yaml").write_text(
        RULES.replace(
            "ka.verb = get", 'ka.verb = get and ka.user.name glob "?*" and not ka.user.name regex "a.*"'
        ).replace("(sh, bash)", '(sh, bash) and proc.cmdline iglob "*" and tolower(proc.cmdline) != x')
    )
    result = replayed(rule_matching="all")
    assert result["counts"] == {"Audit": 1, "Program": 1, "Shell": 1}
    (alert,) = result["results"][1]["alerts"]
    assert alert["output_fields"]["ka.user.name"].startswith("\\ud83d \U0001f600 ")


def test_rules_within_a_config_map_are_replayed(folder: Path) -> None:
    text = "".join(f"    {line}\n" for line in RULES.splitlines())
    (folder / "map.yaml").write_text(f"kind: ConfigMap\ndata:\n  a.yaml: |\n{text}")
    result = run_module("falco_rules_replay", {"files": [str(folder / "map.yaml")], "events": "events.jsonl"})
    assert result["counts"]["Shell"] == 1


def test_what_a_change_does_is_reported_for_code_scanning_and_ci(folder: Path) -> None:
    new = RULES.replace("Program %proc.name", "Ran %proc.name").replace("(sh, bash)", "(sh, ls)")
    (folder / "rules.d" / "rules.yaml").write_text(new)
    (folder / "rules.old" / "rules.yaml").write_text(
        RULES + RULES.replace("- rule: ", "- rule: Old ")[RULES.index("- rule") :]
    )
    args = {"before_files": ["rules.old"], "rule_matching": "all", "sarif_path": "r.sarif", "junit_path": "r.xml"}
    result = replayed(**args, fail_on=["FR002"])
    told = [(one["code"], one["item"], one["file"], one["line"], one["message"]) for one in result["findings"]]
    gone = " (the rule is no longer there)"
    assert told == [
        (
            "FR002",
            "rule 'Old Program'",
            "rules.old/rules.yaml",
            25,
            f"no longer alerts on 3 events (lines 1, 2, 7) of events.jsonl{gone}",
        ),
        (
            "FR002",
            "rule 'Old Audit'",
            "rules.old/rules.yaml",
            30,
            f"no longer alerts on 1 event (line 5) of events.jsonl{gone}",
        ),
        (
            "FR002",
            "rule 'Old Shell'",
            "rules.old/rules.yaml",
            20,
            f"no longer alerts on 1 event (line 1) of events.jsonl{gone}",
        ),
        ("FR002", "rule 'Shell'", "rules.d/rules.yaml", 4, "no longer alerts on 1 event (line 1) of events.jsonl"),
        ("FR003", "rule 'Shell'", "rules.d/rules.yaml", 4, "newly alerts on 1 event (line 2) of events.jsonl"),
        (
            "FR004",
            "rule 'Program'",
            "rules.d/rules.yaml",
            9,
            "alerts in other words or with another priority on 3 events (lines 1, 2, 7) of events.jsonl",
        ),
        ("FR005", "", "events.jsonl", 6, "the k8saudit plugin drops this event, so no rule sees it"),
    ]
    assert result["failed"]
    assert result["msg"].startswith("rules.old/rules.yaml:25:3: FR002: no longer alerts on 3 events")
    assert result["msg"].endswith("and 3 more")
    sarif = json.loads((folder / "r.sarif").read_text())["runs"][0]
    assert sarif["tool"]["driver"]["name"] == "falco_rules_replay"
    assert [one["ruleId"] for one in sarif["results"]] == [one[0] for one in told]
    cases = ET.parse(folder / "r.xml").getroot().findall(".//testcase")
    failed = [case.get("name") for case in cases if case.find("failure") is not None]
    assert failed == ["rule 'Shell'", "rule 'Old Shell'", "rule 'Old Program'", "rule 'Old Audit'"]
    assert [case.get("name") for case in cases if case.find("failure") is None] == [
        "rule 'Program'",
        "rule 'Audit'",
        "events.jsonl:6",
    ]
    again = replayed(**args)
    assert (again.get("failed"), again["changed"]) == (None, True)  # what counts as a failure is another
    assert replayed(**args)["changed"] is False


def test_without_another_ruleset_what_fires_is_reported_and_check_mode_writes_nothing(folder: Path) -> None:
    (folder / "events.jsonl").write_text("".join(json.dumps(EVENTS[0]) + "\n" for _ in range(7)))
    given = {"files": ["rules.d"], "events": "events.jsonl", "sarif_path": "r.sarif", "junit_path": "r.xml"}
    result = run_module("falco_rules_replay", given, check_mode=True)
    assert [(one["code"], one["severity"], one["message"]) for one in result["findings"]] == [
        ("FR001", "info", "alerts on 7 events (lines 1, 2, 3, 4, 5 and 2 more) of events.jsonl")
    ]
    assert not (folder / "r.sarif").exists()
    assert not (folder / "r.xml").exists()
    wrong = replayed(fail_on=["FR02"])
    assert wrong["msg"].startswith("fail_on: 'FR02' is neither a level nor a code")
    assert replayed(junit_path="gone/r.xml")["msg"].startswith("a report cannot be written: ")


def test_an_audit_log_that_was_rotated_is_a_stream_whose_alerts_others_take(folder: Path) -> None:
    given = {"events": "audit", "alerts_path": "alerts.jsonl"}
    result = replayed(**given, keep="none")
    assert (result["events"], result["counts"], result["results"]) == (2, {"Audit": 2}, [])
    assert (result["first_lines"], result["torn"]) == ({"Audit": [1, 2]}, [3])
    assert "audit: line 3 was cut off and is left out" in str(result["warnings"])  # newer Ansible wraps the text
    assert [part["line"] for part in result["parts"]] == [1, 2]
    assert result["changed"]
    assert [one["message"] for one in result["findings"]] == ["alerts on 2 events (lines 1, 2) of audit"]
    alerts = [json.loads(line) for line in (folder / "alerts.jsonl").read_text().splitlines()]
    assert alerts == [alert for entry in replayed(events="audit")["results"] for alert in entry["alerts"]]
    suggested = run_module("falco_exceptions_suggest", {"alerts": "alerts.jsonl", "files": ["rules.d"]})
    assert (suggested["alerts"], suggested["skipped"]) == (2, 0)
    assert sorted(path.name for path in folder.iterdir()) == [
        "alerts.jsonl",
        "audit",
        "events.jsonl",
        "rules.d",
        "rules.old",
    ]


def test_results_of_events_with_alerts_alone(folder: Path) -> None:
    kept = replayed(keep="alerts")
    assert [entry["event"] for entry in kept["results"]] == [1, 2, 5, 7]
    assert (kept["events"], kept["dropped"]) == (5, [6])


def test_check_mode_writes_no_alerts(folder: Path) -> None:
    given = {"files": ["rules.d"], "events": "audit", "alerts_path": "alerts.jsonl"}
    assert run_module("falco_rules_replay", given, check_mode=True)["changed"] is False
    assert not (folder / "alerts.jsonl").exists()
