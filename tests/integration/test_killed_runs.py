"""A run that is killed in the middle of a stage is finished by the next one, and the one after that changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import pytest

from .cluster import Cluster, wait_for
from .playbook import Site

pytestmark = [pytest.mark.cluster, pytest.mark.long]


def undo_node_prep(cluster: Cluster) -> None:
    for node in ("cp01", "worker01", "worker02"):
        cluster.sandbox("exec", node, "--", "rm", "-f", "/etc/sysctl.d/90-falconet.conf")


def undo_falco(cluster: Cluster) -> None:
    cluster.helm("uninstall", "falco", "--namespace", "falco", "--wait", "--ignore-not-found")


def undo_falco_rules(cluster: Cluster) -> None:
    cluster.kubectl("delete", "configmap", "falco-own-rules-1", "--namespace", "falco", "--ignore-not-found")


def undo_network_policies(cluster: Cluster) -> None:
    cluster.kubectl("delete", "networkpolicy", "--all", "--namespace", "prod")


def has_revision(cluster: Cluster) -> object:
    return cluster.kubectl("get", "secrets", "--namespace", "falco", "-l", "owner=helm,name=falco", "-o", "name")


def has_rules(cluster: Cluster) -> object:
    return cluster.kubectl("get", "configmap", "falco-own-rules-1", "-n", "falco", "--ignore-not-found", "-o", "name")


def has_policies(cluster: Cluster) -> object:
    return cluster.kubectl("get", "networkpolicies", "--namespace", "prod", "-o", "name")


@dataclass(frozen=True)
class Kill:
    """How a stage gets work to do, and the moment in its middle at which everything is killed."""

    stage: str
    task: str
    undo: Callable[[Cluster], None] = lambda cluster: None
    moment: Callable[[Cluster], object] = lambda cluster: True

    def __str__(self) -> str:
        return f"{self.stage}, {self.task}"


KILLS = (
    Kill("node_prep", "Limits are high enough, now and after a reboot", undo_node_prep),
    Kill("falco", "Secrets are as declared", undo_falco),
    Kill("falco", "Release is installed by Helm", undo_falco, has_revision),
    Kill("falco_rules", "Every pod runs exactly these rules", undo_falco_rules, has_rules),
    Kill("network_policies", "Policies are applied", undo_network_policies, has_policies),
    Kill("network_policies", "Connections are tried", undo_network_policies),
    Kill("verify", "Triggers are done on every node, and their alerts followed"),
)


def nothing_has(cluster: Cluster, label: str) -> bool:
    return not cluster.kubectl("get", "pods,namespaces", "-A", "-l", label, "-o", "name")


@pytest.fixture(scope="module")
def finished(site: Site) -> None:
    outcome = site.run("site.yml")
    assert outcome.returncode == 0, outcome.output[-6000:]


@pytest.mark.parametrize("kill", KILLS, ids=str)
def test_a_killed_stage_is_finished_by_the_next_run(finished: None, site: Site, cluster: Cluster, kill: Kill) -> None:
    kill.undo(cluster)
    site.run(f"{kill.stage}.yml", kill_at=kill.task, kill_when=lambda: kill.moment(cluster))
    completed = site.run(f"{kill.stage}.yml")
    assert completed.returncode == 0, completed.output[-6000:]
    again = site.run(f"{kill.stage}.yml")
    assert again.returncode == 0, again.output[-6000:]
    assert again.total_changed == 0, again.output[-6000:]
    for label in ("falconet.k8s/purpose=trigger", "falconet.k8s/probe-run"):
        wait_for(partial(nothing_has, cluster, label), what=f"the end of what has the label {label}")
