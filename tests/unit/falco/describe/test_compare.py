"""What changed between two rulesets: each change's level by what it may break, and the verdict by the worst."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco.describe.compare import compare
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.ruleset import Loaded, RulesFile, load

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
AUDIT = "- rule: A\n  desc: d\n  condition: ka.verb = get\n  output: o\n  priority: INFO\n  source: k8s_audit\n"


def loaded(*texts: str) -> Loaded:
    found = load([RulesFile(f"{number}.yaml", text) for number, text in enumerate(texts)])
    assert found.successful, [issue.text for result in found.results for issue in result.errors]
    return found


def changes(old: Loaded, new: Loaded) -> list[str]:
    found: list[dict[str, Any]] = compare(old, new)["changes"]
    return [" ".join((one["level"], one["kind"], one["name"], one["change"])) for one in found]


def override(kind: str, name: str, key: str, value: str, how: str = "replace") -> str:
    return f"- {kind}: {name}\n  {key}: {value}\n  override: {{{key}: {how}}}\n"


@pytest.mark.parametrize(
    ("old", "new", "verdict"),
    [
        ("", "", "none"),
        ("", "- list: more\n  items: []\n", "minor"),
        ("- list: more\n  items: []\n", "", "major"),
        ("", "- required_engine_version: 0.50.0\n", "minor"),
        ("- required_engine_version: 0.50.0\n", "", "patch"),
        ("", override("list", "shells", "items", "[zsh]", "append"), "patch"),
        ("", override("rule", "Shell", "priority", "ERROR"), "patch"),
        ("", override("rule", "Shell", "priority", "INFO"), "major"),
        ("", override("rule", "Shell", "enabled", "false"), "major"),
        ("", override("rule", "Shell", "tags", "[host]", "append"), "patch"),
        ("", override("rule", "Shell", "tags", "[host]"), "major"),
        ("", override("rule", "Either", "condition", "evt.type = open"), "major"),
        ("", override("rule", "Either", "condition", "or evt.type = creat", "append"), "patch"),
        ("", override("macro", "shell_started", "condition", "or evt.type = open", "append"), "major"),
    ],
)
def test_the_version_that_a_change_calls_for(old: str, new: str, verdict: str) -> None:
    assert compare(loaded(BASE, old), loaded(BASE, new))["verdict"] == verdict


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (override("rule", "Shell", "enabled", "false"), override("rule", "Shell", "enabled", "false"), []),
        (override("rule", "Shell", "enabled", "false"), "", ["patch rule Shell enabled by default"]),
        ("", override("rule", "Shell", "output", "'%proc.name'"), ["patch rule Shell output fields changed"]),
        ("", override("rule", "Shell", "output", "'another text: %proc.cmdline'"), []),
        ("", override("rule", "Shell", "desc", "another"), ["patch rule Shell description changed"]),
        (
            "",
            override("rule", "Shell", "condition", "and proc.tty != 0", "append"),
            ["patch rule Shell condition changed"],
        ),
        (
            "",
            "- rule: Shell\n  exceptions: [{name: cron, fields: proc.pname, values: [cron]}]\n"
            "  override: {exceptions: append}\n",
            ["patch rule Shell exceptions added or removed", "patch rule Shell condition changed"],
        ),
        # Users' macros may stand on a macro's event types; its other conditions show in the rules that use it.
        (
            "",
            override("macro", "shell_started", "condition", "and proc.tty != 0", "append"),
            ["patch rule Shell condition changed", "patch macro shell_started condition changed"],
        ),
        (
            "",
            override("macro", "shell_started", "condition", "or evt.type = open", "append"),
            [
                "major macro shell_started matches different event types",
                "patch rule Shell condition changed",
                "patch rule Shell matches more event types",
                "patch macro shell_started condition changed",
            ],
        ),
        ("", override("list", "shells", "items", "[sh, bash]"), ["patch rule Shell condition changed"]),
    ],
)  # fmt: skip
def test_each_change_is_told(old: str, new: str, told: list[str]) -> None:
    assert changes(loaded(BASE, old), loaded(BASE, new)) == told


def test_a_rule_of_another_source_is_told_with_that_and_without_event_types() -> None:
    system = AUDIT.replace("ka.verb = get", "evt.type = open").replace("source: k8s_audit", "source: syscall")
    assert changes(loaded(AUDIT), loaded(AUDIT)) == []
    assert changes(loaded(AUDIT), loaded(system)) == [
        "major rule A source changed from k8s_audit to syscall",
        "patch rule A condition changed",
    ]


def plugins(*requirements: str) -> Loaded:
    """Rulesets that ask for plugins: C(json:0.7.0|okta:0.1.0) for either of two."""
    lines = []
    for requirement in requirements:
        first, *others = [one.split(":") for one in requirement.split("|")]
        lines.append(f"  - name: {first[0]}\n    version: {first[1]}\n")
        if others:
            lines.append("    alternatives:\n")
            lines += [f"      - {{name: {name}, version: {version}}}\n" for name, version in others]
    return loaded(f"- required_plugin_versions:\n{''.join(lines)}" if lines else "", BASE)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ([], ["json:0.7.0"], "minor plugin json requirement added"),
        (["json:0.7.0"], [], "patch plugin json requirement removed"),
        (["json:0.7.0"], ["json:0.7.1"], "minor plugin json required version incremented from 0.7.0 to 0.7.1"),
        (["json:0.0.10"], ["json:0.0.9"], "patch plugin json required version decremented from 0.0.10 to 0.0.9"),
        (["json:0.7.0"], ["json:0.7.0|okta:0.1.0"], "patch plugin okta alternative added"),
        # Whoever runs the one that is gone cannot load the rules any more.
        (["json:0.7.0|okta:0.1.0"], ["json:0.7.0"], "major plugin okta alternative removed"),
    ],
)
def test_what_is_asked_of_plugins(old: list[str], new: list[str], told: str) -> None:
    assert changes(plugins(*old), plugins(*new)) == [told]


def test_a_requirement_that_went_with_all_its_alternatives_breaks_nobody() -> None:
    assert changes(plugins("json:0.7.0|okta:0.1.0"), plugins()) == [
        "patch plugin json requirement removed",
        "patch plugin okta requirement removed",
    ]


def test_an_engine_that_is_asked_for_again_is_compared_by_its_numbers() -> None:
    old, new = (loaded(f"- required_engine_version: {version}\n") for version in ("0.9.0", "0.31.0"))
    assert changes(old, new) == ["minor engine required_engine_version incremented"]
    assert changes(new, old) == ["patch engine required_engine_version decremented"]


def test_the_worst_is_told_first_and_decides() -> None:
    new = "\n".join(
        (
            override("rule", "Shell", "desc", "another"),
            "- macro: more\n  condition: evt.type = open",
            override("rule", "Either", "priority", "DEBUG"),
        )
    )
    found = compare(loaded(BASE), loaded(BASE, new))
    assert [one["level"] for one in found["changes"]] == ["major", "minor", "patch"]
    assert found["verdict"] == "major"
