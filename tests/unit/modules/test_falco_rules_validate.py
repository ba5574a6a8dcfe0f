"""falco_rules_validate and falco_rules_info through their main(), with the examples of their documentation."""

from __future__ import annotations

import importlib
import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest
import yaml

from ..module_runner import MODULES, run_module

GOOD = "- rule: R\n  desc: d\n  condition: evt.type = open\n  output: o\n  priority: NOTICE\n"
BAD = GOOD.replace("evt.type", "evt.tpye")


def validated(**args: Any) -> dict[str, Any]:
    return run_module("falco_rules_validate", args)


@pytest.mark.parametrize("name", ["falco_rules_validate", "falco_rules_info"])
def test_the_examples_run_and_return_what_is_documented(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "r.yaml").write_text(GOOD)
    monkeypatch.chdir(tmp_path)
    module = importlib.import_module(f"{MODULES}.{name}")
    documented = set(yaml.safe_load(module.RETURN))
    for task in yaml.safe_load(module.EXAMPLES):
        result = run_module(name, task[f"falconet.k8s.{name}"])
        assert not result.get("failed"), result
        assert documented - {"comparison"} <= set(result)
        assert set(result) - {"changed", "invocation"} <= documented


def test_a_broken_rule_fails_and_says_where() -> None:
    result = validated(content=BAD)
    assert result["failed"]
    assert result["msg"].startswith("content:3:14: LOAD_ERR_COMPILE_CONDITION: ")
    assert "did you mean 'evt.type'?" in result["msg"]
    assert not result["successful"]


def test_fail_on() -> None:
    unused = "- list: l\n  items: [a]\n"
    assert not validated(content=unused).get("failed")
    assert validated(content=unused, fail_on=["warning"])["failed"]
    assert validated(content=unused, fail_on=["LOAD_UNUSED_LIST"])["failed"]
    assert not validated(content=BAD, fail_on=["never"]).get("failed")
    assert "did you mean" in validated(content=GOOD, fail_on=["LOAD_UNUSED_LISTS"])["msg"]


@pytest.mark.parametrize("name", ["falco_rules_validate", "falco_rules_info"])
def test_a_falco_newer_than_all_known_is_taken_as_the_newest_with_a_warning(name: str) -> None:
    result = run_module(name, {"content": GOOD, "falco_version": "0.45.0"})
    assert not result.get("failed"), result
    assert any("Falco 0.45.0 is newer" in str(warning) for warning in result["warnings"])
    assert not run_module(name, {"content": GOOD, "falco_version": "0.43"}).get("warnings")
    assert "0.37" in run_module(name, {"content": GOOD, "falco_version": "0.37.1"})["msg"]


def test_what_falco_prints_of_itself_counts(tmp_path: Path) -> None:
    fields = tmp_path / "fields.txt"
    fields.write_text(
        "-------------------------------\nField Class:                  mycloud (plugin)\n"
        "Event Sources:                mycloud \n\nmycloud.actor.name               (Type: CHARBUF) Who did it\n"
    )
    plugins = tmp_path / "plugins.txt"
    plugins.write_text(
        "1 Plugins Loaded:\n\nName: mycloud\nDescription: d\nVersion: 0.11.1\nCapabilities: \n"
        "  - Event Sourcing (ID=7, source='mycloud')\n  - Field Extraction\n"
    )
    text = GOOD.replace("evt.type = open", "mycloud.actor.name = x") + "  source: mycloud\n"
    said = {"fields": str(fields), "plugins": str(plugins)}
    assert validated(content=text, fail_on=["warning"])["failed"]
    result = validated(content=text, falco_output=said, fail_on=["warning"])
    assert not result.get("failed"), result
    assert "No such file" in validated(content=text, falco_output={"version": str(tmp_path / "none")})["msg"]
    assert "falco --version" in validated(content=text, falco_output={"version": str(fields)})["msg"]


def test_a_plugin_can_be_described() -> None:
    text = "- required_plugin_versions: [{name: mycloud, version: 0.1.0}]\n"
    text += GOOD.replace("evt.type = open", "mycloud.actor.name = x") + "  source: mycloud\n"
    result = validated(content=text)
    assert [(one["code"], one["line"], one["column"]) for one in result["findings"]] == [("FN019", 1, 30)]
    described = [{"name": "mycloud", "source": "mycloud", "fields": [{"name": "mycloud.actor.name"}]}]
    assert validated(content=text, plugin_descriptions=described)["findings"] == []
    assert validated(content=text, plugin_descriptions=described, upgrade_from="0.40")["upgrade"] == []
    assert (
        validated(content=text, plugin_descriptions=described, plugins=["json"], upgrade_from="0.40")["upgrade"] == []
    )
    result = validated(content=text.replace("actor.name", "actor.nmae"), plugin_descriptions=described)
    assert "did you mean 'mycloud.actor.name'?" in result["msg"]
    result = validated(content=text, plugins=["json"], fail_on=["never"])
    assert "add it to plugins or to plugin_descriptions" in result["findings"][0]["hint"]
    assert "leave plugins out" in validated(content=text, plugins=["json"], falco_output={"fields": "x"})["msg"]


