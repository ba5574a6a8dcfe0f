"""The page of a ruleset: what it says and from where, that what others typed is only text, the same bytes again."""

from __future__ import annotations

import base64
import hashlib
import re
import xml.etree.ElementTree as ET
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.common.finding import Finding
from ansible_collections.falconet.k8s.plugins.module_utils.falco.describe.info import describe
from ansible_collections.falconet.k8s.plugins.module_utils.falco.describe.page import page, text
from ansible_collections.falconet.k8s.plugins.module_utils.falco.judge.validate import judge
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.ruleset import Loader, RulesFile
from hypothesis import given, settings
from hypothesis import strategies as st

ROOT = Path(__file__).resolve().parents[4]
BASE = """\
- list: shells
  items: [bash, sh]
- macro: started
  condition: evt.type = execve
- macro: shell_started
  condition: started and not proc.name in (shells)
- rule: Shell
  desc: A shell was started
  condition: (shell_started or proc.tty != 0) and container.id != host
  output: Shell (command=%proc.cmdline)
  priority: NOTICE
  tags: [mitre_execution, T1059.004]
  exceptions:
    - {name: backup, fields: [proc.pname, user.name], comps: [in, "="], values: [[[cron, at], root]]}
"""
CHANGE = """\
- rule: Shell
  condition: and proc.pname != cron
  override: {condition: append}
"""
VOID = ("meta", "input")


