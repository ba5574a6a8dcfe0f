"""Entries that Falco refuses: its words, and the line and column that it tells."""

from __future__ import annotations

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco.errors import Cause, Reason
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.result import LoadResult
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.ruleset import RulesFile, load

RULE = "- rule: R\n  desc: d\n  condition: evt.type = open\n  output: o\n  priority: INFO\n"
TOGETHER = "Keys 'override' and 'append: true' cannot be used together."
UNEQUAL = "Fields and values lists must have equal length"


def result(text: str) -> LoadResult:
    return load([RulesFile("f", text)]).results[0]


def excepted(entry: str) -> str:
    return f"{RULE}  exceptions:\n  - {{name: e, {entry}}}\n"


def appended(first: str, second: str) -> str:
    before = excepted(first) if first else RULE
    return f"{before}- rule: R\n  append: true\n  exceptions:\n  - {{name: e, {second}}}\n"


def changed(keys: str, before: str = RULE) -> str:
    return f"{before}- rule: R\n" + "".join(f"  {key}\n" for key in keys.split("; "))


def plugin(entry: str) -> str:
    return f"- required_plugin_versions: {entry}\n"


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        # whole entries
        ("x\n", 1, 1, "Rules content is not yaml"),
        ("a: b\n", 1, 1, "Rules content is not yaml array of objects"),
        ("- x\n", 1, 3, "Unexpected element type. Each element should be a yaml associative array."),
        ("- rule: ~\n", 1, 3, "Mapping for key 'rule' is empty"),
        ("- rule: ''\n", 1, 9, "Value must be non-empty"),
        ("- rule: [a]\n", 1, 9, "Value is not a scalar value"),
        ("- rule: R\n", 1, 3, "Item has no mapping for key 'enabled'"),
        ("- rule: R\n  output: o\n", 1, 3, "Item has no mapping for key 'condition'"),
        ("- rule: R\n  desc: d\n", 1, 3, "Item has no mapping for key 'condition'"),
        ("- rule: R\n  priority: INFO\n", 1, 3, "Item has no mapping for key 'condition'"),
        ("- rule: R\n  enabled: perhaps\n", 2, 12, "Can't decode YAML scalar value"),
        ("- rule: R\n  enabled: false\n", 1, 3, "Rule has 'enabled' key but no rule by that name already exists"),
        ("- required_engine_version: x\n", 1, 3, "Unable to parse engine version 'x' as a semver string."),
        # keys of a rule
        (RULE.replace("desc: d", "desc: [a]"), 2, 9, "Value is not a scalar value"),
        (RULE.replace("desc: d", "desc: ~"), 1, 3, "Mapping for key 'desc' is empty"),
        (RULE + "  source: [a]\n", 6, 11, "Value is not a scalar value"),
        (RULE + "  tags: a\n", 6, 9, "Value is not a sequence"),
        (RULE + "  tags: [[a]]\n", 6, 10, "sequence value is not scalar"),
        (RULE + "  enabled: 1\n", 6, 12, "Can't decode YAML scalar value"),
        (RULE + "  capture_duration: x\n", 6, 21, "Can't decode YAML scalar value"),
        # exceptions
        (RULE + "  exceptions: x\n", 6, 15, "Rule exceptions must be a sequence"),
        (RULE + "  exceptions: [x]\n", 6, 16, "Rule exception must be a mapping"),
        (excepted("fields: {}"), 7, 5, "Rule exception item must have fields property with a list of fields"),
        (excepted("fields: [proc.name, '']"), 7, 35, "Value must be non-empty"),
        (excepted("fields: proc.name, comps: [in]"), 7, 5, "Fields and comps must both be strings"),
        (excepted("fields: proc.name, comps: '='"), 7, 5, "When fields is a single value, comps must be one of"),
        (excepted("fields: [nope.x]"), 7, 5, "'nope.x' is not a supported filter field"),
        (excepted("fields: 'tolower(nope.x)'"), 7, 5, "'tolower(nope.x)' is not a supported filter field"),
        (excepted("fields: ['tolower(fd.name']"), 7, 5, "'tolower(fd.name' is not a supported filter field"),
        (excepted("fields: ['tolower(fd.name) x']"), 7, 5, "'tolower(fd.name) x' is not a supported filter field"),
        # this one Falco tells of the file, not of the exception
        (excepted("fields: ['fd.types[x]']"), 1, 1, "x is not a valid number"),
        (excepted("fields: [fd.name], values: x"), 7, 42, "Rule exception values must be a sequence"),
        (excepted("fields: [fd.name], values: [['']]"), 7, 44, "Value must be non-empty"),
        (excepted("fields: [fd.name], values: [{a: b}]"), 7, 5, UNEQUAL),
        (excepted("fields: [fd.name], values: [[a, b]]"), 7, 5, UNEQUAL),
        (excepted("fields: fd.name, values: [[x]]"), 7, 5, "Expected values array to contain a list of strings"),
        (appended("", "values: [[x]]"), 9, 5, "Rule exception must have fields property with a list of fields"),
        (appended("", "fields: [fd.name]"), 9, 5, "Rule exception must have values property with a list of values"),
        (
            appended("fields: [fd.name]", "fields: [fd.name], values: [[x]]"),
            11,
            5,
            "Can not append exception fields",
        ),
        (appended("fields: [fd.name]", "comps: [=], values: [[x]]"), 11, 5, "Can not append exception comps to"),
        # overrides
        (changed("tags: [a]; override: {tags: replace}", ""), 1, 3, "An 'override.<key>: replace' to a rule was"),
        (changed("tags: [a]; override: {tags: append}", ""), 1, 3, "Rule uses 'append' or 'override.<key>: append'"),
        (
            changed("tags: [a]; override: {tags: delete}"),
            8,
            20,
            "Invalid override operation for key 'tags': 'delete'. Allowed values are: append replace",
        ),
        (
            changed("priority: INFO; override: {priority: delete}"),
            8,
            24,
            "Invalid override operation for key 'priority': 'delete'. Allowed values are: replace",
        ),
        (changed("tags: [a]; override: {tags: ~}"), 8, 20, "Invalid override operation for key 'tags': 'null'."),
        (
            changed("tags: [a]; override: {tags: [append]}"),
            1,
            1,
            "yaml-cpp: error at line 8, column 20: bad conversion",
        ),
        (changed("tags: [a]; override: [tags]"), 1, 1, "invalid node; this may result from using a map iterator as a"),
        (changed("tags: [a]; override: []"), 8, 13, "'override' must be a mapping of keys to 'append' or 'replace'"),
        (changed("priority: INFO; override: {priority: append}"), 8, 14, "Key 'priority' cannot be appended to"),
        (changed("source: x; override: {source: replace}"), 8, 14, "Key 'source' cannot be replaced"),
        (changed("override: {tags: replace}"), 6, 3, "An replace override for 'tags' was specified but 'tags' is not"),
        (
            changed("tags: [a]; desc: y; override: {tags: replace}"),
            8,
            9,
            "Unexpected key 'desc': no corresponding",
        ),
        # one that is no mapping overrides nothing, so that it is another rule
        (changed("condition: x; override: y"), 6, 3, "Item has no mapping for key 'output'"),
        (changed("condition: and x; append: true; override: {condition: append}"), 6, 3, TOGETHER),
        (changed("condition: x; append: true; override: {condition: replace}"), 6, 3, TOGETHER),
        ("- list: l\n  items: [a]\n  append: true\n  override: {items: replace}\n", 1, 3, TOGETHER),
        ("- macro: m\n  condition: a\n  append: true\n  override: {condition: replace}\n", 1, 3, TOGETHER),
        ("- list: l\n  items: [a]\n  append: true\n  override: {items: append}\n", 1, 3, TOGETHER),
        ("- macro: m\n  condition: a\n  append: true\n  override: {condition: append}\n", 1, 3, TOGETHER),
        # plugins
        (plugin("x"), 1, 29, "Value of required_plugin_versions must be a sequence"),
        (plugin("[x]"), 1, 30, "Plugin version must be a mapping"),
        (plugin("[{name: json}]"), 1, 30, "Item has no mapping for key 'version'"),
        (plugin("[{name: json, version: x}]"), 1, 30, "Invalid required version 'x' for plugin 'json'"),
        (
            plugin("[{name: json, version: 0.1.0, alternatives: x}]"),
            1,
            30,
            "Value of plugin version alternatives",
        ),
        (plugin("[{name: json, version: 0.1.0, alternatives: [x]}]"), 1, 74, "Plugin version alternative must be a"),
        (plugin("[{name: json, version: 0.1.0, alternatives: [{name: a}]}]"), 1, 74, "Item has no mapping for key"),
    ],
)
def test_what_falco_says_and_where(text: str, line: int, column: int, message: str) -> None:
    (error,) = result(text).errors
    mark = error.context.locations[-1].mark
    assert error.message.startswith(message)
    assert (mark.line + 1, mark.column + 1) == (line, column)