def test_an_upgrade_is_judged_and_reported(tmp_path: Path) -> None:
    text = GOOD.replace("evt.type = open", "evt.type = open and evt.dir = >")
    reports = {"sarif_path": str(tmp_path / "a.sarif"), "junit_path": str(tmp_path / "a.xml")}
    result = validated(content=text, upgrade_from="0.41", plugins=["container"], **reports)
    assert result["failed"]
    assert "FN102" in result["msg"]
    assert result["successful"]
    assert [(one["code"], one["key"], one["instead"]) for one in result["upgrade"]] == [
        ("FN102", "condition", "evt.type = open")
    ]
    assert "FN102" in {one["code"] for one in result["findings"]}
    assert "FN102" in {one["ruleId"] for one in json.loads((tmp_path / "a.sarif").read_text())["runs"][0]["results"]}
    assert ElementTree.parse(tmp_path / "a.xml").findall(".//failure")
    assert not validated(content=text, upgrade_from="0.41", fail_on=["FN101"]).get("failed")
    assert validated(content=text)["upgrade"] == []
    assert "0.37" in validated(content=text, upgrade_from="0.37")["msg"]


def test_files_and_directories_in_order(tmp_path: Path) -> None:
    rules = tmp_path / "rules.d"
    rules.mkdir()
    (rules / "20.yaml").write_text("- rule: R\n  enabled: false\n  override:\n    enabled: replace\n")
    (rules / "10.yml").write_text(GOOD)
    (rules / "notes.txt").write_text("not rules")
    result = validated(files=[str(rules)])
    assert [Path(entry["name"]).name for entry in result["falco_load_results"]] == ["10.yml", "20.yaml"]
    assert result["successful"]


def test_unreadable_files_are_findings(tmp_path: Path) -> None:
    result = validated(files=[str(tmp_path / "nowhere.yaml"), str(tmp_path)])
    assert [one["code"] for one in result["findings"]] == ["LOAD_ERR_FILE_READ", "LOAD_ERR_FILE_READ"]
    assert result["failed"]


def test_rulesets_are_judged_each_by_itself() -> None:
    rulesets = [{"name": f"good {number}", "content": GOOD} for number in range(50)]
    result = validated(rulesets=[*rulesets, {"name": "bad", "content": BAD}], fail_on=["never"])
    assert [entry["name"] for entry in result["rulesets"] if not entry["successful"]] == ["bad"]
    assert {one["ruleset"] for one in result["findings"]} == {"bad"}
    assert not result["successful"]


def test_plugins_decide_what_exists() -> None:
    rule = GOOD.replace("evt.type = open", "evt.type = open and container.id = x")
    assert validated(content=rule)["successful"]
    assert validated(content=rule, plugins=[])["failed"]
    assert "is not in the catalogue" in validated(content=rule, plugins=["nowhere"])["msg"]
    assert "no catalogue for Falco 0.1" in validated(content=rule, falco_version="0.1")["msg"]


def test_reports(tmp_path: Path) -> None:
    args = {
        "content": BAD,
        "fail_on": ["never"],
        "sarif_path": str(tmp_path / "r.sarif"),
        "junit_path": str(tmp_path / "r.xml"),
    }
    assert not run_module("falco_rules_validate", args, check_mode=True)["changed"]
    assert list(tmp_path.iterdir()) == []
    assert validated(**args)["changed"]
    assert not validated(**args)["changed"]
    run = json.loads((tmp_path / "r.sarif").read_text())["runs"][0]
    region = run["results"][0]["locations"][0]["physicalLocation"]["region"]
    assert region == {"startLine": 3, "startColumn": 14}
    assert run["results"][0]["ruleId"] == "LOAD_ERR_COMPILE_CONDITION"
    suite = ElementTree.parse(tmp_path / "r.xml").getroot()[0]
    assert suite.attrib["failures"] == "0"
    validated(**{**args, "fail_on": ["error"]})
    suite = ElementTree.parse(tmp_path / "r.xml").getroot()[0]
    assert (suite.attrib["failures"], suite[0][0].tag) == ("1", "failure")


def test_info_refuses_what_does_not_load() -> None:
    result = run_module("falco_rules_info", {"content": BAD})
    assert "LOAD_ERR_COMPILE_CONDITION" in result["msg"]


def within(text: str, spaces: int = 6) -> str:
    return "".join(f"{' ' * spaces}{line}\n" for line in text.splitlines())


def test_rules_within_helm_values_are_judged_in_place(tmp_path: Path) -> None:
    values = tmp_path / "custom-rules.yaml"
    values.write_text(f"falco:\n  customRules:\n    a.yaml: |-\n{within(GOOD)}    b.yaml: |-\n{within(BAD)}")
    result = validated(files=[str(values)], sarif_path=str(tmp_path / "s.sarif"))
    assert result["msg"].startswith(f"{values}:12:20: LOAD_ERR_COMPILE_CONDITION: ")
    assert [entry["name"] for entry in result["falco_load_results"]] == [
        f"{values}#falco.customRules.a.yaml",
        f"{values}#falco.customRules.b.yaml",
    ]
    sarif = json.loads((tmp_path / "s.sarif").read_text())
    (place,) = [
        one["locations"][0]["physicalLocation"] for one in sarif["runs"][0]["results"] if one["level"] == "error"
    ]
    assert place["artifactLocation"]["uri"].endswith("custom-rules.yaml")