class Reader(HTMLParser):
    """Elements in order, as (tag, attributes), and their text; refuses what is not closed where it was opened."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def drawn(*texts: str, title: str = "") -> str:
    loaded = Loader().load([RulesFile(f"{number}.yaml", one) for number, one in enumerate(texts, 1)])
    assert loaded.successful, [issue.text for result in loaded.results for issue in result.errors]
    return page(describe(loaded), loaded, judge(loaded), title)


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    reader.close()
    assert reader.open == []
    return reader


def said(html: str) -> str:
    return " ".join(unescape(re.sub(r"<(style|script)>.*?</\1>|<[^>]*>", " ", html, flags=re.S)).split())


def test_a_rule_says_what_it_resolves_to_and_where_each_part_was_written() -> None:
    html = drawn(BASE, CHANGE, title="Ours")
    shown = said(html)
    assert "1 rules, 0 of them not enabled · 1 exceptions · 2 macros · 1 lists" in shown
    assert "shell_started 1.yaml:9:15" in shown
    assert "proc.tty != 0 1.yaml:9:32" in shown
    assert "proc.pname != cron 2.yaml:2:18" in shown  # of the append, not of the rule
    assert "proc.pname in (cron, at) ← exception backup" in shown
    assert "proc.name in (bash, sh) ← list shells 1.yaml:6:30" in shown  # at the macro
    assert "backup proc.pname in, user.name = ((cron, at), root)" in shown
    assert "Used by shell_started" in shown
    assert "Event types execve" not in shown  # an or without an event type sees more than a hundred
    assert "Written in 1.yaml:7" in shown
    assert "<h1>Ours</h1>" in html
    assert 'href="https://attack.mitre.org/techniques/T1059/004"' in html


def test_what_the_documentation_shows_of_a_page_is_on_it() -> None:
    shown = re.search(r"```text\n(Its parts .*?)```", (ROOT / "docs" / "rules.md").read_text(), re.S)
    assert shown
    rules = sorted((ROOT / "inventory" / "files" / "rules").glob("*.yaml"))
    loaded = Loader().load([RulesFile(str(file.relative_to(ROOT)), file.read_text()) for file in rules])
    assert " ".join(shown.group(1).split()) in said(page(describe(loaded), loaded))


def test_what_is_off_or_unused_says_so_and_nothing_else_does() -> None:
    spare = "- macro: spare\n  condition: evt.type = open\n- list: alone\n  items: [a]\n"
    off = "- rule: Shell\n  enabled: false\n  override: {enabled: replace}\n"
    shown = drawn(BASE)
    assert "not enabled<" not in shown
    assert ">unused<" not in shown
    html = drawn(BASE, spare, off)
    assert re.findall(r"<b[^>]*>(\w+)</b>(?:<span[^>]*>[^<]*</span>)*<span[^>]*>(unused|not enabled)<", html) == [
        ("Shell", "not enabled"),
        ("spare", "unused"),
        ("alone", "unused"),
    ]


def test_event_types_are_those_of_a_rule_all_of_another_source_and_none_where_they_are_too_many() -> None:
    opened = BASE.replace("(shell_started or proc.tty != 0)", "shell_started")
    assert "Event types execve Fields" in said(drawn(opened))
    assert "Event types" not in said(drawn(BASE))
    audit = "- rule: A\n  desc: d\n  condition: ka.verb = get\n  output: o\n  priority: INFO\n  source: k8s_audit\n"
    assert "Event types all" in said(drawn(audit))


def test_links_lead_to_entries() -> None:
    elements = read(drawn(BASE, CHANGE)).elements
    anchors = {attributes["id"] for _tag, attributes in elements if "id" in attributes}
    links = {str(attributes["href"]) for tag, attributes in elements if tag == "a"}
    assert {link[1:] for link in links if link.startswith("#")} <= anchors
    assert {"#macro-1", "#macro-2", "#list-1", "#rule-1"} <= links


def test_findings_are_told_at_the_rule_and_at_the_top() -> None:
    shown = said(drawn(BASE.replace("container.id != host", "proc.name = x and proc.name = y")))
    assert shown.count("FN001") == 2
    bare, hinted = (Finding("C", "error", "a.yaml", 3, 7, "", "is wrong", hint) for hint in ("", "do this"))
    loaded = Loader().load([RulesFile("1.yaml", BASE)])
    assert "a.yaml:3:7: C: is wrong a.yaml:3:7: C: is wrong (do this) Rules" in said(
        page(describe(loaded), loaded, (bare, hinted))
    )
    assert "Findings 1.yaml:" in shown


def test_a_rule_shows_its_worst_finding_before_it_is_opened() -> None:
    html = drawn(BASE.replace("container.id != host", "proc.name = x and proc.name = y").replace("T1059.004", "x"))
    assert re.search(r'<span class="badge warning">\d findings</span>', html)


def test_nothing_is_loaded_from_elsewhere_and_only_its_own_script_runs() -> None:
    html = drawn(BASE)
    elements = read(html).elements
    assert [attributes for _tag, attributes in elements if "src" in attributes] == []
    assert [tag for tag, _attributes in elements if tag in ("link", "img", "iframe", "object", "form", "base")] == []
    (policy,) = [str(attributes["content"]) for tag, attributes in elements if "http-equiv" in attributes]
    assert policy.startswith("default-src 'none';")
    for tag in ("style", "script"):
        (inner,) = re.findall(f"<{tag}>(.*?)</{tag}>", html, re.S)
        assert f"{tag}-src 'sha256-{base64.b64encode(hashlib.sha256(inner.encode()).digest()).decode()}'" in policy
    assert not [name for _tag, attributes in elements for name in attributes if name.startswith(("on", "style"))]


def test_it_is_light_and_dark_and_the_same_again() -> None:
    html = drawn(BASE, CHANGE)
    assert "color-scheme: light dark" in html
    assert "prefers-color-scheme: dark" in html
    assert drawn(BASE, CHANGE) == html


HOSTILE = "</pre></details><script>alert(1)</script><img src=x onerror=alert(1)>\"'&\u202e]]>"


@pytest.mark.parametrize("where", ["desc", "output", "name", "file", "tag", "title"])
def test_what_others_typed_is_text(where: str) -> None:
    import json

    rule = {"rule": "R", "desc": "d", "condition": "evt.type = open", "output": "o", "priority": "INFO", "tags": ["t"]}
    key = {"name": "rule"}.get(where, where)
    rule |= {"tags": [HOSTILE]} if where == "tag" else {key: HOSTILE} if key in rule else {}
    loaded = Loader().load([RulesFile(HOSTILE if where == "file" else "r.yaml", json.dumps([rule]))])
    html = page(describe(loaded), loaded, judge(loaded), HOSTILE if where == "title" else "")
    elements = read(html).elements
    assert [tag for tag, _attributes in elements].count("script") == 1
    assert "img" not in [tag for tag, _attributes in elements]
    assert "alert(1)" in said(html)
    assert "\u202e" not in html


@given(st.text(st.characters(codec=None, exclude_categories=())))
@settings(max_examples=200, deadline=None)
def test_any_text_stands_in_an_element_and_in_an_attribute(value: str) -> None:
    element = ET.fromstring(f'<a b="{text(value)}">{text(value)}</a>')
    assert len(element) == 0
    assert element.text is None or "<" not in value or "<" in element.text


def test_one_item_is_one() -> None:
    loaded = Loader().load([RulesFile("a.yaml", "- list: one\n  items: [bash]\n- list: two\n  items: [sh, ash]\n")])
    shown = page(describe(loaded), loaded)
    assert ">1 item<" in shown
    assert ">2 items<" in shown


def test_what_the_rules_ask_of_falco_is_told_at_the_top() -> None:
    asked = """\
- required_engine_version: 0.31.0
- required_plugin_versions:
  - {name: json, version: 0.7.0, alternatives: [{name: okta, version: 0.1.0}]}
"""
    assert "asks for engine 0.31.0 · asks for json 0.7.0 or okta 0.1.0" in said(drawn(asked + BASE))


def test_a_condition_that_macros_multiply_is_told_to_be_too_long() -> None:
    macros = ["- macro: m0\n  condition: evt.type = open and (proc.name = a or proc.name = b)\n"]
    macros += [f"- macro: m{n}\n  condition: m{n - 1} or (m{n - 1} and fd.num = {n})\n" for n in range(1, 14)]
    rule = "- rule: R\n  desc: d\n  condition: m13\n  output: o\n  priority: INFO\n"
    assert "Resolved too long to be written out" in said(drawn("".join([*macros, rule])))
