"""What entries do to what stands: defined, appended, replaced, switched, and whether that changes anything."""

from __future__ import annotations

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco.catalogue.catalogue import catalogue
from ansible_collections.falconet.k8s.plugins.module_utils.falco.catalogue.versions import NEWEST
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.collector import compatible, parse_version
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.items import Change
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.ruleset import Loaded, RulesFile, load

RULE = "- rule: R\n  desc: d\n  condition: evt.type = open\n  output: o\n  priority: INFO\n  tags: [a]\n"
EXCEPTED = f"{RULE}  exceptions:\n  - {{name: e, fields: [proc.name], values: [[a]]}}\n"
LIST = "- list: l\n  items: [a]\n"
MACRO = "- macro: m\n  condition: proc.name = x\n"


def loaded(*texts: str) -> Loaded:
    found = load([RulesFile(f"{number}", text) for number, text in enumerate(texts)])
    assert [issue.message for result in found.results for issue in result.errors] == []
    return found


def changes(text: str) -> list[Change]:
    return loaded(text).collector.changes


@pytest.mark.parametrize(
    ("text", "action", "keys", "effect"),
    [
        (LIST, "define", ("items",), True),
        (LIST + LIST, "redefine", ("items",), True),
        (MACRO, "define", ("condition",), True),
        (MACRO + MACRO, "redefine", ("condition",), True),
        (RULE, "define", (), True),
        (RULE + RULE, "redefine", (), True),
        (f"{LIST}- list: l\n  items: [b]\n  append: true\n", "append", ("items",), True),
        (f"{LIST}- list: l\n  items: []\n  append: true\n", "append", ("items",), False),
        (f"{MACRO}- macro: m\n  condition: and fd.name = y\n  append: true\n", "append", ("condition",), True),
        (f"{RULE}- rule: R\n  condition: and fd.name = y\n  append: true\n", "append", ("condition",), True),
        (f"{RULE}- rule: R\n  enabled: false\n", "enable", ("enabled",), True),
        (f"{RULE}- rule: R\n  enabled: true\n", "enable", ("enabled",), False),
        (f"{RULE}- rule: R\n  desc: d\n  override: {{desc: replace}}\n", "replace", ("desc",), False),
        (f"{RULE}- rule: R\n  desc: e\n  override: {{desc: replace}}\n", "replace", ("desc",), True),
        (f"{RULE}- rule: R\n  exceptions: []\n  override: {{exceptions: replace}}\n", "replace", ("exceptions",), True),
        (
            f"{EXCEPTED}- rule: R\n  exceptions: [{{name: e, values: [[b]]}}]\n  append: true\n",
            "append",
            ("exceptions",),
            True,
        ),
        (f"{EXCEPTED}- rule: R\n  exceptions: [{{name: e, values: []}}]\n  append: true\n", "append", (), False),
        (
            f"{RULE}- rule: R\n  exceptions: [{{name: f, fields: [fd.name], values: [[b]]}}]\n  append: true\n",
            "append",
            ("exceptions",),
            True,
        ),
    ],
)
def test_what_an_entry_did(text: str, action: str, keys: tuple[str, ...], effect: bool) -> None:
    last = changes(text)[-1]
    assert (last.action, last.keys, last.effect) == (action, keys, effect)


@pytest.mark.parametrize(
    "text",
    [
        f"{MACRO}- macro: m\n  condition: or fd.name = y\n  append: true\n",
        f"{RULE.replace('evt.type = open', 'proc.name = x')}- rule: R\n  condition: or fd.name = y\n  append: true\n",
    ],
)
def test_an_append_is_remembered_with_what_stood_before(text: str) -> None:
    first, last = changes(text)
    assert (first.before, first.added) == ("", "")
    assert (last.before, last.added) == ("proc.name = x", "or fd.name = y")
    (other,) = changes(f"{RULE}- rule: R\n  tags: [b]\n  override: {{tags: append}}\n")[1:]
    assert (other.before, other.added) == ("", "")


def test_what_is_replaced_was_written_where_it_is_replaced_alone() -> None:
    rule = loaded(
        RULE, "- rule: R\n  output: p\n  override: {output: replace}\n", "- rule: R\n  enabled: false\n"
    ).collector.rules["R"]
    assert [one.file for one in rule.written] == ["0"]
    assert [one.file for one in rule.written_output] == ["1"]
    rule = loaded(RULE, "- rule: R\n  condition: proc.name = x\n  override: {condition: replace}\n").collector.rules[
        "R"
    ]
    assert [one.file for one in rule.written] == ["1"]
    assert [one.file for one in rule.written_output] == ["0"]


def test_a_version_is_read_as_falco_reads_it() -> None:
    assert parse_version("-1. -2.-3") == (2**32 - 1, 2**32 - 2, 2**32 - 3)
    assert parse_version(" +1.+2.+3rc") == (1, 2, 3)
    assert parse_version("1.2") is None


def test_what_an_exception_compares_with_where_it_does_not_say() -> None:
    text = f"{RULE}  exceptions: [{{name: e, fields: [proc.name, fd.name]}}, {{name: f, fields: proc.name}}]\n"
    exceptions = loaded(text).collector.rules["R"].exceptions
    assert [one.comps.plain() for one in exceptions] == [["=", "="], "in"]


@pytest.mark.parametrize("falco", ["0.41", NEWEST])
def test_what_a_rule_is_where_nothing_else_is_said(falco: str) -> None:
    rule = load([RulesFile("f", RULE)], catalogue(falco)).collector.rules["R"]
    assert (rule.enabled, rule.warn_evttypes, rule.skip_if_unknown_filter) == (True, True, False)
    assert (rule.capture, rule.capture_duration, rule.unknown_source) == (False, 0, False)


@pytest.mark.parametrize(
    ("have", "want", "enough"),
    [
        ("0.9.0", "0.9.0", True),
        ("0.10.0", "0.9.9", True),
        ("0.9.0", "0.9.1", False),
        ("1.0.0", "0.9.0", False),
        ("0.9.0", "1.0.0", False),
        ("0.9.1-rc1", "0.9.1", True),
    ],
)
def test_a_version_is_enough_for_one_of_the_same_first_number_that_is_no_newer(
    have: str, want: str, enough: bool
) -> None:
    one, other = parse_version(have), parse_version(want)
    assert one is not None
    assert other is not None
    assert compatible(one, other) is enough
