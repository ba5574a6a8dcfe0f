"""Hints: each kind of mistake gets its advice by its reason, whatever words its message holds."""

from __future__ import annotations

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco.catalogue.catalogue import catalogue
from ansible_collections.falconet.k8s.plugins.module_utils.falco.errors import Reason
from ansible_collections.falconet.k8s.plugins.module_utils.falco.judge.advice import Advice, meant
from ansible_collections.falconet.k8s.plugins.module_utils.falco.judge.findings import findings_of
from ansible_collections.falconet.k8s.plugins.module_utils.falco.judge.hints import _HINTS
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.result import Issue
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.ruleset import Loader, RulesFile

RULE = "- rule: Open\n  desc: d\n  condition: {}\n  output: {}\n  priority: {}\n"
SOUND = RULE.format("evt.type = open", "o", "INFO")


def ruled(condition: str = "evt.type = open", output: str = "o", priority: str = "INFO", rest: str = "") -> str:
    return RULE.format(condition, output, priority) + rest


def override(key: str, action: str, value: str = "x") -> str:
    return f"- rule: Open\n  {key}: {value}\n  override:\n    {key}: {action}\n"


def requires(plugin: str, version: str) -> str:
    return f"- required_plugin_versions:\n    - name: {plugin}\n      version: {version}\n"


def excepted(fields: str, comps: str, values: str = "[]") -> str:
    entry = f"  exceptions:\n    - name: some\n      fields: {fields}\n      comps: {comps}\n      values: {values}\n"
    return ruled(rest=entry)


#: (reason, rules text, hint)
MISTAKES = [
    (Reason.UNKNOWN_FIELD, ruled("evt.type = open and proc.nmae = x"), "did you mean 'proc.name'?"),
    (Reason.UNKNOWN_FIELD, ruled("evt.type = open and proc.name[1] = x"), "'proc.name' takes no argument, or not this"),
    (Reason.UNKNOWN_FIELD, ruled(output="'%ka.verb'"), "'ka.verb' is no field: 'ka.verb' exists for source"),
    (Reason.UNKNOWN_FIELD, excepted("[proc.nmae]", "[in]"), "did you mean 'proc.name'?"),
    (Reason.UNKNOWN_EVENT_TYPE, ruled("evt.type = opne"), "did you mean 'open'?"),
    (Reason.UNKNOWN_PARAMETER, ruled("evt.type = open and evt.arg.nmae = x"), "did you mean 'name'?"),
    (Reason.UNDEFINED_MACRO, "- macro: opened\n  condition: evt.type = open\n" + ruled("opend"), "did you mean 'o"),
    (Reason.OPERATOR_OF_OTHER_TYPE, ruled("evt.type = open and fd.num contains 5"), "fd.num has type int64; it allows"),
    (Reason.NO_OPERATOR, ruled("evt.type = open and proc.name startwith x"), "did you mean 'startswith'?"),
    (Reason.NO_OPERATOR, ruled("evt.type = open and proc.name"), "the condition ends where an operator should be"),
    (Reason.TEXT_AFTER_END, ruled("evt.type = open evt.dir = <"), ""),
    (Reason.TOO_DEEP, ruled("(" * 300 + "evt.type = open" + ")" * 300), "use fewer nested parentheses, or macros"),
    (Reason.UNKNOWN_KEY, ruled(rest="  prioritty: x\n"), "did you mean 'priority'?"),
    (Reason.MISSING_KEY, "- rule: Open\n  desc: d\n  condition: evt.type = open\n  priority: INFO\n", "add 'output:'"),
    (Reason.MISSING_KEY, "- list: shells\n", "add 'items:'"),
    (Reason.MISSING_KEY, ruled(rest="  exceptions:\n    - name: some\n"), "add 'fields:'"),
    (Reason.UNKNOWN_SOURCE, ruled(rest="  source: syscal\n"), "did you mean 'syscall'?"),
    (Reason.UNKNOWN_SOURCE, ruled(rest="  source: elsewhere\n"), "known sources: syscall, "),
    (Reason.UNMET_VERSION, requires("k8saudit", "9.0.0"), "the plugin 'k8saudit' that is loaded has version 0."),
    (Reason.UNMET_VERSION, requires("contaner", "0.1.0"), "did you mean 'container'?"),
    (Reason.UNMET_VERSION, requires("doorbell", "0.1.0"), "the plugin 'doorbell' is not among those that"),
    (Reason.UNKNOWN_PRIORITY, ruled(priority="HIGH"), "the nearest to 'HIGH' is 'CRITICAL'; priorities: EMERGENCY, "),
    (Reason.UNKNOWN_COMPARISON, excepted("[proc.name]", "[startwith]"), "did you mean 'startswith'?"),
    (Reason.NOT_APPENDABLE, SOUND + override("enabled", "append", "true"), "append works for "),
    (Reason.NOT_REPLACEABLE, SOUND + override("source", "replace"), "replace works for "),
    (Reason.NO_SUCH_LIST, "- list: shells\n  items: [sh]\n  append: true\n", "load the file that defines the list"),
    (Reason.NO_SUCH_MACRO, "- macro: a\n  condition: or b\n  append: true\n", "load the file that defines the macro"),
    (Reason.NO_SUCH_RULE, SOUND + "- rule: Opne\n  condition: and x\n  append: true\n", "did you mean 'Open'?"),
    (Reason.NO_SUCH_RULE, "- rule: Open\n  enabled: false\n", "load the file that defines the rule before this one"),
    (Reason.NO_SEQUENCE, "- list: shells\n  items: sh\n", "a list stands in brackets, or"),
    (Reason.UNEQUAL_VALUES, excepted("[proc.name, fd.name]", "[in, in]", "[[[sh]]]"), "fields: 2 (proc.name, fd.name)"),
    (Reason.UNEQUAL_COMPARISONS, excepted("[proc.name, fd.name]", "[in]"), "fields: 2 (proc.name, fd.name), and"),
    (Reason.NO_VERSION, "- required_engine_version: x\n", "write three numbers with full stops between"),
    (Reason.UNMET_VERSION, "- required_engine_version: 99\n", "Falco 0.44 has engine 0.63.0: "),
    (Reason.NO_VALUE, ruled("evt.type = open and proc.name ="), ""),
    (Reason.UNKNOWN_ESCAPE, ruled("\"evt.type = open and proc.name = 'a\\\\d'\""), ""),
    (Reason.BAD_REGEX, ruled("evt.type = open and proc.name regex '(?i)a'"), "Falco's expressions have no '(?...)'"),
    (Reason.BAD_ADDRESS, ruled("evt.type = open and fd.sip = nowhere"), ""),
    (Reason.MISSING_ARGUMENT, ruled("evt.type = open and evt.arg[x] = a"), ""),
    (Reason.NO_LIST_OF_ENTRIES, "text", "a rules file is a list: each entry starts with "),
    (Reason.NO_LIST_OF_ENTRIES, "rule: Open", "a rules file is a list: each entry starts with "),
]  # fmt: skip

