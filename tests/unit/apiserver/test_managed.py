"""What is said of a node without an API server: whose it is, and which plugin reads its audit events."""

from __future__ import annotations

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.apiserver.managed import PROVIDERS, no_control_plane

MANIFEST = "/etc/kubernetes/manifests/kube-apiserver.yaml"


@pytest.mark.parametrize(
    ("command_line", "name", "plugin"),
    [
        ("kubelet --node-labels=eks.amazonaws.com/nodegroup=a,b=c", "Amazon EKS", "k8saudit-eks"),
        ("kubelet --v=2 --node-labels=cloud.google.com/gke-nodepool=a", "Google GKE", "k8saudit-gke"),
        ("kubelet --node-labels=a=b,kubernetes.azure.com/role=agent", "Azure AKS", "k8saudit-aks"),
    ],
)
def test_a_managed_cluster_is_told_with_the_plugin_that_serves_it(command_line: str, name: str, plugin: str) -> None:
    words = no_control_plane(MANIFEST, iter(["kubelet --config=/a", command_line]))
    assert words.startswith(f"this node belongs to {name}, where nobody but the provider configures the API server.")
    assert words.endswith(
        f"by the plugin {plugin}: https://github.com/falcosecurity/plugins/tree/main/plugins/{plugin}"
    )
    assert MANIFEST not in words


@pytest.mark.parametrize("command_lines", [[], ["kubelet --config=/var/lib/kubelet/config.yaml"]])
def test_of_any_other_node_is_told_what_was_looked_for_and_what_may_be(command_lines: list[str]) -> None:
    words = no_control_plane(MANIFEST, command_lines)
    assert words.startswith(f"there is no {MANIFEST}: this is no control-plane node as kubeadm makes them.")
    for provider in PROVIDERS:
        assert f"{provider.name} by {provider.plugin}" in words
