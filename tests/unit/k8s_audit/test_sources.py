"""From which addresses a pod sees control-plane nodes come."""

from __future__ import annotations

from ansible_collections.falconet.k8s.plugins.module_utils.k8s_audit.sources import audit_sources, node_address

from .nodes import node


def test_addresses_of_the_control_plane_alone_in_their_order() -> None:
    worker = node("worker01", "192.0.2.3", control_plane=False)
    nodes = [node("cp02", "192.0.2.12"), node("cp01", "192.0.2.9", "2001:db8::9"), worker]
    assert audit_sources(nodes) == ["192.0.2.9/32", "192.0.2.12/32", "2001:db8::9/128"]


def test_a_tunnel_of_calico_and_the_device_of_flannel_are_how_pods_of_other_nodes_see_a_node() -> None:
    calico = node("cp01", "192.0.2.11")
    calico["metadata"]["annotations"] = {"projectcalico.org/IPv4IPIPTunnelAddr": "10.244.7.1"}
    flannel = node("cp02", "192.0.2.12", pods="10.244.3.0/24")
    assert audit_sources([flannel]) == ["192.0.2.12/32"]
    flannel["metadata"]["annotations"] = {"flannel.alpha.coreos.com/backend-type": "vxlan"}
    assert audit_sources([calico, flannel]) == ["10.244.3.0/32", "10.244.7.1/32", "192.0.2.11/32", "192.0.2.12/32"]
    flannel["spec"]["podCIDRs"] = ["10.244.3.7/24"]
    assert audit_sources([flannel]) == ["10.244.3.0/32", "192.0.2.12/32"]


def test_nodes_of_old_are_labelled_as_masters() -> None:
    old = node("master", "192.0.2.1")
    old["metadata"]["labels"] = {"node-role.kubernetes.io/master": ""}
    assert audit_sources([old]) == ["192.0.2.1/32"]


def test_the_first_internal_address_is_the_node_s_own() -> None:
    assert node_address(node("cp01", "192.0.2.11", "2001:db8::9")) == "192.0.2.11"
    assert node_address(node("cp01")) == ""
    assert audit_sources([]) == []
