"""A live cluster as input: what decides, what explains, and what may not be read."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.kube import connection, snapshot, surroundings
from ansible_collections.falconet.k8s.plugins.module_utils.live_netpol.inputs import read_cluster
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.read.manifests import load

INGRESS: dict[str, Any] = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "Ingress",
    "metadata": {"name": "shop", "namespace": "a"},
    "spec": {"defaultBackend": {"service": {"name": "web", "port": {"number": 80}}}},
}


def test_surroundings_are_part_of_it_and_what_may_not_be_read_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "a"}, "spec": {"containers": []}}
    found = surroundings.Surroundings([INGRESS], ["Node"])
    monkeypatch.setattr(connection, "connect", lambda _params: None)
    monkeypatch.setattr(snapshot, "take_snapshot", lambda _client, _namespaces: [pod])
    monkeypatch.setattr(surroundings, "take_surroundings", lambda _client, _snapshot: found)
    model = load(read_cluster({}))
    assert [pod.full_name for pod in model.pods] == ["a/p"]
    assert [route.full_name for route in model.routes] == ["Ingress a/shop"]
    assert model.notes == ["skipped: 1 list of Node without the right to read it"]
