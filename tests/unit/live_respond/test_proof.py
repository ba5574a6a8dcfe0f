"""From where the network around a held pod is tried: what has its servers on other nodes than the two is left out."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.kube.client import Client
from ansible_collections.falconet.k8s.plugins.module_utils.live_respond import proof
from ansible_collections.falconet.k8s.plugins.module_utils.probe.model import Probe
from ansible_collections.falconet.k8s.plugins.module_utils.probe.settle import Course

from ..kube.cluster import namespace, pod

NODES = ["n1", "n2"]


def service(name: str, port: int) -> dict[str, Any]:
    spec = {"clusterIP": "10.96.0.9", "selector": {"app": name}, "ports": [{"port": port, "protocol": "TCP"}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": "prod"}, "spec": spec}


OBJECTS = [
    namespace("prod"),
    pod("prod", "held", "10.0.1.1", (80,)),
    pod("prod", "beside", "10.0.1.2", (80,)),
    pod("prod", "other", "10.0.2.1", (80,), nodeName="n2"),
    pod("prod", "third", "10.0.3.1", (80,), nodeName="n3"),
    service("third", 80),
]


def tried(nodes: list[str], monkeypatch: pytest.MonkeyPatch) -> list[Probe]:
    """What is tried around the pod from pods of these nodes."""
    found: list[Probe] = []

    def run(_method: object, probes: list[Probe], *_arguments: object, **_options: object) -> Course:
        found[:] = probes
        return Course()

    monkeypatch.setattr(proof, "run", run)
    proof.show(Client.__new__(Client), "prod", "held", None, nodes, OBJECTS)  # type: ignore[arg-type]  # not asked
    return found


def test_no_prober_of_a_third_node_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    found = tried(NODES, monkeypatch)
    places = {one.source.node for one in found} | {pod.node for one in found for pod, _protocol, _port in one.controls}
    assert places == set(NODES)
    assert {one.source.key for one in found} == {"prod/held", "prod/beside", "prod/other"}


def test_with_its_node_the_third_is_tried_too(monkeypatch: pytest.MonkeyPatch) -> None:
    found = tried([*NODES, "n3"], monkeypatch)
    assert "prod/third" in {one.source.key for one in found}
    assert "10.0.3.1" in {one.host for one in found}
