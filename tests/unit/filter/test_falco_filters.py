"""The filters falco_scope and falco_merge, with the examples of their documentation."""

from __future__ import annotations

from pathlib import Path

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
    assert "k8s.ns.name in (x)" in falco_scope(data, namespaces=["x"])["content"]


@pytest.mark.parametrize("data", [5, [5], {"a": None}, "- rule: x\n"])
def test_bad_input_is_an_ansible_error(data: object) -> None:
    with pytest.raises(AnsibleFilterError, match="falco_scope: "):
        falco_scope(data, namespaces=["x"])
    with pytest.raises(AnsibleFilterError, match="falco_merge: "):
        falco_merge(data)
