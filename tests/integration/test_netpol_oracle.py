"""Kubernetes' own NetworkPolicy specs as the oracle of the sandbox's enforcement, and that they notice its absence."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from sandbox import e2e
from sandbox.instance import NODES

from .cluster import Cluster

pytestmark = [pytest.mark.cluster, pytest.mark.long]

STATE = "/run/sandbox/netpol-state.json"
#: Upper limit for a policy to be in force on every node, also on a busy machine.
LIMIT_SECONDS = 30
ONE_SPEC = "should support a 'default-deny-ingress' policy"


def kubeconfig() -> Path:
    return Path(os.environ["KUBECONFIG"])


def states(cluster: Cluster) -> dict[str, dict[str, Any]]:
    return {node.name: json.loads(cluster.sandbox("exec", node.name, "--", "cat", STATE)) for node in NODES}


def wait_for(cluster: Cluster, holds: Callable[[dict[str, Any]], bool]) -> dict[str, dict[str, Any]]:
    """Wait until something holds for the published state of every node."""
    deadline = time.monotonic() + LIMIT_SECONDS
    while True:
        now = states(cluster)
        if all(holds(state) for state in now.values()):
            return now
        assert time.monotonic() < deadline, now
        time.sleep(0.1)  # between two looks at a condition with a limit


@pytest.fixture
def without_enforcement(cluster: Cluster) -> Iterator[None]:
    cluster.sandbox("enforcement", "off")
    try:
        yield
    finally:
        began = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
        cluster.sandbox("enforcement", "on")
        wait_for(cluster, lambda state: state["applied_at"] >= began)


def test_default_specs_pass() -> None:
    results = e2e.run_specs(kubeconfig(), e2e.focus_for(e2e.DEFAULT_SPECS), f"{e2e.SKIP}|{e2e.OTHER_PROTOCOLS}")
    assert len(results) == len(e2e.DEFAULT_SPECS)
    assert [result.name for result in results if not result.passed] == []


@pytest.mark.usefixtures("without_enforcement")
def test_without_enforcement_the_same_spec_fails() -> None:
    results = e2e.run_specs(kubeconfig(), e2e.focus_for([ONE_SPEC]), f"{e2e.SKIP}|{e2e.OTHER_PROTOCOLS}")
    assert [result.state for result in results] == ["failed"]


def test_an_applied_policy_is_published_by_every_node(cluster: Cluster) -> None:
    manifest = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "published", "namespace": "default"},
        "spec": {"podSelector": {"matchLabels": {"falconet": "nobody"}}},
    }
    before = states(cluster)
    cluster.kubectl("apply", "-f", "-", stdin=json.dumps(manifest))
    try:
        version = int(cluster.get("networkpolicy", "published")["metadata"]["resourceVersion"])
        after = wait_for(cluster, lambda state: int(state["resource_versions"]["networkpolicies"]) >= version)
    finally:
        cluster.kubectl("delete", "networkpolicy", "published")
    for name, state in after.items():
        assert state["running"]
        assert state["policies"] == before[name]["policies"] + 1
        # It selects nobody, so the rules are as before and nothing was loaded for it.
        assert state["digest"] == before[name]["digest"] or state["pods"] != before[name]["pods"]
