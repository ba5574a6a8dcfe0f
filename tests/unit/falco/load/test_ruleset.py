"""Loading rules: definitions, appends, overrides and Falco's verdict on each."""

from __future__ import annotations

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco.condition.checks import OPERATORS_BY_KIND
from ansible_collections.falconet.k8s.plugins.module_utils.falco.condition.lexer import STRING_OPERATORS
from ansible_collections.falconet.k8s.plugins.module_utils.falco.errors import Cause, Reason
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.ruleset import RulesFile, load

RULE = """
- rule: Shell
  desc: a shell
  condition: evt.type = execve and proc.name = bash
  output: shell %proc.cmdline
  priority: WARNING
"""


def codes(*texts: str) -> list[tuple[bool, list[str], list[str]]]:
    loaded = load([RulesFile(f"{number}.yaml", text) for number, text in enumerate(texts)])
    return [
        (result.successful, [one.code for one in result.errors], [one.code for one in result.warnings])
        for result in loaded.results
    ]


def test_a_rule_that_falco_accepts() -> None:
    assert codes(RULE) == [(True, [], [])]


def test_an_unknown_field_is_a_condition_error() -> None:
    assert codes(RULE.replace("proc.name", "proc.nmae")) == [(False, ["LOAD_ERR_COMPILE_CONDITION"], [])]


def test_an_unknown_output_field_is_an_output_error() -> None:
    assert codes(RULE.replace("%proc.cmdline", "%nope.x")) == [(False, ["LOAD_ERR_COMPILE_OUTPUT"], [])]


def test_the_second_file_is_compiled_with_the_first() -> None:
    override = "- rule: Shell\n  condition: and nothing.here = 1\n  override:\n    condition: append\n"
    assert codes(RULE, override) == [(True, [], []), (False, ["LOAD_ERR_COMPILE_CONDITION"], [])]


def test_what_nobody_uses_is_a_warning() -> None:
    text = "- list: shells\n  items: [sh]\n- macro: shell\n  condition: proc.name = sh\n"
    assert codes(text) == [(True, [], ["LOAD_UNUSED_MACRO", "LOAD_UNUSED_LIST"])]


SAMPLES = {
    "numeric": ("fd.num", "1"),
    "bool": ("evt.is_open_read", "true"),
    "network": ("fd.snet", "10.0.0.0/8"),
    "string": ("proc.name", "1"),
    "buffer": ("evt.buffer", "cafe"),
    "list": ("fd.types", "1"),
}


@pytest.mark.parametrize("kind", SAMPLES)
@pytest.mark.parametrize("operator", [*STRING_OPERATORS, "<", "<=", ">", ">=", "in", "intersects", "pmatch"])
def test_each_operator_with_each_kind_of_field(kind: str, operator: str) -> None:
    field, value = SAMPLES[kind]
    if operator in ("in", "intersects", "pmatch"):
        value = f"({value})"
    elif operator in ("<", "<=", ">", ">="):
        value = "1"
    condition = f"{field} {operator} {value}"
    allowed = operator in OPERATORS_BY_KIND[kind]
    result = codes(RULE.replace("proc.name = bash", condition))[0]
    assert result == ((True, [], result[2]) if allowed else (False, ["LOAD_ERR_COMPILE_CONDITION"], []))
    assert set(result[2]) <= {"LOAD_COMPILE_CONDITION"}


@pytest.mark.parametrize("kind", SAMPLES)
def test_every_kind_of_field_may_exist(kind: str) -> None:
    assert codes(RULE.replace("proc.name = bash", f"{SAMPLES[kind][0]} exists")) == [(True, [], [])]


REQUIREMENT = "- required_plugin_versions:\n  - name: json\n    version: 9.0.0\n"


@pytest.mark.parametrize("further", [RULE.replace("proc.name", "proc.nmae"), RULE.replace("desc:", "dsec:"), RULE])
def test_a_plugin_requirement_that_is_not_met_is_all_that_falco_says(further: str) -> None:
    (result,) = load([RulesFile("a.yaml", REQUIREMENT + further)]).results
    assert [(one.code, one.message) for one in result.errors] == [
        ("LOAD_ERR_VALIDATE", "Plugin requirement not satisfied, must load one of: json (>= 9.0.0)")
    ]
    assert result.errors[0].context.locations[1].item_type == "required plugin versions"
    assert result.errors[0].cause == Cause(Reason.UNMET_VERSION, "json")
    assert result.aborted


def test_it_is_said_of_the_file_that_has_it_alone() -> None:
    assert codes(REQUIREMENT, RULE) == [(False, ["LOAD_ERR_VALIDATE"], []), (True, [], [])]


def test_text_that_is_no_yaml_requires_no_plugin() -> None:
    assert codes(REQUIREMENT + "- a: [") == [(False, ["LOAD_ERR_YAML_PARSE"], [])]


def test_the_second_of_equal_keys_is_not_looked_at() -> None:
    shadowed = "  exceptions:\n  exceptions:\n  - {name: known, [fields]: proc.name}\n"
    assert codes(RULE + shadowed) == [(True, [], [])]
    assert codes(RULE + shadowed.replace("  exceptions:\n", "", 1)) == [(False, ["LOAD_ERR_YAML_PARSE"], [])]


def test_a_key_of_an_override_that_is_there_twice_is_against_the_schema() -> None:
    override = "- rule: Shell\n  desc: again\n  override:\n    desc: replace\n"
    assert [load([RulesFile("a.yaml", RULE + override + more)]).results[0].schema_valid for more in
            ("", "    desc: replace\n")] == [True, False]  # fmt: skip
