"""Plugins that rules require and nobody knows: they block nothing and are told; what is described counts."""

from __future__ import annotations

import re
from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.common.finding import Finding
from ansible_collections.falconet.k8s.plugins.module_utils.falco.catalogue.catalogue import catalogue
from ansible_collections.falconet.k8s.plugins.module_utils.falco.catalogue.learned import Said
from ansible_collections.falconet.k8s.plugins.module_utils.falco.errors import FalcoError
from ansible_collections.falconet.k8s.plugins.module_utils.falco.judge.validate import judge
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.assumed import with_required
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.known import known_before, known_for
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.ruleset import Loader, RulesFile

ASKED = "- required_plugin_versions:\n    - name: {}\n      version: {}\n"
RULE = "- rule: {}\n  desc: d\n  condition: {}\n  output: {}\n  priority: NOTICE\n"
BELL = ASKED.format("doorbell", "0.2.0")
VISIT = RULE.format("Visit", "bell.rings > 3 and bell.door[1] in (front) and bell.by startswith al", "'Visit %bell.at'")
VISIT += "  source: doorbell\n"
OPEN = RULE.format("Open", "evt.type = open and proc.name = cat", "o")
DESCRIBED: dict[str, Any] = {
    "name": "doorbell",
    "source": "doorbell",
    "fields": [
        {"name": "bell.rings", "type": "uint64"},
        {"name": "bell.door", "argument": "index"},
        {"name": "bell.by"},
        {"name": "bell.at"},
    ],
}


def judged(*texts: str, **known: Any) -> tuple[list[str], list[Finding]]:
    """The rules that were compiled, and the findings."""
    catalogue = known_for(texts, "0.44", **known)
    loaded = Loader(catalogue).load([RulesFile(f"{number}.yaml", text) for number, text in enumerate(texts, 1)])
    return list(loaded.compiler.rules), judge(loaded)


def told(findings: list[Finding]) -> list[tuple[str, int | None, int | None]]:
    return [(one.code, one.line, one.column) for one in findings]


def test_an_unknown_plugin_is_told_and_its_rules_are_taken_as_they_stand() -> None:
    rules, findings = judged(BELL + VISIT + OPEN)
    assert rules == ["Visit", "Open"]
    (one,) = findings
    assert told([one]) == [("FN019", 2, 7)]
    assert one.severity == "warning"
    assert one.message == (
        "nothing is known of plugin 'doorbell': the event source doorbell and the fields bell.at, bell.by, bell.door, "
        "bell.rings are taken as they stand, which a rule uses: 'Visit'"
    )
    assert "plugin_descriptions" in one.hint


def test_all_other_mistakes_are_found_as_ever() -> None:
    broken = (
        BELL
        + VISIT
        + OPEN.replace("proc.name", "proc.nmae")
        + VISIT.replace("Visit", "Again")
        + OPEN.replace("Open", "Or")
    )
    broken = broken.replace("bell.by startswith al\n  output: 'Again", "no_such_macro\n  output: 'Again")
    _rules, findings = judged(broken)
    assert told(findings) == [("LOAD_ERR_COMPILE_CONDITION", 12, 34), ("LOAD_ERR_VALIDATE", 17, 61), ("FN019", 2, 7)]


def test_fields_for_system_calls_are_taken_too() -> None:
    rules, findings = judged(BELL, RULE.format("Rung", "evt.type = open and bell.rings exists", "o %bell.at"))
    assert rules == ["Rung"]
    assert "the fields bell.at, bell.rings are" in findings[0].message
    (finding,) = judged(BELL, RULE.format("Rung", "evt.type = open and bell.rings exists", "o"))[1]
    assert finding.message.endswith(", which a rule uses: 'Rung'")


def test_a_field_is_taken_whatever_it_is_called_and_whatever_its_argument() -> None:
    assert judged(BELL, RULE.format("R", "evt.type = open and window.open[left] = 1", "o"))[0] == ["R"]


def test_a_slip_of_a_known_field_is_no_field_of_the_plugin() -> None:
    _rules, findings = judged(BELL, RULE.format("Slip", "evt.type = open and porc.name = x", "o"))
    assert told(findings)[0] == ("LOAD_ERR_COMPILE_CONDITION", 3, 34)


