"""Events of triggers: made of the pod and of the rule's condition; the shipped triggers all have some."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.ruleset import RulesFile, load
from ansible_collections.falconet.k8s.plugins.module_utils.falco.testing.run import Ruleset
from ansible_collections.falconet.k8s.plugins.module_utils.falco.tune.triggers import events_of

INVENTORY = Path(__file__).resolve().parents[4] / "inventory"
SHIPPED = Ruleset(
    "own", load([RulesFile(path.name, path.read_text()) for path in sorted((INVENTORY / "files" / "rules").iterdir())])
)
VERIFY = yaml.safe_load((INVENTORY / "sample" / "group_vars" / "clusters" / "verify.yml").read_text())


@pytest.mark.parametrize("trigger", VERIFY["verify_triggers"], ids=lambda trigger: trigger["name"])
def test_the_shipped_triggers_have_events_on_which_their_rules_fire(trigger: dict[str, Any]) -> None:
    events = events_of(trigger, VERIFY["verify_trigger_image"], SHIPPED)
    assert bool(events) is trigger.get("expect_alert", True)
    for event in events:
        assert SHIPPED.engine().rules[trigger["rule"]].test(event.fields)
        assert event.fields["container.image.repository"] == "docker.io/library/busybox"
        assert event.fields["k8s.ns.name"] == trigger["namespace"]


@pytest.mark.parametrize(
    ("image", "repository"),
    [
        ("busybox", "busybox"),
        ("registry.example:5000/tools/box:1.2", "registry.example:5000/tools/box"),
        ("registry.example/box@sha256:00", "registry.example/box"),
    ],
)
def test_images_are_told_without_tag_and_digest(image: str, repository: str) -> None:
    (event, *_more) = events_of(VERIFY["verify_triggers"][0], image, SHIPPED)
    assert event.fields["container.image.repository"] == repository


def test_a_program_behind_a_shell_is_seen_with_the_shell_as_its_parent() -> None:
    trigger = VERIFY["verify_triggers"][2]
    (event,) = events_of(trigger, "busybox", SHIPPED)
    assert (event.fields["proc.name"], event.fields["proc.pname"]) == ("cat", "sh")


def test_nothing_is_made_for_a_rule_that_is_not_there() -> None:
    assert events_of({**VERIFY["verify_triggers"][0], "rule": "Nobody's"}, "busybox", SHIPPED) == []


def alone(more: str) -> Ruleset:
    text = f"- rule: R\n  desc: d\n  condition: evt.type = execve{more}\n  output: o\n  priority: INFO\n"
    return Ruleset("own", load([RulesFile("r.yaml", text)]))


TRIGGER = {"name": "t", "rule": "R", "namespace": "n", "command": ["sh", "-c", "id; ; ls && cat /x;"]}


def test_each_part_of_a_shells_command_is_a_program_and_nothing_between_semicolons_is_none() -> None:
    events = events_of(TRIGGER, "busybox", alone(" and proc.pname = sh"))
    assert [event.fields["proc.name"] for event in events] == ["sh", "id", "ls", "cat"]


def test_a_trigger_without_a_command_has_no_event() -> None:
    assert events_of({**TRIGGER, "command": []}, "busybox", alone("")) == []


@pytest.mark.parametrize(
    ("more", "account"), [("", "root"), (" and not user.name = root", "user"), (" and not user.name exists", None)]
)
def test_the_account_is_root_unless_the_rule_does_not_fire_on_it(more: str, account: str | None) -> None:
    (event,) = events_of({**TRIGGER, "command": ["id"]}, "busybox", alone(more))
    found = event.fields.get("user.name")
    assert found == account or (account == "user" and found != "root")
