"""The container engine of the nodes."""

from __future__ import annotations

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.engines import engine_of_nodes
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.problems import FalcoChartError


def node(name: str, runtime: str, kubelet: str = "v1.35.4") -> dict[str, object]:
    info = {"containerRuntimeVersion": runtime, "kubeletVersion": kubelet}
    return {"metadata": {"name": name}, "status": {"nodeInfo": info}}


@pytest.mark.parametrize(
    ("runtime", "kubelet", "engine"),
    [
        ("containerd://2.1.4", "v1.35.4", "containerd"),
        ("cri-o://1.33.0", "v1.33.1", "crio"),
        ("containerd://2.0.5-k3s1", "v1.33.1+k3s1", "k3s"),
        ("containerd://2.0.5-k3s1", "v1.33.1+rke2r1", "k3s"),
        ("docker://28.0.0", "v1.33.1", "docker"),
    ],
)
def test_engine(runtime: str, kubelet: str, engine: str) -> None:
    assert engine_of_nodes([node("a", runtime, kubelet), node("b", runtime, kubelet)]) == engine


@pytest.mark.parametrize(
    ("nodes", "told"),
    [
        ([], "no node"),
        ([node("a", "containerd://1"), node("b", "cri-o://1")], "containerd on a; crio on b"),
        ([node("a", "rkt://1")], "rkt on a"),
    ],
)
def test_what_is_unclear_names_the_nodes(nodes: list[dict[str, object]], told: str) -> None:
    with pytest.raises(FalcoChartError, match=told):
        engine_of_nodes(nodes)