def test_the_upgrade_of_rules_within_a_config_map_is_told_in_place(tmp_path: Path) -> None:
    manifest = tmp_path / "map.yaml"
    old = GOOD.replace("evt.type = open", "evt.type = open and evt.dir = <")
    manifest.write_text(f"kind: ConfigMap\ndata:\n  a.yaml: |\n{within(old, 4)}")
    result = validated(files=[str(manifest)], upgrade_from="0.40", falco_version="0.44")
    assert {(one["file"], one["line"]) for one in result["upgrade"]} == {(str(manifest), 6)}


def test_rules_within_markdown_are_described(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"# Rules\n\n```yaml\n{GOOD}```\n")
    assert [one["name"] for one in run_module("falco_rules_info", {"files": [str(page)]})["rules"]] == ["R"]


def test_a_page_of_the_rules_is_written_once_and_not_in_check_mode(tmp_path: Path) -> None:
    args = {"content": GOOD, "page_path": str(tmp_path / "rules.html"), "page_title": "Rules & more"}
    assert run_module("falco_rules_info", args, check_mode=True)["changed"] is False
    assert not (tmp_path / "rules.html").exists()
    assert [run_module("falco_rules_info", args)["changed"] for _time in range(2)] == [True, False]
    assert "<h1>Rules &amp; more</h1>" in (tmp_path / "rules.html").read_text()
    gone = run_module("falco_rules_info", {**args, "page_path": str(tmp_path / "gone" / "rules.html")})
    assert gone["msg"] == f"{tmp_path}/gone/rules.html: the page cannot be written: No such file or directory"


def test_mends_are_shown_and_written_only_when_asked(tmp_path: Path) -> None:
    path = tmp_path / "values.yaml"
    text = "customRules:\n  own.yaml: |-\n    " + BAD.replace("open", "opne").replace("\n", "\n    ").rstrip() + "\n"
    path.write_text(text)
    path.chmod(0o640)
    told = validated(files=[str(path)], sarif_path=str(tmp_path / "sarif"))
    assert "-      condition: evt.tpye = opne" in told["patch"]
    # what shows only behind the first mend has its own
    assert "+      condition: evt.type = open" in told["patch"]
    assert told["findings"][0]["fix"] == {"line": 5, "column": 18, "end_column": 26, "text": "evt.type"}
    assert path.read_text() == text
    (change,) = json.loads((tmp_path / "sarif").read_text())["runs"][0]["results"][0]["fixes"][0]["artifactChanges"]
    assert change["replacements"][0]["deletedRegion"]["startColumn"] == 18
    assert change["replacements"][0]["insertedContent"] == {"text": "evt.type"}

    dry = run_module("falco_rules_validate", {"files": [str(path)], "apply_fixes": True}, check_mode=True)
    assert dry["diff"]["prepared"] == told["patch"]
    assert path.read_text() == text
    first = validated(files=[str(path)], apply_fixes=True)
    assert not first.get("failed"), first
    assert first["changed"]
    assert path.read_text() == text.replace("tpye", "type").replace("opne", "open")
    assert path.stat().st_mode & 0o777 == 0o640
    assert not validated(files=[str(path)], apply_fixes=True)["changed"]


def test_there_is_no_file_to_mend_in_a_content() -> None:
    assert "apply_fixes" in validated(content=BAD, apply_fixes=True)["msg"]


@pytest.mark.parametrize("name", ["falco_rules_validate", "falco_rules_info"])
def test_no_file_at_all_is_an_error(name: str) -> None:
    result = run_module(name, {"files": []})
    assert result["failed"]
    assert result["msg"].startswith("files: the list is empty")


def test_a_template_is_judged_by_what_is_written_in_it(tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml.j2"
    sound = GOOD.replace("open", "open and k8s.ns.name in ({{ names | join(', ') }})")
    path.write_text("- list: names\n  items: {{ names }}\n{% if more %}\n" + sound + "{% endif %}\n")
    told = validated(files=[str(path)])
    assert told["successful"] is True
    assert [one for one in told["findings"] if one["severity"] == "error"] == []
    assert str(told["warnings"]).count("rules.yaml.j2: a template, judged with a word in the place of each") == 1
    path.write_text(path.read_text().replace("open and", "opne and"))
    (error,) = [one for one in validated(files=[str(path)])["findings"] if one["severity"] == "error"]
    assert (error["line"], error["column"]) == (6, 25)
    assert (
        error["excerpt"].splitlines()[0] == "  condition: evt.type = opne and k8s.ns.name in ({{ names | join(', ') }})"
    )
