"""falco_rules_test through its main(): the shipped tests, the documentation's, minima, reports, and what is wrong."""

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
PAGE = (ROOT / "docs" / "rule-tests.md").read_text()
EXAMPLE = re.search(r"```yaml\n# rules_tests/production.yaml\n(.*?)```", PAGE, re.S)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rules").mkdir()
    shutil.copy(SHIPPED / "rules" / "production.yaml", tmp_path / "rules")
    (tmp_path / "rules_tests").mkdir()
    shutil.copy(SHIPPED / "rules_tests" / "production.yaml", tmp_path / "rules_tests")
    return tmp_path


def outcome(**args: Any) -> dict[str, Any]:
    return run_module("falco_rules_test", {"tests": ["rules_tests"], "jobs": 1, **args})


def test_shipped_rules_are_tested_whole_and_no_change_of_them_goes_unnoticed() -> None:
    kinds = dict.fromkeys(("rules", "exceptions", "macros", "parts"), 100)
    result = run_module(
        "falco_rules_test",
        {"tests": [str(SHIPPED / "rules_tests")], "minimum_coverage": kinds, "minimum_mutation_score": 100},
    )
    assert not result.get("failed"), result["msg"]
    assert result["findings"] == []
    assert result["counts"]["passed"] > 20
    assert result["mutants"]["own"]["killed"] == result["mutants"]["own"]["total"] > 20


def test_the_examples_run_and_return_what_is_documented(folder: Path) -> None:
    module = importlib.import_module(f"{MODULES}.falco_rules_test")
    documented = yaml.safe_load(module.RETURN)
    for task in yaml.safe_load(module.EXAMPLES):
        result = run_module("falco_rules_test", task["falconet.k8s.falco_rules_test"])
        assert not result.get("failed"), result
        assert set(result) - {"changed", "invocation"} == set(documented)
        assert set(result["cases"][0]) == set(documented["cases"]["sample"][0])
        assert set(result["counts"]) == set(documented["counts"]["sample"])
        assert set(result["coverage"]["own"]) == set(documented["coverage"]["sample"]["own"])
    assert set(result["mutants"]["own"]) == set(documented["mutants"]["sample"]["own"])


def test_the_failing_test_of_the_documentation_says_what_is_shown(folder: Path) -> None:
    assert EXAMPLE
    (folder / "rules_tests" / "production.yaml").write_text("# rules_tests/production.yaml\n" + EXAMPLE.group(1))
    result = outcome()
    assert result["failed"] is True
    assert result["msg"] in PAGE
    assert result["msg"].count("\n") == 1
    assert (result["successful"], result["counts"]) == (False, {"passed": 0, "failed": 1, "skipped": 0})
    assert (result["coverage"], result["mutants"]) == ({}, {})


def test_every_code_is_in_the_documentation() -> None:
    from ansible_collections.falconet.k8s.plugins.module_utils.falco.codes import TESTS, described

    shown = dict(re.findall(r"^\| `(FT\d+)` \| (\w+) \|", PAGE, re.M))
    assert shown == {code: described(code)[0] for code in TESTS}


def test_a_minimum_that_is_missed_names_the_first_gap(folder: Path) -> None:
    path = folder / "rules_tests" / "production.yaml"
    text = path.read_text()
    path.write_text(text.replace("      - [ksh, true]\n", ""))
    result = outcome(minimum_mutation_score=100)
    assert result["msg"] == (
        "ruleset 'own': 96.4 % of its mutants are killed, 100 % are asked for: rules/production.yaml:14:27: "
        "rule 'Terminal shell in production': no test notices: proc.name in (…) without ksh"
    )
    assert not outcome(minimum_mutation_score=96).get("failed")
    assert not outcome(mutation=True).get("failed")
    assert "mutants" in outcome(mutation=True)
    assert outcome()["mutants"] == {}
    accepted = "accepted_mutants: [{item: Terminal shell in production, change: '*without ksh', reason: none has it}]\n"
    path.write_text(path.read_text() + accepted)
    result = outcome(minimum_mutation_score=100)
    assert not result.get("failed")
    assert result["mutants"]["own"]["survivors"][0]["reason"] == "none has it"
    path.write_text(text + accepted)
    assert "no mutant of 'Terminal shell in production' that survives" in outcome(minimum_mutation_score=100)["msg"]
    path.write_text(text[: text.index("  - name: The password hashes")].replace("\n  shadow:\n", "\n  skip:\n", 1))
    text = re.sub(r"\n  skip:\n.*?\n\n", "\n\n", path.read_text(), flags=re.S)
    path.write_text(text)
    assert outcome(minimum_coverage={"rules": 100})["msg"] == (
        "ruleset 'own': 50.0 % of its rules are exercised, 100 % are asked for: rules/production.yaml:21:3: "
        "rule 'Read of etc shadow': no case expects it to fire"
    )


