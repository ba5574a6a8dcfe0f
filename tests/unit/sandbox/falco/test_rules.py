"""Rules files: loaded by the collection's loader, refused in Falco's words."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from sandbox.standins.falco.rules import BrokenRulesError, load, load_contents, read_files, state_of, verdicts

from .setting import configured, rule

ROOT = Path(__file__).resolve().parents[4]


def test_what_was_loaded(tmp_path: Path) -> None:
    config = configured(tmp_path)
    (tmp_path / "rules.d" / "own.yaml").write_text(rule("Own", "evt.type = execve"))
    loaded = load(config)
    assert [one.name for one in loaded.active] == ["Shell", "Read", "Own"]
    digest = hashlib.sha256((tmp_path / "falco_rules.yaml").read_bytes()).hexdigest()
    assert loaded.digests[0] == ("falco_rules.yaml", digest)
    assert loaded.verdicts == [f"{path}: Ok" for path in config.files()]
    assert loaded.state == state_of(read_files(config.files()))
    (tmp_path / "rules.d" / "own.yaml").write_text(rule("Other", "evt.type = execve"))
    assert loaded.state != state_of(read_files(config.files()))


@pytest.mark.parametrize(
    ("more", "active"),
    [
        ("priority: warning", ["Read"]),
        ("rules: [{disable: {rule: 'Re*'}}]", ["Shell"]),
        ("rules: [{disable: {tag: a}}]", ["Read"]),
        ("rules: [{disable: {rule: '*'}}, {enable: {rule: Shell}}]", ["Shell"]),
        ("rules: [{disable: {rule: 'Re?d'}}]", ["Shell", "Read"]),
    ],
)
def test_which_rules_can_fire(tmp_path: Path, more: str, active: list[str]) -> None:
    assert [one.name for one in load(configured(tmp_path, more + "\n")).active] == active


def test_broken_rules_are_told_with_their_place(tmp_path: Path) -> None:
    config = configured(tmp_path)
    (tmp_path / "rules.d" / "own.yaml").write_text(rule("Own", "nosuch"))
    with pytest.raises(BrokenRulesError) as caught:
        load(config)
    said = caught.value.verdicts[-1].splitlines()
    assert caught.value.verdicts[0].endswith("falco_rules.yaml: Ok")
    assert said[0].endswith("own.yaml: Invalid")
    own = tmp_path / "rules.d" / "own.yaml"
    assert said[1:3] == ["1 Errors:", f"In rules content: ({own}:0:0)"]
    assert said[3:5] == [f"    rule 'Own': ({own}:0:2)", '    condition expression: ("nosuch":1:3)']
    assert said[-1].startswith(
        "LOAD_ERR_VALIDATE (Error validating rule/macro/list/exception objects): Undefined macro"
    )


def test_no_rules_files_and_unreadable_ones(tmp_path: Path) -> None:
    with pytest.raises(BrokenRulesError, match="at least one rules file"):
        load(configured(tmp_path).with_rules_files([]))
    with pytest.raises(BrokenRulesError, match="could not read rules file"):
        read_files([tmp_path / "absent.yaml"])


def test_rules_of_a_source_without_its_plugin_are_left_out_with_a_warning(tmp_path: Path) -> None:
    file = tmp_path / "audit.yaml"
    file.write_text(rule("Pod", "ka.verb = create", "  source: k8s_audit\n"))
    without = load_contents(read_files([file]), ("container",))
    assert verdicts(without) == [f"{file}: Ok, with warnings"]
    assert without.compiler.rules == {}
    assert verdicts(load_contents(read_files([file]), ("k8saudit", "json"))) == [f"{file}: Ok"]


def test_the_rules_of_the_image_and_those_that_are_shipped_load(tmp_path: Path) -> None:
    image = ROOT / "sandbox" / "standins" / "image" / "etc" / "falco" / "falco_rules.yaml"
    loaded = load(configured(tmp_path).with_rules_files([str(image), str(ROOT / "inventory" / "files" / "rules")]))
    assert len(loaded.active) > 30
