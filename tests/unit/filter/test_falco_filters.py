"""The filters falco_scope and falco_merge, with the examples of their documentation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.errors import AnsibleFilterError
from ansible_collections.falconet.k8s.plugins.filter.falco_scope import FilterModule, falco_merge, falco_scope
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.ruleset import RulesFile, load

FILTERS = Path(__file__).resolve().parents[3] / "plugins" / "filter"
RULE = "- rule: R\n  desc: d\n  condition: evt.type = open\n  output: o\n  priority: NOTICE\n"


def example(name: str) -> object:
    documented = yaml.safe_load((FILTERS / f"{name}.yml").read_text())
    return yaml.safe_load(documented["EXAMPLES"])[0]["vars"]["rules"]


def test_the_documented_names_are_the_filters() -> None:
    assert set(FilterModule().filters()) == {"falco_scope", "falco_merge"}


def test_the_scope_example() -> None:
    rules = example("falco_scope")
    result = falco_scope(rules, namespaces=["prod"])
    assert result["decisions"][0]["action"] == "append"
    assert load([RulesFile("a", str(rules)), RulesFile("b", result["content"])]).successful


def test_the_merge_example() -> None:
    assert load([RulesFile("a", falco_merge(example("falco_merge"))["content"])]).collector.lists["shells"].items == [
        "bash",
        "zsh",
    ]


@pytest.mark.parametrize("data", [RULE, {"a.yaml": RULE}, [RULE], [{"name": "a", "content": RULE}]])
def test_every_shape_of_input(data: object) -> None:
    assert 'k8s.ns.name in ("x")' in falco_scope(data, namespaces=["x"])["content"]


@pytest.mark.parametrize("data", [5, [5], {"a": None}, "- rule: x\n"])
def test_bad_input_is_an_ansible_error(data: object) -> None:
    with pytest.raises(AnsibleFilterError, match="falco_scope: "):
        falco_scope(data, namespaces=["x"])
    with pytest.raises(AnsibleFilterError, match="falco_merge: "):
        falco_merge(data)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"namespaces": "prod"}, r"namespaces is a list of texts; write a single one as \['prod'\]"),
        ({"namespaces": [1]}, "1 in it is int, put it in quotes"),
        ({"namespaces": {"a": 1}}, "namespaces is a list of texts, not dict"),
        ({"namespaces": None}, "namespaces is a list of texts, not NoneType"),
        ({"containers": "web"}, "containers is a list"),
        ({"namespaces": ["a"], "rules": "R"}, "rules is a list"),
        ({"namespaces": ["a"], "tags": "t"}, "tags is a list"),
        ({"labels": ["app"]}, "labels maps names to values"),
        ({"labels": {"app": True}}, "labels maps texts to texts; put 'app: True' in quotes"),
        ({"namespaces": ["a"], "falco_version": 0.44}, "falco_version is a text"),
    ],
)
def test_arguments_of_another_type_are_refused(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(AnsibleFilterError, match=message):
        falco_scope(RULE, **arguments)  # type: ignore[arg-type]  # the mistake itself


def test_a_version_as_a_number_is_refused_by_merge_too() -> None:
    with pytest.raises(AnsibleFilterError, match="falco_merge: falco_version is a text"):
        falco_merge(RULE, falco_version=0.44)  # type: ignore[arg-type]  # the mistake itself


def test_a_rule_that_is_silenced_says_so() -> None:
    host = RULE.replace("evt.type = open", "evt.type = open and container.id = host")
    assert "host" in falco_scope(host, namespaces=["x"])["decisions"][0]["silenced"]


def test_a_version_that_is_newer_than_all_known_is_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr("ansible.utils.display.Display.warning", lambda _self, text: told.append(text))
    falco_scope(RULE, namespaces=["x"])
    assert told == []
    falco_scope(RULE, namespaces=["x"], falco_version="0.99")
    falco_merge(RULE, falco_version="0.99")
    assert [text.partition(",")[0] for text in told] == ["Falco 0.99 is newer than every catalogue here"] * 2


def test_rules_of_a_further_plugin_are_scoped_and_merged_beside_others() -> None:
    cloud = (
        "- rule: Cloud\n  desc: d\n  condition: ct.name = x\n  output: o\n  priority: INFO\n  source: aws_cloudtrail\n"
    )
    needs = "- required_plugin_versions:\n    - name: cloudtrail\n      version: 0.11.0\n"
    scoped = falco_scope({"a.yaml": RULE, "b.yaml": needs + cloud}, namespaces=["x"])
    assert [(one["rule"], one["action"]) for one in scoped["decisions"]] == [("R", "append"), ("Cloud", "skip")]
    assert "cannot be restricted like this for source aws_cloudtrail" in scoped["decisions"][1]["reason"]
    assert "ct.name = x" in falco_merge([RULE, needs + cloud])["content"]


VALUES = "customRules:\n  a.yaml: |\n" + "".join(f"    {line}\n" for line in RULE.splitlines())


def test_rules_within_other_files_are_taken() -> None:
    content = falco_scope({"values.yaml": VALUES}, namespaces=["x"])["content"]
    assert load([RulesFile("a", RULE), RulesFile("b", content)]).successful
    merged = falco_merge({"values.yaml": VALUES, "b.yaml": RULE})
    assert merged["conflicts"] == [
        {"kind": "rule", "name": "R", "files": ["values.yaml#customRules.a.yaml", "b.yaml"], "same": True}
    ]
    wrong = {"values.yaml": VALUES.replace("evt.type", "evt.typo")}
    with pytest.raises(AnsibleFilterError, match=r"values\.yaml:5:18: rule 'R': LOAD_ERR_COMPILE_CONDITION"):
        falco_scope(wrong, namespaces=["x"])
    with pytest.raises(AnsibleFilterError, match=r"values\.yaml:5:18: rule 'R': LOAD_ERR_COMPILE_CONDITION"):
        falco_merge(wrong)


BELL = (
    RULE
    + """- required_plugin_versions: [{name: doorbell, version: 0.2.0}]