#: Mistakes of an older Falco: (version, reason, rules text, hint)
OLDER = [
    (
        "0.38",
        Reason.UNKNOWN_TRANSFORMER,
        ruled("evt.type = open and len(proc.name) > 3"),
        "the transformer 'len' came with Falco 0.40",
    ),
    (
        "0.41",
        Reason.TEXT_AFTER_END,
        ruled("evt.type = open and proc.name startswith oneof (a)"),
        "the modifier 'oneof' came with Falco",
    ),
    (
        "0.40",
        Reason.NO_VALUE,
        ruled("evt.type = open and proc.name contains (a, b)"),
        "this operator takes one value: write one comparison for each, joined by 'or'",
    ),
]


def loaded_with(text: str, version: str | None = None) -> tuple[list[Issue], list[str]]:
    loaded = Loader(catalogue(version) if version else None).load((RulesFile("rules.yaml", text),))
    result = loaded.results[0]
    return [*result.errors, *result.warnings], [one.hint for one in findings_of(loaded)]


@pytest.mark.parametrize(("reason", "text", "hint"), MISTAKES)
def test_each_mistake_has_its_reason_and_its_advice(reason: Reason, text: str, hint: str) -> None:
    issues, hints = loaded_with(text)
    assert issues[0].cause
    assert issues[0].cause.reason is reason
    assert hints[0].startswith(hint)


@pytest.mark.parametrize(("version", "reason", "text", "hint"), OLDER)
def test_what_an_older_falco_does_not_know_has_its_reason(version: str, reason: Reason, text: str, hint: str) -> None:
    issues, hints = loaded_with(text, version)
    assert issues[0].cause
    assert issues[0].cause.reason is reason
    assert hints[0].startswith(hint)


def test_every_reason_is_met_here_and_has_advice() -> None:
    assert {reason for reason, _text, _hint in MISTAKES} | {reason for _falco, reason, _text, _hint in OLDER} == set(
        Reason
    )
    assert set(_HINTS) == set(Reason)


@pytest.mark.parametrize(
    "text",
    [
        ruled("evt.type = 'nonexistent field fd.name'"),
        ruled("evt.type = \"Item has no mapping for key 'output'\""),
        ruled("evt.type = 'Invalid priority'"),
        ruled("evt.type = 'exceeded max depth limit'"),
        ruled("evt.type = \"Key 'x' cannot be replaced\""),
    ],
)
def test_words_in_a_value_are_not_taken_for_the_reason(text: str) -> None:
    assert loaded_with(text)[1] == [""]


def test_a_word_is_mended_only_where_one_name_is_nearest() -> None:
    assert meant("shel", ["shell", "bash"]) == Advice("did you mean 'shell'?", "shel", "shell")
    assert meant("shelx", ["shell", "shels"]).hint in ("did you mean 'shell'?", "did you mean 'shels'?")
    assert meant("shelx", ["shell", "shels"]).wrong == ""
    assert meant("zzz", ["shell"]) == Advice()