@pytest.mark.parametrize(("values", "told"), [("[[a, b]]", "2"), ("[{a: b}]", "no list of")])
def test_of_values_that_do_not_fit_it_is_told_how_many_there_are(values: str, told: str) -> None:
    (error,) = result(excepted(f"fields: [fd.name], values: {values}")).errors
    assert error.cause == Cause(Reason.UNEQUAL_VALUES, f"1 (fd.name), and this entry has {told}")


def test_an_exception_is_told_as_a_part_of_its_rule() -> None:
    (error,) = result(excepted("fields: [nope.x]")).errors
    assert [one.item_type for one in error.context.locations] == ["rules content", "rule", "exception"]
    assert [one.item_name for one in error.context.locations] == ["", "R", "e"]


@pytest.mark.parametrize(
    "text",
    [
        f"- ~\n{RULE}",
        changed("enabled: false; override: {}"),
        changed("enabled: false; override: ~"),
        changed("condition: and fd.num = 1; source: ~; append: true"),
        excepted("fields: fd.name, comps: ' in ', values: [x]"),
        excepted("fields: ['tolower(fd.name)'], values: [[x]]"),
        # without a known source nothing of a rule is compiled, and so no field is looked up
        f"{RULE}  source: nowhere\n  exceptions: [{{name: e, fields: a.b, values: [x]}}, {{name: f, fields: [a.b]}}]\n",
        f"{RULE}  source: nowhere\n- rule: R\n  condition: and a.b = x\n  append: true\n",
        f"{RULE}  source: nowhere\n- rule: R\n  condition: a.b = x\n  override: {{condition: replace}}\n",
    ],
)
def test_what_falco_takes(text: str) -> None:
    assert result(text).successful


