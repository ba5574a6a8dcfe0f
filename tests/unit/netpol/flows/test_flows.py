"""The vocabulary for flows: what it means in a cluster, and how mistakes in it are told."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.errors import FlowError, NoPodError
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.flows.ends import (
    intervals,
    select,
    select_destination,
)
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.flows.vocabulary import (
    parse_flow,
    parse_flows,
    parse_port,
)
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.model.objects import Model
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.read.manifests import Input, load


def pod(name: str, namespace: str, host: bool = False, port: int = 8080, **labels: str) -> dict[str, Any]:
    ports = [{"name": "http", "containerPort": port}]
    return {
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "spec": {"hostNetwork": host, "containers": [{"name": "main", "ports": ports}]},
    }


def service(selector: dict[str, str] | None) -> dict[str, Any]:
    ports = [{"name": "web", "port": 80, "targetPort": "http"}, {"name": "admin", "port": 81, "targetPort": 9000}]
    return {
        "kind": "Service",
        "metadata": {"name": "api", "namespace": "prod"},
        "spec": {"selector": selector, "ports": ports},
    }


OF_SHOP = pod("shop-1", "prod", tier="shop")
OF_SHOP["metadata"]["ownerReferences"] = [{"controller": True, "kind": "Deployment", "name": "shop"}]
#: Of which no pod runs.
TEMPLATE = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "later", "namespace": "prod"},
    "spec": {"template": {"metadata": {"labels": {"tier": "later"}}, "spec": {"containers": []}}},
}


@pytest.fixture
def model() -> Model:
    return load(
        [
            Input(
                "test",
                objects=[
                    {"kind": "Namespace", "metadata": {"name": "prod", "labels": {"stage": "live"}}},
                    pod("api-0", "prod", app="api"),
                    pod("web-0", "prod", port=8081, app="web"),
                    {"kind": "Namespace", "metadata": {"name": "test", "labels": {"stage": "test"}}},
                    {"kind": "Namespace", "metadata": {"name": "idle", "labels": {"stage": "idle"}}},
                    pod("agent", "prod", host=True, app="agent"),
                    pod("api-0", "test", app="api"),
                    OF_SHOP,
                    TEMPLATE,
                    service({"app": "api"}),
                ],
            )
        ]
    )


@pytest.mark.parametrize(
    ("peer", "names"),
    [
        ({}, ["prod/api-0", "prod/web-0", "test/api-0", "prod/shop-1", "prod/Deployment/later"]),
        ({"namespace": "prod"}, ["prod/api-0", "prod/web-0", "prod/shop-1", "prod/Deployment/later"]),
        ({"namespace": ["prod", "test"], "labels": {"app": "api"}}, ["prod/api-0", "test/api-0"]),
        ({"namespace_labels": {"stage": "live"}, "labels": {"app": "api"}}, ["prod/api-0"]),
        ({"workload": "Pod/api-0"}, ["prod/api-0", "test/api-0"]),
        ({"workload": "agent"}, ["prod/agent"]),
        ({"workload": "deployment/shop"}, ["prod/shop-1"]),
        ({"pod": "web-0"}, ["prod/web-0"]),
        ({"pod": "agent"}, ["prod/agent"]),
        ({"service": "api"}, ["prod/api-0"]),
    ],
)
def test_a_peer_is_the_pods_that_meet_all_of_it(model: Model, peer: dict[str, Any], names: list[str]) -> None:
    flow = parse_flow({"from": {}, "to": peer})
    assert [pod.full_name for pod in select(model, flow.destination).pods] == names


@pytest.mark.parametrize(
    ("port", "text"),
    [
        (8080, "8080/TCP"),
        ("8080/udp", "8080/UDP"),
        ("http/TCP", "http/TCP"),
        ("http", "http/TCP"),
        ("8000-8100/TCP", "8000-8100/TCP"),
        ({"port": 53, "protocol": "UDP"}, "53/UDP"),
        ({"port": 8000, "end_port": 8100}, "8000-8100/TCP"),
        ({"protocol": "SCTP"}, "1-65535/SCTP"),
        ("all/UDP", "1-65535/UDP"),
        (1, "1/TCP"),
        ("80-80", "80/TCP"),
        ("8000 - 8100", "8000-8100/TCP"),
        ("x-90", "x-90/TCP"),
        ("90-x", "90-x/TCP"),
        ("of-15-letters-a", "of-15-letters-a/TCP"),
    ],
)
def test_a_port_may_be_written_in_several_ways(port: object, text: str) -> None:
    assert str(parse_port(port)) == text


def test_named_ports_are_those_of_the_destination(model: Model) -> None:
    flow = parse_flow({"to": {"namespace": "prod"}, "ports": ["http"]})
    found = {pod.name: intervals(model, flow, pod) for pod in select(model, flow.destination).pods}
    numbers = {"api-0": [("TCP", 8080, 8080)], "web-0": [("TCP", 8081, 8081)], "shop-1": [("TCP", 8080, 8080)]}
    assert found == {**numbers, "later": []}
    assert intervals(model, flow, None) == []


def test_a_port_of_a_name_is_of_that_protocol_too() -> None:
    two = pod("dns", "prod")
    two["spec"]["containers"][0]["ports"] = [
        {"name": "dns", "containerPort": 53, "protocol": "UDP"},
        {"name": "dns-tcp", "containerPort": 54},
        {"name": "metrics", "containerPort": 9153, "protocol": "UDP"},
    ]
    model = load([Input("test", objects=[two])])
    (found,) = select_destination(model, parse_flow({"to": {"pod": "dns"}}).destination).pods
    assert intervals(model, parse_flow({"to": {"pod": "dns"}, "ports": ["dns/UDP"]}), found) == [("UDP", 53, 53)]
    assert intervals(model, parse_flow({"to": {"pod": "dns"}, "ports": ["dns/TCP"]}), found) == []


def test_a_port_of_a_service_may_lead_to_a_number_that_is_written_as_text() -> None:
    api = service({"app": "api"})
    api["spec"]["ports"] = [{"port": 80, "targetPort": "9000"}]
    model = load([Input("test", objects=[pod("api-0", "prod", app="api"), api])])
    flow = parse_flow({"to": {"service": "api"}})
    (found,) = select(model, flow.destination).pods
    assert intervals(model, flow, found) == [("TCP", 9000, 9000)]


def test_ports_of_a_service_are_what_a_client_dials(model: Model) -> None:
    (api,) = select(model, parse_flow({"to": {"service": "api"}}).destination).pods
    assert intervals(model, parse_flow({"to": {"service": "api"}, "ports": [80]}), api) == [("TCP", 8080, 8080)]
    assert intervals(model, parse_flow({"to": {"service": "api"}, "ports": ["admin"]}), api) == [("TCP", 9000, 9000)]
    assert len(intervals(model, parse_flow({"to": {"service": "api"}}), api)) == 2
    for other in (8080, "80/UDP"):
        with pytest.raises(FlowError, match=r"has none of these ports.*80/TCP"):
            intervals(model, parse_flow({"to": {"service": "api"}, "ports": [other]}), api)


@pytest.mark.parametrize(
    ("flow", "path", "message"),
    [
        ("x", "flows[0]", "must be a mapping"),
        ({"form": {}}, "flows[0].form", "did you mean 'from'"),
        ({"to": {"namespaces": "a"}}, "flows[0].to.namespaces", "did you mean 'namespace'"),
        ({"to": {"labels": {"app": 1}}}, "flows[0].to.labels[app]", "must be a string"),
        ({"to": {"labels": {443: "x"}}}, "flows[0].to.labels", "the name of a label must be a string, not 443"),
        ({"to": {"labels": "app=x"}}, "flows[0].to.labels", "must be a mapping"),
        ({"to": {"ip": "10.0.0.0/8"}}, "flows[0].to.ip", "not an address"),
        ({"to": {"cidr": "10.0.0.0/33"}}, "flows[0].to.cidr", "not a block"),
        ({"to": {"cidr": "10.0.0.0/8", "labels": {}}}, "flows[0].to", "stands alone"),
        ({"from": {"service": "api"}}, "flows[0].from.service", "opens no connections"),
        ({"ports": [0]}, "flows[0].ports[0]", "not a port number"),
        ({"ports": ["90-80"]}, "flows[0].ports[0]", "before its start"),
        ({"ports": ["80/ICMP"]}, "flows[0].ports[0]", "not a protocol"),
        ({"ports": [True]}, "flows[0].ports[0]", "not a port"),
        ({"ports": ["HTTP!"]}, "flows[0].ports[0]", "neither a port number nor a port's name"),
        ({"ports": [{"port": "http", "end_port": 5}]}, "flows[0].ports[0].end_port", "beside a named port"),
        ({"ports": [8.5]}, "flows[0].ports[0]", "8.5 is not a port"),
        ({"ports": ["of-sixteen-lette"]}, "flows[0].ports[0]", "neither a port number nor a port's name"),
        ({"ports": ["\uff18\uff10"]}, "flows[0].ports[0]", "not a port number"),
        ({"ports": ["9" * 5000]}, "flows[0].ports[0]", "not a port number"),
        ({"ports": [{"port": 80, "end_port": "x"}]}, "flows[0].ports[0]", "'x' is not a port number"),
        ({"name": 5}, "flows[0].name", "must be a string"),
        ({"to": {"pod": 5}}, "flows[0].to.pod", "must be a name"),
        ({"to": {"pod": ""}}, "flows[0].to.pod", "must be a name"),
        ({"ports": [{"end_port": 80}]}, "flows[0].ports[0].end_port", "needs a port to start from"),
    ],
)
def test_what_is_not_of_the_vocabulary_is_told_by_its_place(flow: object, path: str, message: str) -> None:
    with pytest.raises(FlowError, match=message) as caught:
        parse_flows([flow])
    assert caught.value.path == path


@pytest.mark.parametrize(
    ("peer", "message"),
    [
        ({"namespace": "prd"}, "there is no namespace 'prd', did you mean 'prod'"),
        ({"workload": "wep-0"}, "there is no workload 'wep-0', did you mean 'web-0'"),
        ({"labels": {"ap": "api"}}, "there is no pod label 'ap', did you mean 'app'"),
        ({"labels": {"app": "apy"}}, "there is no pod label app 'apy', did you mean 'api'"),
        ({"namespace": "test", "labels": {"app": "web"}}, "each part exists, but no pod has all of them"),
        ({"service": "apy"}, "there is no Service 'apy' \\(did you mean 'api'"),
        ({"workload": "shap"}, "there is no workload 'shap', did you mean 'shop'"),
        ({"workload": "shop-1"}, "there is no workload 'shop-1', did you mean 'shop'"),
        ({"workload": "StatefulSet/shop"}, "each part exists, but no pod has all of them"),
        ({"pod": "web-0", "namespace": "test"}, "each part exists, but no pod has all of them"),
        ({"pod": "later"}, "each part exists, but no pod has all of them"),
    ],
)
def test_what_nothing_matches_is_told_with_the_nearest(model: Model, peer: dict[str, Any], message: str) -> None:
    with pytest.raises(FlowError, match=message):
        select(model, parse_flow({"to": peer}).destination)


def test_no_list_of_flows_is_refused_and_none_is_no_flow() -> None:
    with pytest.raises(FlowError, match="must be a list of flows"):
        parse_flows({"from": {}})
    assert parse_flows(None) == []


@pytest.mark.parametrize(
    ("peer", "text"),
    [
        ({"cidr": "192.0.2.0/24"}, "192.0.2.0/24"),
        ({"ip": "192.0.2.7"}, "192.0.2.7"),
        (
            {"namespace": ["a", "b"], "namespace_labels": {"stage": "live"}},
            "namespace a, b; namespace labels stage=live",
        ),
    ],
)
def test_a_peer_is_told_as_it_was_written(peer: dict[str, Any], text: str) -> None:
    assert text in str(parse_flow({"to": peer}).destination)


@pytest.mark.parametrize(
    ("peer", "message"),
    [
        ({"pod": "wep-0"}, "there is no pod 'wep-0', did you mean 'web-0'"),
        ({"namespace_labels": {"stage": "life"}}, "there is no namespace label stage 'life', did you mean 'live'"),
        ({"namespace": ["prod", "tst"], "labels": {"app": "api"}}, "only a part of"),
        ({"labels": {"app": "agent"}}, "pods on the host network have all of it"),
        ({"namespace": "prod", "labels": {"app": "agent"}}, "pods on the host network have all of it"),
        (
            {"namespace_labels": {"stage": "live"}, "labels": {"app": "agent"}},
            "pods on the host network have all of it",
        ),
        ({"namespace": "test", "labels": {"app": "agent"}}, "each part exists"),
        ({"namespace_labels": {"stage": "test"}, "labels": {"app": "agent"}}, "each part exists"),
        ({"service": "api", "labels": {"app": "web"}}, "each part exists"),
        ({"workload": "web-0", "labels": {"app": "agent"}}, "each part exists"),
        ({"pod": "web-0", "labels": {"app": "agent"}}, "each part exists"),
    ],
)
def test_what_a_peer_lacks_is_told(model: Model, peer: dict[str, Any], message: str) -> None:
    with pytest.raises(FlowError, match=message):
        select(model, parse_flow({"to": peer}).destination)


@pytest.mark.parametrize(
    ("peer", "empty"),
    [
        ({"namespace": "idle"}, True),
        ({"namespace_labels": {"stage": "idle"}}, True),
        ({"namespace": "idle", "namespace_labels": {"stage": "idle"}}, True),
        ({"namespace": "idle", "namespace_labels": {"stage": "live"}}, False),
        ({"namespace": "gone"}, False),
        ({"namespace": ["idle", "gone"]}, False),
        ({"namespace_labels": {"stage": "gone"}}, False),
        ({"namespace": "idle", "workload": "shop"}, False),
        ({"namespace": "idle", "pod": "web-0"}, False),
        ({"namespace": "idle", "labels": {"app": "api"}}, False),
        ({"service": "api", "labels": {"app": "web"}}, False),
        ({"namespace": "prod", "service": "nobody"}, False),
    ],
)
def test_an_end_is_empty_where_it_names_nothing_but_namespaces_that_there_are(
    peer: dict[str, Any], empty: bool
) -> None:
    nobody = service({"app": "none"})
    nobody["metadata"]["name"] = "nobody"
    spaces = [
        {"kind": "Namespace", "metadata": {"name": name, "labels": {"stage": stage}}}
        for name, stage in (("idle", "idle"), ("prod", "live"))
    ]
    pods = [pod("api-0", "prod", app="api"), pod("web-0", "prod", app="web"), OF_SHOP]
    model = load([Input("test", objects=[*spaces, *pods, service({"app": "api"}), nobody])])
    with pytest.raises(NoPodError) as caught:
        select(model, parse_flow({"to": peer}).destination)
    assert caught.value.empty is empty


def test_a_service_without_a_selector_has_no_pods_that_we_know(model: Model) -> None:
    bare = load([Input("test", objects=[service(None)])])
    with pytest.raises(FlowError, match="has no selector"):
        select(bare, parse_flow({"to": {"service": "api"}}).destination)


def test_a_service_without_a_selector_is_its_endpoints() -> None:
    def load_with(*more: dict[str, Any]) -> Model:
        pod = {
            "kind": "Pod",
            "metadata": {"name": "db", "namespace": "prod"},
            "spec": {},
            "status": {"podIP": "10.0.0.5"},
        }
        others = [
            {**pod, "metadata": {"name": "node", "namespace": "prod"}, "spec": {"hostNetwork": True}},
            {**pod, "metadata": {"name": "other", "namespace": "prod"}, "status": {"podIP": "10.0.0.6"}},
        ]
        return load([Input("test", objects=[service(None), pod, *others, *more])])

    flow = parse_flow({"to": {"service": "api"}})
    bare = load_with()
    ends = select_destination(bare, flow.destination)
    assert [str(block) for block in ends.blocks] == ["0.0.0.0/0"]
    assert "Service prod/api has no selector, and policies see its endpoints" in ends.note
    assert ends.block == ends.blocks[0]
    assert intervals(bare, flow, None) == [("TCP", 80, 80), ("TCP", 9000, 9000)]
    metadata = {"name": "api", "namespace": "prod"}
    addresses = [{"ip": "192.0.2.7"}, {"ip": "10.0.0.5"}, {"ip": "no address"}]
    port = bare.services[0].ports[0]
    ports = [{"name": port.name, "port": 6432, "protocol": port.protocol}]
    endpoints = {"kind": "Endpoints", "apiVersion": "v1", "metadata": metadata}
    slices = {
        "kind": "EndpointSlice",
        "apiVersion": "discovery.k8s.io/v1",
        "metadata": {**metadata, "name": "api-x", "labels": {"kubernetes.io/service-name": "api"}},
        "endpoints": [{"addresses": [item["ip"]]} for item in addresses],
        "ports": ports,
    }
    for known in ({**endpoints, "subsets": [{"addresses": addresses, "ports": ports}]}, slices):
        model = load_with(known)
        ends = select_destination(model, flow.destination)
        assert [pod.name for pod in ends.pods] == ["db"]
        assert ([str(block) for block in ends.blocks], ends.block, ends.note) == (["192.0.2.7"], None, "")
        assert intervals(model, flow, None) == [("TCP", 6432, 6432), ("TCP", 9000, 9000)]


@pytest.mark.parametrize(
    ("flow", "text"),
    [
        ({"from": {"pod": "a"}, "to": {"pod": "b"}, "name": "orders"}, "orders"),
        ({"from": {"pod": "a"}, "to": {"pod": "b"}, "ports": [80, "dns/UDP"]}, "pod a -> pod b on 80/TCP, dns/UDP"),
        ({"from": {"pod": "a"}, "to": {"pod": "b"}}, "pod a -> pod b on all ports"),
        ({"from": {"pod": "a"}, "to": {"pod": "b"}, "ports": []}, "pod a -> pod b on all ports"),
    ],
    ids=["its-name", "ports", "no-ports", "an-empty-list-of-ports"],
)
def test_a_flow_is_told_by_its_name_or_its_ends(flow: dict[str, Any], text: str) -> None:
    assert str(parse_flow(flow)) == text


def test_a_service_of_two_namespaces_needs_one() -> None:
    other = service({"app": "api"})
    other["metadata"]["namespace"] = "test"
    both = load([Input("test", objects=[pod("api-0", "prod", app="api"), service({"app": "api"}), other])])
    with pytest.raises(FlowError, match="Service 'api' exists in prod, test"):
        select_destination(both, parse_flow({"to": {"service": "api"}}).destination)
    (found,) = select_destination(both, parse_flow({"to": {"service": "api", "namespace": "prod"}}).destination).pods
    assert found.full_name == "prod/api-0"


def test_pods_that_have_finished_are_no_end_and_that_is_told() -> None:
    done = pod("import-0", "prod", app="import")
    done["status"] = {"phase": "Succeeded"}
    model = load([Input("test", objects=[done, pod("api-0", "prod", app="api")])])
    with pytest.raises(FlowError, match="pods that have finished do not count"):
        select(model, parse_flow({"to": {"labels": {"app": "import"}}}).destination)


@pytest.mark.parametrize("labels", [{"stage": "live", "team": "b"}, {"team": "b", "stage": "live"}], ids=["a", "b"])
def test_each_namespace_label_is_looked_at(labels: dict[str, str]) -> None:
    spaces = [
        {"kind": "Namespace", "metadata": {"name": "prod", "labels": {"stage": "live", "team": "a"}}},
        pod("api-0", "prod", app="api"),
    ]
    with pytest.raises(FlowError, match="there is no namespace label team 'b'"):
        select(load([Input("test", objects=spaces)]), parse_flow({"to": {"namespace_labels": labels}}).destination)


def test_a_name_of_dns_may_be_any_address() -> None:
    named = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "mail", "namespace": "prod"},
        "spec": {"type": "ExternalName", "externalName": "mail.example.org"},
    }
    model = load([Input("test", objects=[named, pod("api-0", "prod", app="api")])])
    found = select_destination(model, parse_flow({"to": {"service": "mail"}}).destination)
    assert found.note.startswith("Service prod/mail is a name of DNS")
    assert found.blocks
    assert not found.pods


def test_a_flow_without_ports_is_all_of_them(model: Model) -> None:
    whole = [(protocol, 1, 65535) for protocol in ("TCP", "UDP", "SCTP")]
    (web,) = select(model, parse_flow({"to": {"pod": "web-0"}}).destination).pods
    assert sorted(intervals(model, parse_flow({"to": {"pod": "web-0"}}), web)) == sorted(whole)
    assert intervals(model, parse_flow({"to": {"pod": "web-0"}, "ports": ["90-99/UDP"]}), web) == [("UDP", 90, 99)]
