"""Several clusters in one run: what fails takes along what belongs to it and nothing else, unless told; canaries."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from ..ansible_playbook import ansible_playbook

ROOT = Path(__file__).resolve().parents[3]
PLAYBOOKS = ROOT / "playbooks"
# Nothing listens there.
AWAY = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 1}
HOSTS: dict[str, Any] = {
    "all": {"vars": {"ansible_connection": "local"}},
    "clusters": {"hosts": {name: {} for name in ("east", "north", "south", "west")}},
    "kube_nodes": {
        "hosts": {
            "east1": {"kube_cluster": "east"},
            "north1": {"kube_cluster": "north"},
            "north2": {"kube_cluster": "north"},
            "south1": {"kube_cluster": "south", **AWAY},
            "west1": {"kube_cluster": "west"},
        }
    },
}


def shipped(playbook: str, work: str) -> dict[str, Any]:
    """The last play of a playbook as it is shipped, but for what it does on a host: a word."""
    play: dict[str, Any] = yaml.safe_load((PLAYBOOKS / f"{playbook}.yml").read_text())[-1]
    play.pop("roles", None)
    asked_first = play.pop("pre_tasks", None) or play["tasks"][:-1]
    for task in asked_first:
        if "ansible.builtin.import_tasks" in task:
            task["ansible.builtin.import_tasks"] = str(PLAYBOOKS / task["ansible.builtin.import_tasks"])
    said = {"name": work, "ansible.builtin.debug": {"msg": f"{work} {{{{ inventory_hostname }}}}"}}
    reached = {"name": "Reached", "ansible.builtin.raw": "true", "when": "inventory_hostname in groups.kube_nodes"}
    play["tasks"] = [*asked_first, reached, {**said, "failed_when": "inventory_hostname in broken | default([])"}]
    return play


def site(tmp_path: Path, **variables: Any) -> tuple[set[str], str]:
    """Run the stages' plays; gives the words that they said, and all output."""
    together = {"import_playbook": str(PLAYBOOKS / "together.yml")}
    plays: list[dict[str, Any]] = [
        {"hosts": "clusters", "gather_facts": False, "tasks": [{"fail": {}, "when": "inventory_hostname in refused"}]},
        together,
        shipped("node_prep", "prepared"),
        together,
        shipped("on_clusters", "installed"),
        shipped("on_clusters", "proved"),
        together,
    ]
    (tmp_path / "site.yml").write_text(yaml.safe_dump(plays))
    (tmp_path / "hosts.yml").write_text(yaml.safe_dump(HOSTS))
    given = json.dumps({"refused": [], **variables})
    done = ansible_playbook("-i", tmp_path / "hosts.yml", tmp_path / "site.yml", "--extra-vars", given)
    assert (done.returncode == 0) == ("failed=1" not in done.stdout), done.stdout + done.stderr
    said = {line.removeprefix("    msg: ") for line in done.stdout.splitlines() if line.startswith("    msg: ")}
    return {word for word in said if word.startswith(("prepared", "installed", "proved"))}, " ".join(
        done.stdout.split()
    )


def test_what_fails_takes_along_what_belongs_to_it_alone(tmp_path: Path) -> None:
    said, told = site(tmp_path, refused=["west"], broken=["north1"])
    assert said == {"prepared east1", "prepared north1", "prepared north2", "installed east", "proved east"}
    left_out = "cluster west (west); cluster north (north1); cluster south (south1). Nothing more is done on these"
    assert f"Failed: {left_out}; east went on." in told


def test_one_failure_stops_all_if_told(tmp_path: Path) -> None:
    said, _told = site(tmp_path, refused=[], broken=["east1"], falconet_max_fail_percentage=0)
    assert not [word for word in said if word.startswith(("installed", "proved"))]


def test_a_canary_that_fails_keeps_the_stage_from_the_others(tmp_path: Path) -> None:
    said, _told = site(tmp_path, broken=["east"], falconet_serial=[1, "100%"])
    assert {word for word in said if not word.startswith("prepared")} == {"installed east"}


def test_cached_facts_do_not_speak_for_a_node_that_is_down(tmp_path: Path) -> None:
    hosts = {"n1": {**AWAY, "falconet_connect_timeout_seconds": 1}}
    (tmp_path / "hosts.yml").write_text(yaml.safe_dump({"kube_nodes": {"hosts": hosts}}))
    cached = {"set_fact": {"ansible_distribution": "Rocky", "cacheable": True}}
    asked = {"import_tasks": str(PLAYBOOKS / "tasks" / "node_reachable.yml")}
    (tmp_path / "play.yml").write_text(
        yaml.safe_dump([{"hosts": "n1", "gather_facts": False, "tasks": [cached, asked]}])
    )
    done = ansible_playbook("-i", tmp_path / "hosts.yml", tmp_path / "play.yml")
    assert done.returncode != 0, done.stdout
    assert "Node n1 (root@127.0.0.1:1) does not answer over SSH" in " ".join(done.stdout.split())


@pytest.mark.parametrize("playbook", ["node_prep", "on_clusters", "preflight"])
def test_plays_ask_the_same_variable(playbook: str) -> None:
    """Preflight's first play, on the inventory itself, is fatal for all; its others go on as the stages do."""
    plays = [play for play in yaml.safe_load((PLAYBOOKS / f"{playbook}.yml").read_text()) if "hosts" in play]
    asked = {play.get("max_fail_percentage") for play in plays if play["hosts"] != "localhost"}
    assert len(asked) == 1
    assert "falconet_max_fail_percentage" in str(asked)
    assert not [play for play in plays if play.get("any_errors_fatal") and play["hosts"] != "localhost"]
