"""What one version of Falco accepts and another refuses or reports."""

from __future__ import annotations

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco.catalogue.catalogue import catalogue
from ansible_collections.falconet.k8s.plugins.module_utils.falco.catalogue.versions import VERSIONS
from ansible_collections.falconet.k8s.plugins.module_utils.falco.evaluate.engine import Engine
from ansible_collections.falconet.k8s.plugins.module_utils.falco.evaluate.events import parse_event
from ansible_collections.falconet.k8s.plugins.module_utils.falco.judge.validate import Ruleset, validate
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.result import LoadResult
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.ruleset import Loader, RulesFile

LOADERS = {falco: Loader(catalogue(falco)) for falco in VERSIONS}
RULE = "- rule: R\n  desc: d\n  condition: {}\n  output: {}\n  priority: NOTICE\n"


def result(falco: str, text: str) -> LoadResult:
    return LOADERS[falco].load([RulesFile("a.yaml", text)]).results[0]


def rule(condition: str = "evt.type = open", output: str = "o", more: str = "") -> str:
    return RULE.format(condition, output) + more


def accepting(text: str) -> list[str]:
    return [falco for falco in VERSIONS if result(falco, text).successful]


def warned(text: str, code: str) -> list[str]:
    return [falco for falco in VERSIONS if any(one.code == code for one in result(falco, text).warnings)]


def since(falco: str) -> list[str]:
    return list(VERSIONS)[list(VERSIONS).index(falco) :]


def until(falco: str) -> list[str]:
    return list(VERSIONS)[: list(VERSIONS).index(falco)]


@pytest.mark.parametrize(
    ("condition", "first"),
    [
        ("evt.type = open and tolower(proc.name) = x", "0.38"),
        ("evt.type = open and proc.name = val(proc.pname)", "0.38"),
        ("evt.type = open and proc.name iglob x*", "0.38"),
        ("evt.type = open and proc.name regex a.*", "0.39"),
        ("evt.type = open and basename(proc.exe) = x", "0.39"),
        ("evt.type = open and len(proc.name) > 3", "0.40"),
        ("evt.type = open and proc.args[0] = x", "0.41"),
        ("evt.type = open and proc.aargs[1] = x", "0.41"),
        ("evt.type = open and proc.name contains anyof (a, b)", "0.44"),
        ("evt.type = open and proc.name contains oneof names", "0.44"),
        ("evt.type = open and concat(proc.name, proc.exe) = x", "0.44"),
        ("evt.type = open and tolower(concat(proc.name, proc.exe)) = x", "0.44"),
        ("evt.type = mseal", "0.39"),
        ("evt.type = setxattrat", "0.40"),
        ("evt.type = open and proc.is_exe_lower_layer = true", "0.39"),
        ("evt.type = open and proc.pgid.name = x", "0.40"),
    ],
)
def test_a_condition_that_a_version_brought(condition: str, first: str) -> None:
    assert accepting(rule(condition)) == since(first)


@pytest.mark.parametrize(
    ("condition", "gone"),
    [
        ("evt.type = open and span.id = 1", "0.42"),
        ("evt.type = open and mesos.task.name = x", "0.42"),
        ("evt.type = open and evtin.span.tag[0] = x", "0.42"),
        ("evt.type = open and evtin.span.tag = x", "0.38"),
        ("evt.type = open and syslog.severity.str = x", "0.41"),
        ("evt.type = open and mesos.task.label.a.b = x", "0.42"),
        ("evt.type = open and k8s.pod.label.app = x", "0.41"),
        ("evt.type = open and container.mount.nothing = x", "0.38"),
    ],
)
def test_a_condition_that_a_version_refuses_since(condition: str, gone: str) -> None:
    assert accepting(rule(condition)) == until(gone)


@pytest.mark.parametrize(
    "condition",
    [
        "evt.type = open and container.id != host",
        "evt.type = open and container.mount[/etc] exists",
        "evt.type = open and container.mount.source[0] exists",
        "evt.type = open and k8s.pod.label[app] = x",
        "evt.type = open and k8s.pod.labels contains x",
        "evt.type = open and evt.dir = <",
        "evt.type = open and evt.latency > 5",
    ],
)
def test_a_condition_that_every_version_accepts(condition: str) -> None:
    assert accepting(rule(condition)) == list(VERSIONS)


def test_only_a_space_may_follow_a_word_operator_before_0_40() -> None:
    text = rule('"evt.type = open and proc.name contains\\n bash"')
    assert accepting(text) == since("0.40")
    assert "one space has to follow" in result("0.39", text).errors[0].message
    assert accepting(rule('"evt.type = open and proc.name contains  bash"')) == list(VERSIONS)


