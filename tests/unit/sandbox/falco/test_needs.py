"""What the loaded rules ask of events: types and fields."""

from __future__ import annotations

from pathlib import Path

from sandbox.standins.falco import needs
from sandbox.standins.falco.rules import load

from .setting import configured, rule

TYPES = ("execve", "openat", "connect", "procexit")
SUGGESTED = {
    "container.id",
    "container.name",
    "container.image.repository",
    "container.image.tag",
    "k8s.pod.name",
    "k8s.ns.name",
}


def wanted(folder: Path, *rules: str) -> dict[str, list[str]]:
    config = configured(folder)
    (folder / "rules.d" / "own.yaml").write_text("".join(rules) or "[]")
    return needs.wanted(load(config).engine, TYPES)


def test_a_type_that_no_rule_names_is_not_wanted(tmp_path: Path) -> None:
    assert sorted(wanted(tmp_path)) == ["execve", "openat"]


def test_fields_of_conditions_outputs_and_of_what_is_appended(tmp_path: Path) -> None:
    found = wanted(tmp_path)
    assert set(found["execve"]) == SUGGESTED | {"proc.name", "proc.cmdline", "proc.tty", "proc.aname[2]"}
    assert set(found["openat"]) == SUGGESTED | {"evt.is_open_read", "fd.name"}


def test_a_rule_that_may_hold_for_every_type_wants_all(tmp_path: Path) -> None:
    found = wanted(tmp_path, rule("Any", "proc.name = nosuch or evt.type = open"))
    assert sorted(found) == sorted(TYPES)
    assert "proc.name" in found["connect"]


def test_fields_behind_macros(tmp_path: Path) -> None:
    macro = "- macro: m\n  condition: (fd.sport = 1 and not user.name = x)\n"
    found = wanted(tmp_path, macro, rule("Own", "evt.type = connect and m"))
    assert {"fd.sport", "user.name"} <= set(found["connect"])


def test_fields_that_are_made_of_others(tmp_path: Path) -> None:
    condition = 'evt.type = connect and fd.ip = 1.2.3.4 and fd.snet = "10.0.0.0/8" and proc.aname in (sshd)'
    found = set(wanted(tmp_path, rule("Own", condition))["connect"])
    assert {"fd.name", "fd.type", "fd.cip", "fd.sip", "fd.lip", "fd.rip", "proc.aname[*]"} <= found
    assert not found & {"fd.ip", "fd.snet", "proc.aname"}
