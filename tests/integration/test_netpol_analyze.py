"""The analysis against a live cluster: what it reads there, and a change tried in thought on top of it."""

from __future__ import annotations

from typing import Any

import pytest

from ..unit.module_runner import run_module
from .playbook import Site

pytestmark = pytest.mark.cluster

DENY = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "NetworkPolicy",
    "metadata": {"name": "analysis-only", "namespace": "kube-system"},
    "spec": {"podSelector": {}, "policyTypes": ["Ingress"]},
}


def analyze(site: Site, **args: Any) -> dict[str, Any]:
    return run_module("netpol_analyze", {"kubeconfig": str(site.kubeconfig), **args})


def test_the_live_cluster_is_read_with_its_pods(site: Site) -> None:
    result = analyze(site, by="namespace")
    assert not result.get("failed"), result.get("msg")
    assert "kube-system" in result["members"]
    assert result["summary"]["pods"] > 0


def test_a_default_deny_is_tried_in_thought_and_never_applied(site: Site) -> None:
    result = analyze(site, question="diff", resources=[DENY])
    lost = {item["to"] for item in result["difference"]["lost"]}
    assert "kube-system/Deployment/coredns" in lost
    again = analyze(site, question="lint")
    assert not any(finding["object"].endswith("kube-system/analysis-only") for finding in again["findings"])