def test_falco_stops_at_the_first_error_of_a_file() -> None:
    for text in (f"{RULE.replace('open', 'opne')}- x\n", "- x\n- y\n", "- rule: R\n- a: [\n"):
        found = result(text)
        assert (len(found.errors), found.successful, found.compiled) == (1, False, False)
    assert result(RULE).compiled


def test_a_tag_that_is_there_already_changes_nothing() -> None:
    text = f"{RULE}  tags: [a]\n- rule: R\n  tags: [{{}}]\n  override: {{{{tags: append}}}}\n"
    changes = [load([RulesFile("f", text.format(tag))]).collector.changes[-1] for tag in ("a", "b")]
    assert [(one.keys, one.effect) for one in changes] == [((), False), (("tags",), True)]


def test_a_key_without_a_name_is_unknown_by_the_word_null() -> None:
    assert [one.message for one in result(f"{RULE}  ~: x\n").warnings] == [
        "Unknown key 'null'. The key will be ignored.",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (RULE, "ok"),
        (RULE.replace("INFO", "[INFO]"), "[0][priority]: Value type not permitted by 'type' constraint."),
        (RULE.replace("INFO", "Info"), "[0][priority]: Failed to match against any enum values."),
        (f"{RULE}  exceptions: x\n", "[0][exceptions]: Value type not permitted by 'type' constraint."),
        (f"{RULE}  exceptions: [x]\n", "[0][exceptions][0]: Value type not permitted by 'type' constraint."),
        (f"{RULE}  exceptions: [{{name: [e]}}]\n", "[0][exceptions][0][name]: Value type not permitted by 'type'"),
        (f"{RULE}  exceptions: [{{name: e, name: f}}]\n", "[0][exceptions][0]: Object contains a property that could"),
        (
            f"{RULE}  exceptions: [{{name: e, colour: x}}]\n",
            "[0][exceptions][0]: Object contains a property that could not be validated using 'properties' or "
            "'additionalProperties' constraints: 'colour'.",
        ),
        (f"{RULE}  exceptions: [{{fields: [a]}}]\n", "[0][exceptions][0]: Missing required property 'name'."),
        (changed("override: {}"), "[1][override]: Object should have no fewer than 1 properties."),
        (changed("override: x"), "[1][override]: Value type not permitted by 'type' constraint."),
        (changed("override: {tags: [append]}"), "[1][override][tags]: Value type not permitted by 'type' constraint."),
        (changed("override: {colour: append}"), "[1][override]: Object contains a property that could not be"),
        ("- x\n", "[0]: Value type not permitted by 'type' constraint."),
        ("a: b\n", ": Value type not permitted by 'type' constraint."),
    ],
)
def test_what_the_schema_says(text: str, message: str) -> None:
    (said,) = result(text).schema_warnings
    assert said.startswith(message if message == "ok" else f"failed for <root>{message}")


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("- ? [a]\n  : b\n", 1, 5),
        ("- rule: R\n  exceptions: [x, {name: e, ? {a: b} : c}]\n", 2, 31),
        ("- rule: R\n  override: {? [a] : b}\n", 2, 16),
        ("- required_plugin_versions: [{alternatives: [x, {? [a] : b}]}]\n", 1, 52),
    ],
)
def test_a_key_that_is_no_text_makes_the_file_no_yaml(text: str, line: int, column: int) -> None:
    (error,) = result(text).errors
    assert error.code == "LOAD_ERR_YAML_PARSE"
    assert error.message == f"yaml-cpp: error at line {line}, column {column}: bad conversion"


