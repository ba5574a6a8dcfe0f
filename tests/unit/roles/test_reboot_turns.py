"""Nodes that have to be rebooted take turns, and none of them looks through the list of all the others for its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from ..ansible_playbook import ansible_playbook
from ..test_roles import ROOT

NODES = ["n1", "n2", "n3", "n4"]


def including_reboot(tasks: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The tasks, in blocks or not, that reboot a node."""
    for task in tasks:
        for part in ("block", "rescue", "always"):
            yield from including_reboot(task.get(part) or [])
        if task.get("ansible.builtin.include_tasks") == "reboot.yml":
            yield task


def test_no_two_nodes_are_out_of_service_and_each_is_asked_once(tmp_path: Path) -> None:
    (task,) = including_reboot(yaml.safe_load((ROOT / "roles/node_prep/tasks/packages.yml").read_text()))
    log = tmp_path / "log"
    steps = [{"raw": f"echo {{{{ inventory_hostname }}}} {word} >> {log}"} for word in ("leaves", "is away", "is back")]
    (tmp_path / "reboot.yml").write_text(yaml.safe_dump(steps))
    play = {"hosts": "all", "gather_facts": False, "tasks": [task]}
    (tmp_path / "play.yml").write_text(yaml.safe_dump([play]))
    nodes = ",".join(NODES)
    done = ansible_playbook("-i", nodes, "-c", "local", "--forks", "4", tmp_path / "play.yml")
    assert done.returncode == 0, done.stdout + done.stderr
    turns = log.read_text().splitlines()
    assert turns == [f"{node} {word}" for node in dict.fromkeys(turn.split()[0] for turn in turns) for word in
                     ("leaves", "is away", "is back")]  # fmt: skip
    assert {turn.split()[0] for turn in turns} == set(NODES)
    assert done.stdout.count("(item=") == len(NODES)
