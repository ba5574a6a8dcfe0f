"""Rulesets scoped, merged and told as Falco tells them."""

from __future__ import annotations

import json

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco.catalogue.catalogue import (
    catalogue_with,
    plugin_from_mapping,
)
from ansible_collections.falconet.k8s.plugins.module_utils.falco.change.merge import merge
from ansible_collections.falconet.k8s.plugins.module_utils.falco.change.scope import Target, scope
from ansible_collections.falconet.k8s.plugins.module_utils.falco.errors import FalcoError
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.ruleset import Loaded, Loader, RulesFile, load

BASE = """- list: shells
  items: [bash, sh]
- macro: shell_started
  condition: evt.type = execve and proc.name in (shells)
- rule: Shell
  desc: a shell
  condition: shell_started and container.id != host
  output: shell %proc.cmdline
  priority: WARNING
  tags: [mitre_execution, T1059]
- rule: Either
  desc: either
  condition: evt.type = open or evt.type = openat
  output: opened %fd.name
  priority: NOTICE
"""


def loaded(*texts: str) -> Loaded:
    return load([RulesFile(f"{number}.yaml", text) for number, text in enumerate(texts)])


def test_scope_appends_where_that_is_safe_and_replaces_where_not() -> None:
    scoped = scope([RulesFile("base.yaml", BASE)], Target(namespaces=("prod", "web")))
    assert [(one.rule, one.action) for one in scoped.decisions] == [("Shell", "append"), ("Either", "replace")]
    after = loaded(BASE, scoped.content)
    restriction = 'k8s.ns.name in ("prod", "web")'
    assert after.collector.rules["Either"].condition == f"(evt.type = open or evt.type = openat) and {restriction}"
    assert after.collector.rules["Shell"].condition == f"shell_started and container.id != host and {restriction}"


def test_scope_by_labels_and_containers() -> None:
    target = Target(labels={"app.kubernetes.io/name": "x"}, containers=("web-*", "db"), label_field="k8smeta.pod.label")
    scoped = scope([RulesFile("base.yaml", BASE)], target, rules=["Sh*"])
    condition = loaded(BASE, scoped.content).collector.rules["Shell"].condition
    assert 'k8smeta.pod.label[app.kubernetes.io/name] = "x"' in condition
    assert '(container.name glob "web-*" or container.name glob "db")' in condition
    assert "Either" not in scoped.content


def test_scope_uses_what_an_audit_event_has() -> None:
    audit = "- rule: A\n  desc: d\n  condition: ka.verb = get\n  output: o\n  priority: INFO\n  source: k8s_audit\n"
    assert 'ka.target.namespace in ("prod")' in scope([RulesFile("a", audit)], Target(namespaces=("prod",))).content
    skipped = scope([RulesFile("a", audit)], Target(labels={"a": "b"}))
    assert (skipped.content, skipped.decisions[0].action) == ("", "skip")


@pytest.mark.parametrize(
    ("text", "target", "rules", "message"),
    [
        (BASE, Target(), [], "give namespaces"),
        (BASE, Target(namespaces=("a",)), ["Shel"], "did you mean 'Shell'"),
        (BASE, Target(namespaces=("a",), namespace_field="x.y"), [], "namespace_field is one of"),
        ("- rule: x\n", Target(namespaces=("a",)), [], "does not load"),
    ],
)
def test_scope_refuses(text: str, target: Target, rules: list[str], message: str) -> None:
    with pytest.raises(FalcoError, match=message):
        scope([RulesFile("f", text)], target, rules)


def test_merging_keeps_the_meaning_and_names_conflicts() -> None:
    append = "- rule: Shell\n  condition: and fd.num > 0\n  override:\n    condition: append\n"
    local = f"- list: shells\n  items: [zsh]\n{append}"
    merged = merge([RulesFile("base.yaml", BASE), RulesFile("local.yaml", local)])
    assert loaded(merged.content).collector.rules["Shell"].condition.endswith("and fd.num > 0")
    assert [(one.name, one.files, one.same) for one in merged.conflicts] == [
        ("shells", ("base.yaml", "local.yaml"), False)
    ]


def test_merging_refuses_what_does_not_load() -> None:
    with pytest.raises(FalcoError, match="does not load"):
        merge([RulesFile("a", "- rule: x\n")])


def test_another_plugin_brings_its_fields_and_source() -> None:
    okta = plugin_from_mapping(
        {"name": "okta", "source": "okta", "extracts": ["okta"], "fields": [{"name": "okta.actor.name"}]}
    )
    rule = "- rule: O\n  desc: d\n  condition: okta.actor.name = x\n  output: o\n  priority: INFO\n  source: okta\n"
    result = Loader(catalogue_with("0.44", None, [okta])).load([RulesFile("f", rule)]).results[0]
    assert (result.errors, result.warnings) == ([], [])
    assert [one.code for one in load([RulesFile("f", rule)]).results[0].warnings] == ["LOAD_UNKNOWN_SOURCE"]


def test_the_json_shape_is_falcos() -> None:
    entry = loaded("- list: l\n  items: [a]\n").to_json()[0]
    assert json.loads(json.dumps(entry)) == entry
    assert sorted(entry) == ["errors", "name", "schema_valid", "schema_warnings", "successful", "warnings"]
    warning = entry["warnings"][0]
    assert sorted(warning) == ["code", "codedesc", "context", "message"]
    assert warning["context"]["locations"][1] == {
        "item_type": "list",
        "item_name": "l",
        "position": {"name": "0.yaml", "line": 0, "column": 2, "offset": 2},
    }
    assert warning["context"]["snippet"] == "- list: l\n  ^\n"
