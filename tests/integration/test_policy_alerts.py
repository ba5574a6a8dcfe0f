"""From connections that Falco saw to policies, and from these to alerts on what they should have stopped.

Observed, suggested, applied, proven, violated: the whole way on one namespace of its own.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from .cluster import Cluster, wait_for
from .playbook import Outcome, Site

pytestmark = [
    pytest.mark.cluster,
    # A rollout of rules and one of policies, twice each.
    pytest.mark.long,
    pytest.mark.skipif("INVENTORY" in os.environ, reason="enforcement can be switched off in the sandbox alone"),
]

NAMESPACE = "observed"
PORT = 8080
SEEN = "Connection accepted in the observed namespace"
DENIED = f"Connection that policies deny into {NAMESPACE}/Deployment/server"
OBSERVE = {
    "rule": SEEN,
    "desc": "Who talks to whom, before there are policies.",
    "condition": f"evt.type in (accept, accept4) and evt.rawres >= 0 and fd.l4proto = tcp and k8s.ns.name={NAMESPACE}",
    "output": "Accepted | type=%evt.type name=%fd.name protocol=%fd.l4proto pod=%k8s.pod.name namespace=%k8s.ns.name",
    "priority": "NOTICE",
}


def workload(name: str, *arguments: str) -> dict[str, Any]:
    container = {"name": "main", "image": "registry.k8s.io/e2e-test-images/agnhost:2.59", "args": list(arguments)}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"terminationGracePeriodSeconds": 0, "containers": [container]},
            },
        },
    }


@dataclass(frozen=True)
class Observed:
    """The namespace with a server, its client and a stranger."""

    cluster: Cluster

    def pod(self, name: str) -> dict[str, Any]:
        pods = self.cluster.get("pods", "-n", NAMESPACE, "-l", f"app={name}")["items"]
        (found,) = [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]
        return dict(found)

    def address(self, name: str) -> str:
        return str(self.pod(name)["status"]["podIP"])

    def connect(self, name: str) -> bool:
        """Whether a workload's connection to the server comes about."""
        asked = ["exec", "-n", NAMESPACE, f"deployment/{name}", "--", "/agnhost", "connect", "--timeout=3s"]
        try:
            self.cluster.kubectl(*asked, f"{self.address('server')}:{PORT}")
        except AssertionError:
            return False
        return True

    def roll(self, name: str) -> None:
        self.cluster.kubectl("rollout", "status", "-n", NAMESPACE, f"deployment/{name}", "--timeout=120s")

    def alerts(self, rule: str, client: str) -> list[dict[str, Any]]:
        """What Falco logged of connections from an address."""
        text = self.cluster.kubectl(
            "logs", "-n", "falco", "-l", "app.kubernetes.io/name=falco", "-c", "falco", "--tail=-1"
        )
        lines = [json.loads(line) for line in text.splitlines() if line.startswith("{") and rule in line]
        return [one for one in lines if one["rule"] == rule and f"client={client} " in one["output"]]


@pytest.fixture
def observed(cluster: Cluster, site: Site) -> Iterator[Observed]:
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    items = [
        namespace,
        workload("server", "netexec", f"--http-port={PORT}", "--udp-port=-1"),
        workload("client", "pause"),
        workload("stranger", "pause"),
    ]
    cluster.kubectl("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
    made = Observed(cluster)
    try:
        for name in ("server", "client", "stranger"):
            made.roll(name)
        yield made
    finally:
        cluster.sandbox("enforcement", "on")
        site.run("network_policies.yml")
        site.run("falco_rules.yml")
        cluster.kubectl("delete", "namespace", NAMESPACE, "--wait=false")


def passed(outcome: Outcome) -> None:
    assert outcome.returncode == 0, outcome.output[-6000:]


def suggested(site: Site, since: str, client: str, folder: Path) -> list[dict[str, Any]]:
    """Policies that are made of the alerts since a moment."""
    expected = [{"rule": SEEN, "contains": [f"name={client}:"]}]
    extra = {
        "since": since,
        "expected": expected,
        "rule": SEEN,
        "space": NAMESPACE,
        "dest": str(folder / "made.json"),
    }
    passed(site.run("../tests/integration/policy_alerts.yml", extra=extra))
    return list(json.loads((folder / "made.json").read_text())["policies"])


def test_what_was_seen_becomes_policies_and_what_they_deny_alerts(
    observed: Observed, site: Site, cluster: Cluster, tmp_path: Path
) -> None:
    passed(site.run("falco_rules.yml", extra={"falco_rules_extra": [OBSERVE]}))
    since = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert observed.connect("client")
    policies = suggested(site, since, observed.address("client"), tmp_path)

    def flow(name: str) -> dict[str, Any]:
        ends = {
            end: {"namespace": NAMESPACE, "workload": f"Deployment/{who}"}
            for end, who in (("from", name), ("to", "server"))
        }
        return {"name": f"{name} to server", **ends, "ports": [PORT]}

    applied = {
        "network_policies_definitions": policies,
        "network_policies_required_flows": [flow("client")],
        "network_policies_forbidden_flows": [flow("stranger")],
    }
    passed(site.run("network_policies.yml", extra=applied))
    assert (observed.connect("client"), observed.connect("stranger")) == (True, False)
    proof = {**applied, "verify_stages": ["network_policies"], "verify_catalogue": [], "verify_triggers": []}
    passed(site.run("prove.yml", "--limit", "clusters", extra={**proof, "verify_evidence_directory": str(tmp_path)}))

    watched = {"falco_rules_policies": {"namespaces": [NAMESPACE], "priority": "critical"}}
    passed(site.run("falco_rules.yml", extra=watched))
    cluster.sandbox("enforcement", "off")
    assert observed.connect("client")
    first = observed.address("stranger")
    assert observed.connect("stranger")
    wait_for(lambda: observed.alerts(DENIED, first), 60, f"an alert on {first}")
    assert observed.alerts(DENIED, observed.address("client")) == []

    # Another pod of the same workload has another address, and the role's next run knows it.
    cluster.kubectl("rollout", "restart", "-n", NAMESPACE, "deployment/stranger")
    observed.roll("stranger")
    wait_for(lambda: observed.address("stranger") != first, 60, "another address of the stranger")
    second = observed.address("stranger")
    again = site.run("falco_rules.yml", extra=watched)
    passed(again)
    assert again.total_changed > 0
    assert observed.connect("stranger")
    wait_for(lambda: observed.alerts(DENIED, second), 60, f"an alert on {second}")
