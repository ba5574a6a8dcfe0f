"""As installed, by fully qualified names and with no settings at all, nothing is warned of."""

from __future__ import annotations

import json

import pytest

from .installed import Installed

PLAYBOOKS = ["falco", "falco_rules", "network_policies", "node_prep", "preflight", "site", "uninstall", "verify"]
WARNINGS = ("[WARNING]", "[DEPRECATION WARNING]", "[ERROR]")


def warned(output: str) -> list[str]:
    return [line for line in output.splitlines() if line.startswith(WARNINGS)]


def test_inventory_is_hosts_alone(installed: Installed) -> None:
    done = installed.run("ansible-inventory", "-i", "inventory/sample", "--list")
    assert (done.returncode, done.stderr) == (0, "")
    groups = set(json.loads(done.stdout)) - {"_meta"}
    assert groups == {"all", "clusters", "control_plane", "kube_nodes", "redis_nodes", "workers"}


def test_every_playbook_is_tried(installed: Installed) -> None:
    assert sorted(path.stem for path in (installed.collection / "playbooks").glob("*.yml")) == PLAYBOOKS


@pytest.mark.parametrize("playbook", PLAYBOOKS)
def test_playbook_is_read_without_a_warning(installed: Installed, playbook: str) -> None:
    done = installed.run("ansible-playbook", f"falconet.k8s.{playbook}", "-i", "inventory/sample", "--list-tasks")
    assert (done.returncode, done.stderr) == (0, "")


def test_sample_is_checked_without_a_warning(installed: Installed) -> None:
    done = installed.run(
        "ansible-playbook",
        "falconet.k8s.preflight",
        "-i",
        "inventory/sample",
        "--limit=clusters",
        "--extra-vars=cluster_kubeconfig=/nonexistent/kubeconfig",
    )
    # There is no cluster: what comes before one is asked has passed, and is told without a warning.
    assert "No variable of the inventory has a wrong type" in done.stdout
    assert "/nonexistent/kubeconfig" in done.stdout + done.stderr
    assert [line for line in warned(done.stdout + done.stderr) if not line.startswith("[ERROR]")] == []
