"""The snapshot: what is read, in how many calls, and what happens where rights or kinds are missing."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.kube.client import Client
from ansible_collections.falconet.k8s.plugins.module_utils.kube.errors import ForbiddenError
from ansible_collections.falconet.k8s.plugins.module_utils.kube.snapshot import take_snapshot

from .fake_api import Answer, FakeApi

WHOLE: dict[str, list[dict[str, Any]]] = {
    "/api/v1/namespaces": [{"metadata": {"name": name}} for name in ("b", "a")],
    "/api/v1/pods": [{"metadata": {"name": "p", "namespace": "a", "managedFields": [{"manager": "x"}]}}],
    "/api/v1/services": [],
    "/api/v1/replicationcontrollers": [],
    "/apis/networking.k8s.io/v1/networkpolicies": [{"metadata": {"name": "deny", "namespace": "a"}}],
    "/apis/apps/v1/deployments": [],
    "/apis/apps/v1/daemonsets": [],
    "/apis/apps/v1/statefulsets": [],
    "/apis/apps/v1/replicasets": [],
    "/apis/batch/v1/jobs": [],
    "/apis/batch/v1/cronjobs": [],
}


def test_the_whole_cluster_takes_one_call_a_kind(api: FakeApi, client: Client) -> None:
    api.collections.update(WHOLE)
    objects = take_snapshot(client)
    assert [(o["kind"], o["metadata"]["name"]) for o in objects] == [
        ("Namespace", "a"),
        ("Namespace", "b"),
        ("NetworkPolicy", "deny"),
        ("Pod", "p"),
    ]
    assert all("managedFields" not in o["metadata"] for o in objects)
    assert len(api.requests) == len(WHOLE) + 1
    assert not any("secrets" in path or "configmaps" in path for _m, path, _q, _b in api.requests)


def test_policies_of_the_whole_cluster_are_read_where_they_are_served(api: FakeApi, client: Client) -> None:
    group = "/apis/policy.networking.k8s.io"
    api.collections.update(WHOLE)
    api.collections[f"{group}/v1alpha1/adminnetworkpolicies"] = [{"metadata": {"name": "guard"}}]

    def discovery(_method: str, path: str, _query: object) -> Answer | None:
        if path == group:
            return 200, {"versions": [{"version": "v1alpha1"}]}
        if path == f"{group}/v1alpha1":
            entry = {"name": "adminnetworkpolicies", "kind": "AdminNetworkPolicy", "namespaced": False}
            return 200, {"resources": [entry, {"name": "adminnetworkpolicies/status", "kind": "AdminNetworkPolicy"}]}
        return None

    api.faults = discovery
    found = [o for o in take_snapshot(client) if o["kind"] == "AdminNetworkPolicy"]
    assert [(o["apiVersion"], o["metadata"]["name"]) for o in found] == [("policy.networking.k8s.io/v1alpha1", "guard")]


def test_a_tenant_reads_its_own_namespaces(api: FakeApi, client: Client) -> None:
    for path, items in WHOLE.items():
        head, _slash, plural = path.rpartition("/")
        api.collections[f"{head}/namespaces/a/{plural}"] = items
    api.collections["/api/v1/namespaces"] = WHOLE["/api/v1/namespaces"]

    def no_cluster_rights(_method: str, path: str, _query: object) -> Answer | None:
        return (403, {"reason": "Forbidden"}) if path == "/api/v1/namespaces" else None

    api.faults = no_cluster_rights
    objects = take_snapshot(client, ["a"])
    assert [o["metadata"]["name"] for o in objects if o["kind"] == "Namespace"] == ["a"]
    with pytest.raises(ForbiddenError, match="list namespaces"):
        take_snapshot(client)


def test_workloads_may_be_missing_but_policies_may_not(api: FakeApi, client: Client) -> None:
    api.collections.update(WHOLE)
    api.faults = lambda _m, path, _q: (403, {"reason": "Forbidden"}) if path.startswith("/apis/apps") else None
    assert len(take_snapshot(client)) == 4
    api.faults = lambda _m, path, _q: (403, {"reason": "Forbidden"}) if path.endswith("networkpolicies") else None
    with pytest.raises(ForbiddenError, match="networkpolicies"):
        take_snapshot(client)


def test_all_lists_are_read_side_by_side(api: FakeApi, client: Client) -> None:
    """Each answer of the API server waits until everything is asked."""
    together = threading.Barrier(7)
    paths: set[str] = set()
    api.collections.update(WHOLE)

    def all_at_once(_method: str, path: str, _query: Any) -> None:
        if path not in paths:
            paths.add(path)
            together.wait(timeout=10)

    api.faults = all_at_once
    take_snapshot(client, running_only=True)
    assert len(paths) == 7