def test_fields_of_appends_exceptions_and_macros_are_found() -> None:
    rules, findings = judged(
        BELL + "- macro: rung\n  condition: bell.rings > 1\n" + RULE.format("R", "evt.type = open and rung", "o"),
        "- rule: R\n  condition: and tolower(bell.by) = x\n  exceptions:\n"
        "    - {name: e, fields: [bell.door, proc.name], values: [[a, b]]}\n"
        "  override: {condition: append, exceptions: append}\n",
    )
    assert rules == ["R"]
    assert "fields bell.by, bell.door, bell.rings are" in findings[0].message


def test_a_description_counts_and_ends_the_finding() -> None:
    rules, findings = judged(BELL + VISIT + OPEN, descriptions=[DESCRIBED])
    assert (rules, findings) == (["Visit", "Open"], [])
    _rules, findings = judged(BELL + VISIT.replace("bell.rings >", "bell.rigns >"), descriptions=[DESCRIBED])
    assert [one.hint for one in findings] == ["did you mean 'bell.rings'?"]
    _rules, findings = judged(BELL + VISIT.replace("> 3", "> many"), descriptions=[DESCRIBED])
    assert told(findings) == [("LOAD_ERR_COMPILE_CONDITION", 6, 27)]


def test_a_described_version_is_held_to_the_requirement() -> None:
    _rules, findings = judged(BELL + VISIT, descriptions=[{**DESCRIBED, "version": "0.1.0"}])
    assert told(findings) == [("FN019", 2, 7)]
    _rules, findings = judged(BELL + VISIT, descriptions=[{**DESCRIBED, "version": "0.1.0"}], plugins=("container",))
    assert told(findings) == [("LOAD_ERR_VALIDATE", 3, 16)]
    rules, findings = judged(BELL + VISIT, descriptions=[DESCRIBED], plugins=("container", "doorbell"))
    assert (rules, findings) == (["Visit"], [])


@pytest.mark.parametrize(
    "known", [{"plugins": ("container",)}, {"said": Said(plugins="1 Plugins Loaded:\n\nName: json\nVersion: 0.7.0\n")}]
)
def test_where_it_is_told_what_is_loaded_nothing_is_assumed(known: dict[str, Any]) -> None:
    _rules, findings = judged(BELL + OPEN, **known)
    assert told(findings) == [("LOAD_ERR_VALIDATE", 3, 16)]


def test_a_plugin_of_falcos_own_is_never_assumed() -> None:
    _rules, findings = judged(ASKED.format("container", "9.0.0") + OPEN)
    assert told(findings) == [("LOAD_ERR_VALIDATE", 3, 16)]
    catalogue = known_for([ASKED.format("container", "0.1.0")], "0.38")
    assert catalogue.assumed == {}


def test_a_newer_version_of_a_known_plugin_has_what_is_known_and_is_told() -> None:
    rule = RULE.format("Login", "ct.name = ConsoleLogin", "o %ct.user") + "  source: aws_cloudtrail\n"
    rules, (finding,) = judged(ASKED.format("cloudtrail", "0.99.0") + rule)
    assert rules == ["Login"]
    assert finding.message == "the fields of plugin 'cloudtrail' are known of version 0.17.1, and 0.99.0 is required"
    _rules, findings = judged(ASKED.format("cloudtrail", "0.99.0") + rule.replace("ct.name", "ct.nmae"))
    assert findings[0].hint == "did you mean 'ct.name'?"


def test_alternatives_count() -> None:
    text = BELL + "      alternatives:\n        - {name: k8saudit, version: 0.1.0}\n"
    assert judged(text + OPEN)[1] == []


def test_text_that_is_no_yaml_is_told_as_such() -> None:
    _rules, findings = judged(BELL + "- rule: [\n")
    assert findings[0].code == "LOAD_ERR_YAML_PARSE"


@pytest.mark.parametrize(
    ("description", "words"),
    [
        ({}, "lacks the key 'name'"),
        ("doorbell", "is a mapping with the keys name, version"),
        ({"name": "a", "feilds": []}, "has no key 'feilds'; its keys are name, version"),
        ({"name": "a", "fields": "b"}, "'fields' is a list; this one is str"),
        ({"name": "a", "fields": [{"name": "a.b", "type": "int"}]}, "has type 'int'; types are string"),
        ({"name": "a", "fields": [{"name": "a.b", "argument": "number"}]}, "argument 'number'; words: none"),
        ({"name": "a", "fields": [{"type": "bool"}]}, "a field of plugin 'a' lacks the key 'name'"),
    ],
)
def test_a_description_that_is_none_says_what_would_be_right(description: Any, words: str) -> None:
    with pytest.raises(FalcoError, match=words):
        known_for([], "0.44", descriptions=[description])


