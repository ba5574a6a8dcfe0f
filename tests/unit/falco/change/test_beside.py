"""Rulesets with what is rolled out: in place of files of the same name, without changes of what is not there."""

from __future__ import annotations

from ansible_collections.falconet.k8s.plugins.module_utils.falco.change.beside import beside
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.ruleset import RulesFile, load

RULE = "- rule: {name}\n  desc: d\n  condition: evt.type = open\n  output: o\n  priority: INFO\n"
BASE = RulesFile("base/falco_rules.yaml", RULE.format(name="Base"))
OWN = RulesFile("../rules/own.yaml", RULE.format(name="Own"))


def switched(name: str) -> str:
    return f"- rule: {name}\n  enabled: false\n  override: {{enabled: replace}}\n"


def test_files_of_one_name_are_loaded_once_by_their_path_and_behind_the_others() -> None:
    found = beside([OWN, BASE], {"more.yaml": RULE.format(name="More"), "own.yaml": OWN.text})
    assert [file.name for file in found] == ["base/falco_rules.yaml", "more.yaml", "../rules/own.yaml"]
    assert found[2] == OWN


def test_nothing_is_changed_without_contents() -> None:
    assert beside([OWN, BASE], {}) == (OWN, BASE)


def test_changes_of_what_is_not_there_are_left_out() -> None:
    old = "- rule: Nobody's\n  enabled: false\n- list: none\n  items: [a]\n  append: true\n"
    (_own, generated) = beside([OWN], {"zz.yaml": switched("Base") + switched("Own") + old})
    loaded = load([OWN, generated])
    assert loaded.successful, loaded.results[-1].errors[0].text
    assert not loaded.collector.rules["Own"].enabled
    assert (list(loaded.collector.rules), loaded.collector.lists) == (["Own"], {})


def test_what_is_no_rule_macro_or_list_stays_where_something_else_is_left_out() -> None:
    (_own, generated) = beside([OWN], {"zz.yaml": "- required_engine_version: 0.40.0\n" + switched("Gone")})
    assert generated == RulesFile("zz.yaml", "- required_engine_version: 0.40.0\n")


def test_what_is_no_change_stays_and_what_is_broken_is_left_to_falco() -> None:
    kept = "- rule: [a]\n  enabled: false\n- list: one\n  items: [a]\n  append: [true]\n"
    kept += "- list: two\n  items: [a]\n  append: false\n"
    (_own, generated) = beside([OWN], {"zz.yaml": kept + switched("Gone")})
    assert generated.text == kept


def test_a_text_that_fits_or_is_broken_stays_as_it_is() -> None:
    text = "# why\n" + switched("Own")
    assert beside([OWN], {"zz.yaml": text, "zzz.yaml": "- [a\n"})[1:] == (
        RulesFile("zz.yaml", text),
        RulesFile("zzz.yaml", "- [a\n"),
    )


def test_a_file_that_adds_to_what_is_rolled_out_is_loaded_behind_it() -> None:
    files = [
        RulesFile("a/macros.yaml", "- macro: m\n"),
        RulesFile("b/rules.yaml", "- list: l\n"),
        RulesFile("site.yaml", MORE),
    ]
    found = beside(files, {"rules.yaml": "- list: l\n  items: [x]\n", "zz.yaml": "- list: n\n  items: []\n"})
    assert [file.name for file in found] == ["a/macros.yaml", "b/rules.yaml", "zz.yaml", "site.yaml"]
    assert found[-1].text == MORE


MORE = "- list: l\n  items: [y]\n  override: {items: append}\n"
