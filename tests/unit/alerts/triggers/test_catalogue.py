"""The catalogue of triggers: each entry is safe, is tied to a rule that there is, and is described."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import yaml
from ansible_collections.falconet.k8s.plugins.module_utils.alerts.triggers.catalogue import (
    BY_NAME,
    CATALOGUE,
    FALCO,
    OURS,
    Entry,
)

from tools import trigger_table

ROOT = Path(__file__).parents[4]
#: Of our rules those that no shell and no busybox can raise, and those that are examples of one namespace.
WITHOUT = {"Program started from memory", "Terminal shell in production", "Read of etc shadow"}


def rules_of(folder: str) -> set[str]:
    files = [ROOT / folder] if folder.endswith(".yaml") else sorted((ROOT / folder).glob("*.yaml"))
    return {entry["rule"] for path in files for entry in yaml.safe_load(path.read_text()) if "rule" in entry}


def test_names_differ() -> None:
    assert len(BY_NAME) == len(CATALOGUE) > 25


def test_each_of_our_rules_has_a_trigger() -> None:
    assert {entry.rule for entry in CATALOGUE if entry.of == OURS} == rules_of("inventory/files/rules") - WITHOUT


def test_rules_of_falco_are_those_that_it_has() -> None:
    stand_in = rules_of("sandbox/standins/image/etc/falco/falco_rules.yaml")
    assert {entry.rule for entry in CATALOGUE if entry.of == FALCO} <= stand_in


def test_there_are_controls_that_must_raise_nothing() -> None:
    assert len([entry for entry in CATALOGUE if not entry.rule]) >= 5


def test_at_a_terminal_is_only_what_a_rule_for_terminals_must_see() -> None:
    at_terminals = {"terminal-shell", "file-shown-at-terminal", "falco-terminal-shell"}
    assert {entry.name for entry in CATALOGUE if entry.tty} == at_terminals


@pytest.mark.parametrize("entry", CATALOGUE, ids=lambda entry: entry.name)
def test_an_entry_is_named_and_described(entry: Entry) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", entry.name)
    assert entry.does.endswith(".")
    assert entry.command[0].startswith("/bin/")


@pytest.mark.parametrize("entry", CATALOGUE, ids=lambda entry: entry.name)
def test_what_an_entry_makes_it_removes(entry: Entry) -> None:
    script = entry.command[-1] if entry.command[1:2] == ("-c",) else shlex.join(entry.command)
    made = set(re.findall(r"(?:> |ln -s \S+ |ln \S+ |mkdir -p )(/\S*falconet\S*?)(?:;|$)", script))
    removed = set(re.findall(r"rm (?:-r )?(\S+?)(?:;|$)", script))
    assert {path for path in made if not any(path.startswith(gone) for gone in removed)} == set()


def test_the_documentation_lists_the_catalogue() -> None:
    assert trigger_table.main([]) == 0
    assert trigger_table.page(f"a\n{trigger_table.BEGIN}old{trigger_table.END}z").endswith(f"|\n\n{trigger_table.END}z")
