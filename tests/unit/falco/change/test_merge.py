"""Several rules files as one that means the same, and the names that they fought over."""

from __future__ import annotations

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco.change import merge as module
from ansible_collections.falconet.k8s.plugins.module_utils.falco.change.merge import Conflict, merge
from ansible_collections.falconet.k8s.plugins.module_utils.falco.errors import FalcoError
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.ruleset import RulesFile, load

BASE = """- list: shells
  items: [bash, sh]
- macro: started
  condition: evt.type = execve
- rule: Shell
  desc: a shell
  condition: started and proc.name in (shells)
  output: shell %proc.name
  priority: NOTICE
  exceptions:
    - name: known
      fields: [proc.pname]
      values: [[cron]]
"""
FURTHER = """- list: shells
  items: [zsh]
  override: {items: append}
- macro: started
  condition: evt.type = execve
- rule: Shell
  enabled: false
  override: {enabled: replace}
- list: shells
  items: [fish]
"""


def test_the_file_means_what_its_parts_did_and_tells_what_was_defined_twice() -> None:
    files = [RulesFile("base.yaml", BASE), RulesFile("further.yaml", FURTHER)]
    merged = merge(files)
    once, before = load([RulesFile("merged.yaml", merged.content)]).collector, load(files).collector
    assert once.rules["Shell"].condition == before.rules["Shell"].condition
    assert (once.rules["Shell"].enabled, once.lists["shells"].items) == (False, before.lists["shells"].items)
    assert merged.conflicts == (
        Conflict("list", "shells", ("base.yaml", "further.yaml"), False),
        Conflict("macro", "started", ("base.yaml", "further.yaml"), True),
    )


def test_a_file_alone_has_no_conflict() -> None:
    assert merge([RulesFile("base.yaml", BASE)]).conflicts == ()


def test_what_does_not_load_after_the_rest_is_refused() -> None:
    with pytest.raises(FalcoError, match=r"further\.yaml"):
        merge([RulesFile("base.yaml", BASE), RulesFile("further.yaml", "- rule: R\n  condition: evt.type = open\n")])


@pytest.mark.parametrize("written", ["- rule: [\n", BASE.replace("[[cron]]", "[[at]]")])
def test_a_file_that_comes_out_as_another_ruleset_is_not_written(written: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "emit_items", lambda _items: written)
    with pytest.raises(FalcoError, match="does not come out as the same ruleset; it is not written"):
        merge([RulesFile("base.yaml", BASE)])


def test_what_contains_itself_is_not_written() -> None:
    files = [RulesFile("a.yaml", "- list: a\n  items: [b]\n  note: &a {<<: *a}\n")]
    with pytest.raises(FalcoError, match="line 3, column 9: what is anchored here contains itself"):
        merge(files)