def test_a_regular_expression_that_is_none_is_refused_since_0_44() -> None:
    assert accepting(rule("evt.type = open and proc.name regex '(a'")) == ["0.39", "0.40", "0.41", "0.42", "0.43"]


def test_keys_that_nobody_knows_are_reported_since_0_44() -> None:
    assert warned(rule(more="  colour: red\n"), "LOAD_UNKNOWN_KEY") == ["0.44"]


def test_captures_came_with_0_42() -> None:
    bad = rule(more="  capture: perhaps\n")
    assert accepting(bad) == until("0.42")
    override = rule() + "- rule: R\n  capture: true\n  override:\n    capture: replace\n"
    assert accepting(override) == since("0.42")
    assert [result(falco, rule(more="  capture: true\n")).schema_valid for falco in ("0.41", "0.42")] == [False, True]


def test_the_schema_is_checked_since_0_39_and_wants_values_until_0_40() -> None:
    text = rule(more="  exceptions:\n    - name: e\n      fields: [proc.name]\n      comps: [=]\n")
    found = {falco: result(falco, text) for falco in VERSIONS}
    assert [falco for falco in VERSIONS if found[falco].schema_checked] == since("0.39")
    assert [falco for falco in VERSIONS if found[falco].schema_valid] == since("0.41")
    late = rule(more="  warn_evttypes: false\n")
    assert [falco for falco in VERSIONS if result(falco, late).schema_valid] == ["0.44"]


def test_the_source_of_an_append_counts_since_0_40() -> None:
    text = rule() + "- rule: R\n  source: k8s_audit\n  condition: and proc.name = x\n  append: true\n"
    assert accepting(text) == until("0.40")


def test_comparisons_of_exceptions_with_modifiers_came_with_0_44() -> None:
    entry = "  exceptions:\n    - name: e\n      fields: [proc.name]\n      comps: [{}]\n      values: [[x]]\n"
    assert accepting(rule(more=entry.format("startswith anyof"))) == ["0.44"]
    assert accepting(rule(more=entry.format("' = '"))) == ["0.44"]


def test_deprecated_fields_are_reported_since_they_are() -> None:
    assert warned(rule("evt.type = open and evt.dir = <"), "LOAD_DEPRECATED_ITEM") == since("0.42")
    assert warned(rule("evt.type = open and evt.latency > 5"), "LOAD_DEPRECATED_ITEM") == since("0.43")
    assert warned(rule(output="took %evt.latency"), "LOAD_DEPRECATED_ITEM") == since("0.43")


def test_container_info_became_nothing_with_0_41() -> None:
    text = rule(output="'%container.info'")
    assert accepting(text) == until("0.41")
    assert warned(rule(output="'o %container.info'"), "LOAD_DEPRECATED_ITEM") == since("0.41")


def test_the_engine_is_that_of_the_version() -> None:
    assert accepting("- required_engine_version: 0.50.0\n") == since("0.41")
    assert accepting("- required_engine_version: 40\n") == list(VERSIONS)


@pytest.mark.parametrize(
    ("falco", "text", "hint"),
    [
        ("0.38", rule("evt.type = open and proc.name regex a.*"), "the operator 'regex' came with Falco 0.39"),
        ("0.39", rule("evt.type = open and len(proc.name) > 3"), "the transformer 'len' came with Falco 0.40"),
        ("0.43", rule("evt.type = open and proc.name contains anyof (a)"), "the modifier 'anyof' came with Falco 0.44"),
        ("0.39", rule("evt.type = open and proc.pgid.name = x"), "'proc.pgid.name' came with Falco 0.40"),
        ("0.42", rule("evt.type = open and span.id = 1"), "'span.id' went with Falco 0.42"),
    ],
)
def test_the_hint_says_when_it_came_or_went(falco: str, text: str, hint: str) -> None:
    verdict = validate([Ruleset("", (RulesFile("a.yaml", text),))], catalogue(falco))[0]
    assert verdict.findings[0].hint.startswith(hint)


def test_without_the_plugin_the_hint_names_it() -> None:
    verdict = validate([Ruleset("", (RulesFile("a.yaml", rule("container.id = x")),))], catalogue("0.44", ("json",)))[0]
    assert verdict.findings[0].hint == "since Falco 0.41 it is a field of the plugin 'container': load that"


def test_container_info_is_rendered_as_the_version_did() -> None:
    text = rule("evt.type = open", "'in %container.info'")
    event = parse_event('{"fields": {"evt.type": "open", "container.name": "web", "container.id": "abc"}}')[0]
    outputs = {}
    for falco in ("0.39", "0.41"):
        engine = Engine(LOADERS[falco].load([RulesFile("a.yaml", text)]), append_output=())
        outputs[falco] = engine.alerts(event)[0].output
    assert outputs["0.39"].endswith("Notice in web (id=abc)")
    assert outputs["0.41"].endswith("Notice in ")
