"""As installed, by fully qualified names and with no settings at all, nothing is warned of."""

from __future__ import annotations

import json

import pytest

from ...installed_collection import Installed

PLAYBOOKS = [
    "awx",
    "falco",
    "falco_rules",
    "gate",
    "k8s_audit",
    "k8s_audit_uninstall",
    "network_policies",
    "node_prep",
    "on_clusters",
    "preflight",
    "prove",
    "release",
    "respond",
    "rules_test",
    "rules_tune",
    "site",
    "survey",
    "together",
    "uninstall",
    "values_import",
    "verify",
]
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


def preflight(installed: Installed, *arguments: str) -> str:
    """What is said of the sample before a cluster is asked: there is none."""
    done = installed.run(
        "ansible-playbook",
        "falconet.k8s.preflight",
        "-i",
        "inventory/sample",
        "--limit=clusters",
        "--extra-vars=cluster_kubeconfig=/nonexistent/kubeconfig",
        *arguments,
    )
    assert done.returncode == 2
    return done.stdout + done.stderr


def test_sample_is_checked_without_a_warning(installed: Installed) -> None:
    # A user's own variables may begin as a role's do.
    said = preflight(installed, "--extra-vars=verify_ssl=true falco_version=0.44.0", "-v")
    assert "/nonexistent/kubeconfig" in said.split("TASK [API server answers and lets us read]")[1]
    assert "no role reads 'verify_ssl'" in said
    assert [line for line in warned(said) if not line.startswith("[ERROR]")] == []


def test_misspelt_variable_stops_it(installed: Installed) -> None:
    said = preflight(installed, "--extra-vars=falco_chart_vresion=9.1.0 falco_version=0.44.0")
    assert "'falco_chart_vresion' is not a variable of any role: did you mean 'falco_chart_version'?" in said
    assert "falco_version" not in said
    assert "Variables are compared" not in said