def test_reports_are_written_once_and_not_in_check_mode(folder: Path) -> None:
    (folder / "rules_tests" / "production.yaml").write_text(EXAMPLE.group(1) if EXAMPLE else "")
    args: dict[str, Any] = {"tests": ["rules_tests"], "junit_path": "t.xml", "sarif_path": "t.sarif"}
    run_module("falco_rules_test", args, check_mode=True)
    assert not Path("t.xml").exists()
    assert [run_module("falco_rules_test", args)["changed"] for _time in range(2)] == [True, False]
    case = ET.parse("t.xml").getroot().find(".//testcase")
    assert case is not None
    assert case.get("name") == "A shell at a terminal"
    failure = case.find("failure")
    assert failure is not None
    assert failure.get("message") == "rule 'Terminal shell in production' did not fire"
    assert "proc.tty is 0" in str(failure.text)
    (found,) = json.loads(Path("t.sarif").read_text())["runs"][0]["results"]
    assert found["ruleId"] == "FT002"


def test_rules_beside_the_tests_are_given_by_the_option(folder: Path) -> None:
    path = folder / "rules_tests" / "production.yaml"
    path.write_text(path.read_text().replace("rulesets:\n  own: [../rules]\n", ""))
    assert "nothing says which rules are tested" in outcome()["msg"]
    result = outcome(files=["rules/production.yaml"])
    assert not result.get("failed"), result
    assert list(result["coverage"]) == ["files"]


def test_what_is_tried_is_what_is_rolled_out(folder: Path) -> None:
    """An exception of the inventory that silences what a test expects is told of, at its place."""
    excepted: dict[str, Any] = {
        "rule": "Terminal shell in production",
        "exceptions": [{"name": "ours", "fields": ["k8s.ns.name"], "comps": ["="], "values": [["prod"]]}],
    }
    foreign = {"rule": "Falco's own", "exceptions": [{"name": "known"}]}
    composed = run_module("falco_rules_compose", {"files": ["rules"], "exceptions": [excepted, foreign]})
    assert not outcome().get("failed")
    result = outcome(contents=composed["files"])
    assert "rule 'Terminal shell in production' did not fire" in result["msg"]
    assert "zz-exceptions.yaml:" in result["msg"]
    harmless = {**excepted, "exceptions": [{**excepted["exceptions"][0], "values": [["elsewhere"]]}]}
    composed = run_module("falco_rules_compose", {"files": ["rules"], "exceptions": [harmless, foreign]})
    result = outcome(contents=composed["files"])
    assert not result.get("failed"), result["msg"]
    assert list(result["coverage"]) == ["own"]


def test_two_files_of_one_ruleset_are_measured_together(folder: Path) -> None:
    path = folder / "rules_tests" / "production.yaml"
    (folder / "rules_tests" / "more.yaml").write_text(
        path.read_text().replace("own: [../rules]", "same: [../rules/../rules]")
    )
    result = outcome(minimum_coverage={"parts": 100})
    assert not result.get("failed"), result
    assert list(result["coverage"]) == ["same"]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"tests": ["nowhere.yaml"]}, "nowhere.yaml: cannot read the file: No such file or directory"),
        ({"falco_version": "0.1"}, "no catalogue for Falco 0.1"),
        ({"junit_path": "nowhere/t.xml"}, "a report cannot be written"),
    ],
)
def test_what_is_not_there(folder: Path, args: dict[str, Any], message: str) -> None:
    result = outcome(**args)
    assert result["failed"] is True
    assert message in result["msg"]


def test_rules_that_do_not_load_are_told_of(folder: Path) -> None:
    (folder / "rules" / "bad.yaml").write_text("- rule: x\n")
    assert outcome()["msg"].startswith("ruleset 'own' does not load: rules/bad.yaml:1:3: rule 'x': LOAD_ERR_")


def test_rules_within_another_file_are_tested_there(folder: Path) -> None:
    """Also beside what is rolled out of them, in whose place they are not loaded a second time."""
    rules = (folder / "rules" / "production.yaml").read_text()
    (folder / "rules" / "production.yaml").unlink()
    values = folder / "rules" / "values.yaml"
    values.write_text("customRules:\n  production.yaml: |\n" + "".join(f"    {one}\n" for one in rules.splitlines()))
    result = outcome()
    assert not result.get("failed"), result["msg"]
    composed = run_module("falco_rules_compose", {"files": ["rules"]})["files"]
    result = outcome(contents=composed)
    assert not result.get("failed"), result["msg"]
    # Were the file's own loaded as well, the old name would still be there.
    renamed = {name: text.replace("rule: Read of etc", "rule: Reading of etc") for name, text in composed.items()}
    assert "Read of etc shadow" in outcome(contents=renamed)["msg"]
    values.write_text(values.read_text().replace("proc.name", "proc.nmae"))
    line = next(number for number, text in enumerate(values.read_text().splitlines(), 1) if "proc.nmae" in text)
    assert outcome()["msg"].startswith(f"ruleset 'own' does not load: rules/values.yaml:{line}:")
