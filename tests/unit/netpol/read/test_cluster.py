"""Namespaces, Nodes, Services and their endpoints: what is read of them, and what is refused or left out."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.model.addresses import parse_address, parse_cidr
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.model.objects import Model, ServicePort
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.read.manifests import Input, load


def read(kind: str, namespace: str = "", version: str = "v1", labels: object = None, **fields: Any) -> Model:
    metadata: dict[str, Any] = {"name": "x"}
    if namespace:
        metadata["namespace"] = namespace
    if labels is not None:
        metadata["labels"] = labels
    return load([Input("t", objects=[{"apiVersion": version, "kind": kind, "metadata": metadata, **fields}])], "skip")


@pytest.mark.parametrize("kind", ["Namespace", "Node"])
def test_an_object_with_a_label_that_the_server_refuses_is_left_out_and_told(kind: str) -> None:
    model = read(kind, labels={"team": 1})
    (problem,) = model.errors
    assert (problem.path, problem.hint) == ("metadata.labels[team]", "write it in quotes: '1'")
    assert (model.nodes, "x" in model.namespaces) == ([], False)


def test_a_namespace_has_its_name_as_a_label_whatever_its_manifest_says() -> None:
    model = read("Namespace", labels={"kubernetes.io/metadata.name": "other", "team": "ops"})
    assert model.namespaces["x"].labels == {"kubernetes.io/metadata.name": "x", "team": "ops"}


def test_addresses_and_ranges_of_a_node_are_read_as_far_as_they_are_some() -> None:
    listed = [{"address": "192.0.2.1"}, {"address": "node-1"}, {"type": "Hostname"}, "192.0.2.2", {"address": "::1"}]
    spec = {"podCIDR": "10.0.0.0/24", "podCIDRs": ["10.0.0.0/24", "fd00::/64", "10.0.0.0", 7]}
    (node,) = read("Node", spec=spec, status={"addresses": listed}).nodes
    assert node.addresses == (parse_address("192.0.2.1"), parse_address("::1"))
    assert node.pod_ranges == (parse_cidr("10.0.0.0/24"), parse_cidr("fd00::/64"))


@pytest.mark.parametrize(
    "fields", [{}, {"spec": None, "status": []}, {"spec": 1, "status": {"addresses": {}}}], ids=range(3)
)
def test_a_node_that_says_nothing_has_no_addresses(fields: dict[str, Any]) -> None:
    (node,) = read("Node", **fields).nodes
    assert (node.addresses, node.pod_ranges) == ((), ())


def test_a_service_whose_selector_the_server_refuses_is_left_out_and_told() -> None:
    model = read("Service", "prod", spec={"selector": {"app": True}})
    (problem,) = model.errors
    assert (problem.path, problem.hint) == ("spec.selector[app]", "write it in quotes: 'true'")
    assert model.services == []


@pytest.mark.parametrize(
    ("port", "expected"),
    [
        pytest.param({"port": 80}, ServicePort("", "TCP", 80, 80), id="its-own-number"),
        pytest.param({"port": 80, "targetPort": 8080}, ServicePort("", "TCP", 80, 8080), id="a-number"),
        pytest.param({"port": 80, "targetPort": "http"}, ServicePort("", "TCP", 80, "http"), id="a-name"),
        pytest.param({"port": 80, "targetPort": True}, ServicePort("", "TCP", 80, 80), id="neither"),
        pytest.param({"port": 53, "name": "dns", "protocol": "UDP"}, ServicePort("dns", "UDP", 53, 53), id="named"),
        pytest.param({"port": "80"}, None, id="a-text"),
        pytest.param(80, None, id="no-mapping"),
    ],
)
def test_a_port_of_a_service_leads_to_one_of_its_pods(port: object, expected: ServicePort | None) -> None:
    (service,) = read("Service", "prod", spec={"selector": {"app": "x"}, "ports": [port]}).services
    assert service.ports == ((expected,) if expected else ())


def test_a_service_without_a_selector_is_told_apart_from_one_that_selects_all() -> None:
    """The API server takes an empty selector for none."""
    specs: list[dict[str, Any]] = [{}, {"selector": {}}, {"selector": None}]
    for spec in specs:
        assert read("Service", "prod", spec=spec).services[0].selector is None


def test_addresses_of_a_service_are_each_kept_once_and_none_is_no_address() -> None:
    (service,) = read("Service", "prod", spec={"clusterIP": "10.0.0.1", "clusterIPs": ["10.0.0.1", "fd00::1"]}).services
    assert service.addresses == (parse_address("10.0.0.1"), parse_address("fd00::1"))
    assert read("Service", "prod", spec={"clusterIP": "None"}).services[0].addresses == ()


def test_endpoints_are_those_of_the_service_that_they_name() -> None:
    slices = "discovery.k8s.io/v1"
    listed = {"endpoints": [{"addresses": ["192.0.2.1", "name"]}, {"addresses": None}], "ports": [{"port": 80}, {}]}
    model = read("EndpointSlice", "prod", slices, {"kubernetes.io/service-name": "web"}, **listed)
    ((service, (endpoints,)),) = model.endpoints.items()
    assert (service, endpoints.addresses) == (("prod", "web"), (parse_address("192.0.2.1"),))
    assert [(port.protocol, port.number) for port in endpoints.ports] == [("TCP", 80)]
    assert read("EndpointSlice", "prod", slices, **listed).endpoints == {}


def test_a_route_of_openshift_leads_to_its_services_alone() -> None:
    spec = {
        "to": {"kind": "Service", "name": "web"},
        "alternateBackends": [{"kind": "Other", "name": "x"}, {"name": "canary"}, {"kind": "Service"}],
        "port": {"targetPort": "http"},
    }
    (route,) = read("Route", "prod", "route.openshift.io/v1", spec=spec).routes
    assert [(one.service, one.port) for one in route.backends] == [("web", "http"), ("canary", "http")]