def test_descriptions_are_a_list() -> None:
    with pytest.raises(FalcoError, match="list of mappings"):
        known_for([], "0.44", descriptions=DESCRIBED)  # type: ignore[arg-type]  # as a template may give it


def test_of_plugins_that_are_given_an_older_version_has_those_that_it_knows() -> None:
    texts = ["- rule: R\n"]
    assert "container" in known_before(texts, "0.41", ("json", "container")).plugins
    assert set(known_before(texts, "0.40", ("json", "container")).plugins) == {"json"}
    described = {"name": "doorbell", "fields": [{"name": "bell.rings"}]}
    assert set(known_before(texts, "0.40", ("json", "container"), [described]).plugins) == {"json", "doorbell"}
    assert known_before(texts, "0.41", None).plugins.keys() == known_for(texts, "0.41").plugins.keys()
    # what nobody described is not assumed where it is said what there is
    assert set(known_before([BELL + VISIT], "0.40", ("json",)).plugins) == {"json"}


@pytest.mark.parametrize(
    "rules",
    [
        "- required_plugin_versions: [{name: doorbell}]\n",
        "- required_plugin_versions: [{name: doorbell, version: [1]}]\n",
        "- required_plugin_versions: doorbell\n",
        "- required_plugin_versions: [{name: doorbell, version: 1.0.0, alternatives: [{name: gong}]}]\n",
    ],
)
def test_a_requirement_that_falco_cannot_read_lets_nothing_be_assumed(rules: str) -> None:
    assert "doorbell" not in known_for([rules], "0.44").plugins


def test_of_several_requirements_the_greatest_version_is_assumed() -> None:
    # one that is none is less than any
    for versions in ("0.2.0 0.10.0 0.3.0", "0.10.0 0.2.0", "x 0.0.0", "0.0.1 x", "0.1.0 x", "1.0.0 x"):
        text = "".join(ASKED.format("doorbell", version) for version in versions.split())
        greatest = max(re.findall(r"\S+\d", versions), key=lambda one: [int(part) for part in one.split(".")])
        assert known_for([text], "0.44").plugins["doorbell"].version == greatest


def test_fields_of_exceptions_are_assumed_too() -> None:
    exception = (
        "  exceptions: [{name: e, fields: ['tolower(bell.by)', fd.name, '!']}, {name: f, fields: 'bell.at[1]'}]\n"
    )
    plugin = known_for([BELL + VISIT + exception], "0.44").plugins["doorbell"]
    assert {"bell.by", "bell.at", "bell.rings", "bell.door"} == {field.name for field in plugin.fields}


def test_where_nothing_is_missing_it_is_the_same_catalogue() -> None:
    known = catalogue("0.44")
    assert with_required(known, [OPEN], assume=True) is known
    assert known_for([ASKED.format("cloudtrail", "0.17.0")], "0.44").assumed == {}


def test_a_requirement_of_no_version_at_all_is_met_by_what_is_assumed() -> None:
    assert judged(ASKED.format("doorbell", "0.0.0") + VISIT)[0] == ["Visit"]


@pytest.mark.parametrize(
    ("sources", "source"),
    [
        (["gate", "doorbell_events"], "doorbell_events"),
        (["gate", "door"], "door"),
        (["gate", "window"], "gate"),
        ([], None),
    ],
)
def test_of_several_sources_the_one_of_the_plugins_name_is_its_own(sources: list[str], source: str | None) -> None:
    rules = "".join(RULE.format(f"R{one}", "bell.rings > 1", "o") + f"  source: {one}\n" for one in sources)
    assert known_for([BELL + rules], "0.44").plugins["doorbell"].source == source


@pytest.mark.parametrize("plugin", ["prod", "prod_events", "pro"])
def test_a_field_that_is_called_after_the_plugin_is_no_slip_of_a_known_one(plugin: str) -> None:
    rule = RULE.format("R", "evt.type = open and prod.name = x", "o")
    assert judged(ASKED.format(plugin, "0.2.0") + rule)[0] == ["R"]


def test_an_exception_that_only_adds_values_names_no_field() -> None:
    rules, _findings = judged(
        BELL + OPEN + "  exceptions: [{name: e, fields: [proc.name], values: [[a]]}]\n",
        "- rule: Open\n  exceptions: [{name: e, values: [[b]]}]\n  override: {exceptions: append}\n",
    )
    assert rules == ["Open"]