- rule: Visit
  desc: d
  condition: bell.rings > 3
  output: o
  priority: NOTICE
  source: doorbell
"""
)
FIELDS = """-------------------------------
Field Class:                  evt (for all event types)
Event Sources:                syscall

evt.type                      (Type: CHARBUF) The type

-------------------------------
Field Class:                  doorbell (plugin)
Event Sources:                doorbell

bell.rings                    (Type: UINT64) How often
"""
DESCRIBED = [{"name": "doorbell", "source": "doorbell", "fields": [{"name": "bell.rings", "type": "uint64"}]}]


def test_an_unknown_plugin_blocks_neither_filter(capsys: pytest.CaptureFixture[str]) -> None:
    decisions = falco_scope(BELL, namespaces=["x"])["decisions"]
    assert [(one["rule"], one["action"]) for one in decisions] == [("R", "append"), ("Visit", "skip")]
    assert "bell.rings > 3" in falco_merge(BELL)["content"]
    assert "nothing is known of plugin 'doorbell'" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(
    "known",
    [
        {"plugin_descriptions": DESCRIBED},
        {"falco_output": {"fields": FIELDS, "plugins": "1 Plugins Loaded:\n\nName: doorbell\nVersion: 0.3.0\n"
                          "Capabilities:\n  - Event Sourcing (ID=1, source='doorbell')\n  - Field Extraction\n"}},
    ],
)  # fmt: skip
def test_a_plugin_that_is_described_or_printed_is_judged(known: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert falco_merge(BELL, **known)["content"]
    assert "nothing is known" not in capsys.readouterr().err
    for broken in (BELL.replace("bell.rings", "bell.rigns"), BELL.replace("> 3", "> many")):
        with pytest.raises(AnsibleFilterError, match=r"rules.yaml:\d+:\d+: rule 'Visit': LOAD_ERR"):
            falco_merge(broken, **known)


@pytest.mark.parametrize(
    ("known", "words"),
    [
        ({"plugin_descriptions": "doorbell"}, "plugin descriptions are a list of mappings"),
        ({"plugin_descriptions": [{"source": "doorbell"}]}, "lacks the key 'name'"),
        ({"falco_output": {"field": FIELDS}}, "falco_output maps some of version, fields, events, plugins"),
        ({"falco_output": {"plugins": "none"}}, "falco --list-plugins"),
    ],
)
def test_what_describes_nothing_is_an_ansible_error(known: Any, words: str) -> None:
    with pytest.raises(AnsibleFilterError, match=words):
        falco_merge(BELL, **known)
