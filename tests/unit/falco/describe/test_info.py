"""A ruleset as data: what a rule resolves to, and what of it cannot be told."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco.catalogue.catalogue import catalogue
from ansible_collections.falconet.k8s.plugins.module_utils.falco.catalogue.versions import NEWEST
from ansible_collections.falconet.k8s.plugins.module_utils.falco.describe import info as module
from ansible_collections.falconet.k8s.plugins.module_utils.falco.describe.info import describe
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.ruleset import Loader, RulesFile

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
"""


def described(text: str, falco: str = NEWEST) -> dict[str, Any]:
    loaded = Loader(catalogue(falco)).load([RulesFile("r.yaml", text)])
    assert loaded.successful, [issue.text for result in loaded.results for issue in result.errors]
    return describe(loaded)


def test_a_rule_is_described_with_everything_resolved() -> None:
    ruleset = described(BASE)
    shell = ruleset["rules"][0]
    assert shell["resolved_condition"] == "evt.type = execve and proc.name in (bash, sh) and container.id != host"
    assert shell["fields"] == ["container.id", "evt.type", "proc.name"]
    assert shell["output_fields"] == ["proc.cmdline"]
    assert shell["event_types"] == ["execve"]
    assert shell["macros"] == ["shell_started"]
    assert ruleset["mitre"]["techniques"] == {"T1059": ["Shell"]}
    assert {"from": "macro shell_started", "to": "list shells"} in ruleset["dependencies"]


def test_macros_and_lists_say_where_they_are_and_whether_they_are_used() -> None:
    spare = "- macro: spare\n  condition: fd.num = 1 or proc.name in (spares)\n- list: spares\n  items: [a]\n"
    ruleset = described("- list: spares\n  items: [b]\n- list: alone\n  items: [shells]\n" + BASE + spare)
    macros = [(one["name"], one["line"], one["used"], one["fields"], one["lists"]) for one in ruleset["macros"]]
    assert macros == [
        ("shell_started", 7, True, ["evt.type", "proc.name"], ["shells"]),
        ("spare", 15, False, ["fd.num", "proc.name"], ["spares"]),
    ]
    assert [(one["name"], one["line"], one["used"], one["lists"]) for one in ruleset["lists"]] == [
        ("spares", 17, True, []),
        ("alone", 3, False, ["shells"]),
        ("shells", 5, True, []),
    ]
    assert ruleset["rules"][0]["line"] == 9


def test_event_types_are_told_of_system_calls_as_long_as_falco_likes_how_many_they_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def told(condition: str, source: str = "syscall") -> list[str] | None:
        rule = f"- rule: R\n  desc: d\n  condition: {condition}\n  output: o\n  priority: INFO\n  source: {source}\n"
        types: list[str] | None = described(rule)["rules"][0]["event_types"]
        return types

    assert told("proc.name = a") is None
    assert told("ka.verb = get", "k8s_audit") is None
    codes = catalogue(NEWEST).event_names.count("open")
    monkeypatch.setattr(module, "MAX_EVENTS_QUIET", codes)
    assert told("evt.type = open") == ["open"]
    monkeypatch.setattr(module, "MAX_EVENTS_QUIET", codes - 1)
    assert told("evt.type = open") is None


def test_an_output_of_nothing_but_what_falco_fills_in_prints_no_field_of_its_own() -> None:
    # Falco 0.40 wrote the container's name and id there; since 0.41 it refuses an output of this alone.
    (rule,) = described(BASE.replace("shell %proc.cmdline", "'%container.info'"), "0.40")["rules"]
    assert (rule["output"], rule["output_fields"]) == ("%container.info", [])
    (rule,) = described(BASE.replace("shell %proc", "'%container.info %proc").replace("line\n", "line'\n"), "0.40")[
        "rules"
    ]
    assert rule["output_fields"] == ["proc.cmdline"]


def test_a_condition_that_macros_multiply_is_not_written_out() -> None:
    macros = ["- macro: m0\n  condition: evt.type = open and (proc.name = a or proc.name = b)\n"]
    macros += [f"- macro: m{n}\n  condition: m{n - 1} or (m{n - 1} and fd.num = {n})\n" for n in range(1, 14)]
    rule = "- rule: R\n  desc: d\n  condition: m13\n  output: o\n  priority: INFO\n"
    (found,) = described("".join([*macros, rule]))["rules"]
    assert found["resolved_condition"] is None
    assert found["fields"] == ["evt.type", "fd.num", "proc.name"]