def test_a_key_that_is_no_text_where_the_schema_describes_none_is_another_fault() -> None:
    (error,) = result("- list: l\n  items: {? [a] : b}\n").errors
    assert error.message == "Value is not a sequence"


def test_the_schema_counts_by_the_first_document() -> None:
    wrong = RULE.replace("INFO", "Info")
    assert result(f"{RULE}---\n{RULE}").schema_valid
    assert result(f"{RULE}---\n{wrong}").schema_valid
    assert not result(f"{wrong}---\n{RULE}").schema_valid


def test_keys_that_stand_twice_are_remembered_and_no_others() -> None:
    found = load([RulesFile("f", f"{RULE}  desc: again\n- macro: m\n  condition: evt.num = 1\n- a: 1\n  a: 2\n")])
    told = [(context.item, key, mark.line) for context, key, mark in found.collector.duplicates]
    assert told == [(("rule", "R"), "desc", 5), (("rules content item", ""), "a", 9)]


def test_a_condition_that_lists_make_too_long_is_refused() -> None:
    names = ", ".join(["l"] * 9)
    text = f"- list: l\n  items: [{'x' * 1024 * 1024}]\n" + RULE.replace("evt.type = open", f"proc.name in ({names})")
    (error,) = result(text).errors
    assert error.message == "the condition grows beyond 8388608 characters"


@pytest.mark.parametrize("values", ["(none, b)", "(b, none)", "( none ,b)", "(some)", "(b,none )"])
def test_of_an_empty_list_the_comma_goes_too(values: str) -> None:
    lists = "- list: none\n  items: []\n- list: some\n  items: ['', '', b]\n"
    loaded = load([RulesFile("f", lists + RULE.replace("evt.type = open", f"proc.name in {values}"))])
    assert "".join(loaded.compiler.rules["R"].condition.split()) == "proc.namein(b)"
