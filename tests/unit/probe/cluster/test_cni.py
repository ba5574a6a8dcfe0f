"""What is seen of network plugins: DaemonSets, marks on Nodes, and the CNI configuration of nodes."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.kube.client import Client
from ansible_collections.falconet.k8s.plugins.module_utils.probe.cluster.cni import configured, detect, read_nodes
from ansible_collections.falconet.k8s.plugins.module_utils.probe.model import Pod
from ansible_collections.falconet.k8s.plugins.module_utils.probe.wire.node_script import CNI_FILES

from ...kube.fake_api import FakeApi

DAEMONSETS, NODES = "/apis/apps/v1/daemonsets", "/api/v1/nodes"
PROBER = Pod("tools", "prober", "u9", "n1", ("192.0.2.9",), "probe")


class Probers:
    """A prober on the first node only."""

    def on(self, nodes: Iterable[str]) -> dict[str, Pod | str]:
        return {node: PROBER if node == "n1" else "node n2 is not Ready" for node in nodes}


def conflist(name: str, *types: str, **more: Any) -> str:
    return json.dumps({"cniVersion": "1.0.0", "name": name, "plugins": [{"type": kind, **more} for kind in types]})


@pytest.mark.parametrize(
    ("text", "plugins"),
    [
        (conflist("cbr0", "flannel", "portmap"), {"flannel": "no"}),
        (conflist("k8s-pod-network", "calico", "bandwidth"), {"Calico": "yes"}),
        (conflist("kindnet", "ptp", "portmap"), {"kindnet": "depends"}),
        (conflist("aws-cni", "aws-cni", "cilium-cni"), {"Amazon VPC CNI": "depends", "Cilium": "yes"}),
        (conflist("pods", "ptp", "portmap"), {"ptp": "depends"}),
        (json.dumps({"name": "old", "type": "weave-net"}), {"Weave Net": "yes"}),
        (conflist("new", "brand-new"), {"brand-new": "unknown"}),
        ("{not json", {}),
        ("[]", {}),
    ],
)
def test_a_configuration_names_its_plugins(text: str, plugins: dict[str, str]) -> None:
    assert {entry["name"]: entry["enforces"] for entry in configured(text, "Node n1: x")} == plugins


def test_only_the_first_file_of_a_directory_rules(api: FakeApi, client: Client) -> None:
    flannel = conflist("cbr0", "flannel", secret="planted")

    def container(_path: str, argv: list[str], _stdin: bytes) -> tuple[str, int]:
        assert argv == list(CNI_FILES)
        lines = ["F /etc/cni/net.d/90-old.conflist", " " + conflist("x", "calico")]
        return "\n".join([*lines, "F /etc/cni/net.d/10-flannel.conflist", " " + flannel, "E", ""]), 0

    api.exec = container
    found, unread = read_nodes(client, Probers(), ["n1", "n2"])  # type: ignore[arg-type]  # a stand-in for the test
    assert [(entry["name"], entry["enforces"]) for entry in found] == [("flannel", "no")]
    assert found[0]["seen"] == "Node n1: /etc/cni/net.d/10-flannel.conflist (flannel)"
    assert "planted" not in str(found)
    assert unread == {"n2": "node n2 is not Ready"}


def test_a_node_without_a_configuration_says_so(api: FakeApi, client: Client) -> None:
    api.exec = lambda *_: ("E\n", 0)
    assert read_nodes(client, Probers(), ["n1"]) == (  # type: ignore[arg-type]  # a stand-in for the test
        [],
        {"n1": "it has no CNI configuration in the known places"},
    )


def test_the_files_are_printed_whole(tmp_path: Path) -> None:
    script = CNI_FILES[2].replace("/proc/1/root", str(tmp_path))
    folder = tmp_path / "etc/cni/net.d"
    folder.mkdir(parents=True)
    (folder / "10-a.conflist").write_text('{\n  "name": "a\\n"\n}')
    (folder / "README").write_text("no")
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == 'F /etc/cni/net.d/10-a.conflist\n {\n   "name": "a\\n"\n }\nE\n'


def test_daemonsets_and_nodes_name_plugins(api: FakeApi, client: Client) -> None:
    api.collections.update({DAEMONSETS: [], NODES: []})
    assert detect(client) == []
    api.collections[NODES] = [{"metadata": {"name": "n1", "annotations": {"k3s.io/hostname": "n1"}}}]
    assert [entry["name"] for entry in detect(client)] == ["k3s"]
    for name in ("cilium-envoy", "kube-flannel-ds", "calico-node"):
        api.collections[DAEMONSETS].append({"metadata": {"name": name, "namespace": "kube-system"}})
    assert [entry["name"] for entry in detect(client)] == ["flannel", "Calico"]
    api.faults = lambda _method, path, _query: (403, {"reason": "Forbidden"}) if path == DAEMONSETS else None
    assert [entry["name"] for entry in detect(client)] == ["k3s"]
