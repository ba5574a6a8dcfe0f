"""uninstall.yml as a user runs it: what site.yml built is gone, the data stay, and site.yml finds them again."""

from __future__ import annotations

import pytest

from .cluster import Cluster
from .playbook import Outcome, Site

pytestmark = [pytest.mark.cluster, pytest.mark.long]

NODES = ("cp01", "worker01", "worker02")
#: The proof without the catalogue's triggers, which test_site.py does.
NO_CATALOGUE = ("--extra-vars", "{verify_catalogue: []}")
NODE_FILES = ("/etc/sysctl.d/90-falconet.conf", "/var/lib/falconet_node_prep.json")


def succeeds(site: Site, playbook: str, *arguments: str) -> Outcome:
    outcome = site.run(playbook, *arguments)
    assert outcome.returncode == 0, outcome.output[-6000:]
    return outcome


def ours(cluster: Cluster) -> dict[str, str]:
    """What the stages made in the cluster and must take back."""
    return {
        "releases": cluster.helm("list", "--all-namespaces", "--all", "--short"),
        "policies": cluster.kubectl("get", "networkpolicies", "-A", "-l", "falconet.k8s/policy-set", "-o", "name"),
        "rules": cluster.kubectl("get", "configmap", "falco-own-rules-1", "-n", "falco", "--ignore-not-found"),
        "channels": cluster.kubectl("get", "secret", "falco-outputs", "-n", "falco", "--ignore-not-found"),
        "pods": cluster.kubectl("get", "pods", "-n", "falco", "--ignore-not-found", "-o", "name"),
    }


def files_left(cluster: Cluster, node: str) -> list[str]:
    listing = cluster.sandbox("exec", node, "--", "sh", "-c", f"ls {' '.join(NODE_FILES)} 2>/dev/null || true")
    return listing.split()


def data(cluster: Cluster) -> dict[str, str]:
    """Identities of what holds data: they change when it is made anew."""
    kept = cluster.get("persistentvolumeclaims,secrets", "-n", "falco")["items"]
    return {
        o["metadata"]["name"]: o["metadata"]["uid"]
        for o in kept
        if o["kind"] == "PersistentVolumeClaim" or o["metadata"]["name"].endswith("-credentials")
    }


def test_what_was_built_is_taken_back_but_for_data(site: Site, cluster: Cluster) -> None:
    succeeds(site, "site.yml", *NO_CATALOGUE)
    before = data(cluster)
    assert any("redis" in name for name in before), before
    assert [what for what, there in ours(cluster).items() if not there.strip()] == []
    assert [node for node in NODES if len(files_left(cluster, node)) < len(NODE_FILES)] == []

    state = cluster.digest()
    succeeds(site, "uninstall.yml", "--check", "--diff")
    assert cluster.digest() == state, "check mode changed something"

    succeeds(site, "uninstall.yml")
    assert {what: left for what, left in ours(cluster).items() if left.strip()} == {}
    assert {node: left for node in NODES if (left := files_left(cluster, node))} == {}
    assert data(cluster) == before

    again = succeeds(site, "uninstall.yml")
    assert again.total_changed == 0, again.output[-6000:]

    succeeds(site, "site.yml", *NO_CATALOGUE)
    assert data(cluster) == before, "the data were not found again"
