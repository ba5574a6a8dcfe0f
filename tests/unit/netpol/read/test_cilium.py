"""CiliumNetworkPolicy as the model's policies: who may connect, and what is not known."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.ask.analysis import answer
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.ask.request import Request
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.read.manifests import Input, load

from ..lint.test_lint import pod, policy

PODS = [pod("web"), pod("db"), pod("web", "dev")]
NAMES = {"web": ("prod", "web"), "db": ("prod", "db"), "dev": ("dev", "web")}


def cilium(spec: str, namespace: str = "prod", name: str = "c") -> dict[str, Any]:
    kind = "CiliumNetworkPolicy" if namespace else "CiliumClusterwideNetworkPolicy"
    metadata = {"name": name, "namespace": namespace} if namespace else {"name": name}
    return {"apiVersion": "cilium.io/v2", "kind": kind, "metadata": metadata, "spec": yaml.safe_load(spec)}


def verdict(*manifests: dict[str, Any], start: str = "web", end: str = "db", port: str = "80") -> str:
    """allowed, denied or undetermined."""
    ends = []
    for name in (start, end):
        namespace, workload = NAMES.get(name, ("", ""))
        ends.append({"namespace": namespace, "workload": workload} if workload else {"ip": name})
    model = load([Input("t", objects=[*PODS, *manifests])])
    (found,) = answer(Request("query", source=ends[0], destination=ends[1], ports=[port]), model)["verdicts"]
    return "undetermined" if found["undetermined"] else "allowed" if found["allowed"] else "denied"


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        # What is isolated, and by what.
        ("{endpointSelector: {}, ingress: [{}]}", {("web", "db"): "denied"}),
        ("{endpointSelector: {}, ingress: []}", {("web", "db"): "allowed"}),
        ("{endpointSelector: {}, ingress: [{}], enableDefaultDeny: {ingress: false}}", {("web", "db"): "allowed"}),
        # Peers of the own namespace, of another one, of namespaces by label.
        (
            "{endpointSelector: {}, ingress: [{fromEndpoints: [{matchLabels: {app: web}}]}]}",
            {("web", "db"): "allowed", ("db", "web"): "denied", ("dev", "db"): "denied"},
        ),
        (
            "{endpointSelector: {}, ingress: [{fromEndpoints: [{matchLabels:"
            " {'k8s:io.kubernetes.pod.namespace': dev}}]}]}",
            {("web", "db"): "denied", ("dev", "db"): "allowed"},
        ),
        (
            "{endpointSelector: {}, ingress: [{fromEndpoints: [{matchLabels:"
            " {'io.cilium.k8s.namespace.labels.kubernetes.io/metadata.name': dev, 'any:app': web}}]}]}",
            {("web", "db"): "denied", ("dev", "db"): "allowed"},
        ),
        ("{endpointSelector: {}, ingress: [{fromEndpoints: []}]}", {("web", "db"): "denied"}),
        # Entities.
        (
            "{endpointSelector: {}, ingress: [{fromEntities: [cluster]}]}",
            {("dev", "db"): "allowed", ("192.0.2.1", "db"): "denied"},
        ),
        (
            "{endpointSelector: {}, ingress: [{fromEntities: [world]}]}",
            {("dev", "db"): "denied", ("192.0.2.1", "db"): "allowed"},
        ),
        (
            "{endpointSelector: {}, ingress: [{fromEntities: [kube-apiserver]}]}",
            {("dev", "db"): "undetermined", ("192.0.2.1", "db"): "undetermined"},
        ),
        # Blocks are never pods.
        (
            "{endpointSelector: {}, ingress: [{fromCIDR: [0.0.0.0/0]}]}",
            {("web", "db"): "denied", ("192.0.2.1", "db"): "allowed"},
        ),
        (
            "{endpointSelector: {}, ingress: [{fromCIDRSet: [{cidr: 192.0.2.0/24, except: [192.0.2.0/25]}]}]}",
            {("192.0.2.1", "db"): "denied", ("192.0.2.200", "db"): "allowed"},
        ),
        # Ports, without peers for everyone.
        (
            "{endpointSelector: {}, ingress: [{toPorts: [{ports: [{port: '80', protocol: TCP}]}]}]}",
            {("dev", "db"): "allowed", ("192.0.2.1", "db"): "allowed"},
        ),
        (
            "{endpointSelector: {}, ingress: [{toPorts: [{ports: [{port: '80', protocol: UDP}]}]}]}",
            {("dev", "db"): "denied"},
        ),
        (
            "{endpointSelector: {}, ingress: [{toPorts: [{ports: [{port: '79', endPort: 81}]}]}]}",
            {("dev", "db"): "allowed"},
        ),
        ("{endpointSelector: {}, ingress: [{icmps: [{fields: [{type: 8}]}]}]}", {("dev", "db"): "denied"}),
        # An address alone, nodes, a port of another protocol, identities.
        (
            "{endpointSelector: {}, ingress: [{fromCIDR: [192.0.2.1]}]}",
            {("192.0.2.1", "db"): "allowed", ("192.0.2.2", "db"): "denied"},
        ),
        ("{endpointSelector: {}, ingress: [{fromNodes: [{}]}]}", {("192.0.2.1", "db"): "denied"}),
        (
            "{endpointSelector: {}, ingress: [{toPorts: [{ports: [{port: '8', protocol: ICMP}]}]}]}",
            {("web", "db"): "denied"},
        ),
        (
            "{endpointSelector: {}, ingress: [{fromEndpoints: [{}], authentication: {mode: required}}]}",
            {("web", "db"): "undetermined", ("dev", "db"): "denied"},
        ),
        (
            "{endpointSelector: {}, ingress: [{fromEndpoints: [{matchLabels: {reserved:host: ''}}]}]}",
            {("web", "db"): "undetermined"},
        ),
        (
            "{endpointSelector: {}, ingress: [{fromCIDRSet: [{cidrGroupRef: partners}]}]}",
            {("192.0.2.1", "db"): "undetermined"},
        ),
        # Denials come before what is allowed.
        (
            "{endpointSelector: {}, ingress: [{fromEntities: [all]}],"
            " ingressDeny: [{fromEndpoints: [{matchLabels: {app: web}}]}]}",
            {("web", "db"): "denied", ("db", "web"): "allowed", ("dev", "db"): "allowed"},
        ),
        # What is decided beyond addresses and ports.
        (
            "{endpointSelector: {}, ingress: [{fromEntities: [all],"
            " toPorts: [{ports: [{port: '80'}], rules: {http: [{method: GET}]}}]}]}",
            {("web", "db"): "undetermined"},
        ),
        (
            "{endpointSelector: {}, egress: [{toFQDNs: [{matchName: example.org}]}]}",
            {("web", "192.0.2.1"): "undetermined", ("web", "db"): "denied"},
        ),
        (
            "{endpointSelector: {}, egress: [{toServices: [{k8sService: {serviceName: db}}]}]}",
            {("web", "db"): "undetermined"},
        ),
    ],
)
def test_who_may_connect_under_a_policy_of_cilium(spec: str, expected: dict[tuple[str, str], str]) -> None:
    found = {(start, end): verdict(cilium(spec), start=start, end=end) for start, end in expected}
    assert found == expected


def test_a_denial_comes_before_what_a_network_policy_allows() -> None:
    opens = policy("{podSelector: {}, ingress: [{}]}")
    denies = cilium("{endpointSelector: {matchLabels: {app: db}}, ingressDeny: [{fromEntities: [all]}]}")
    assert verdict(opens, denies) == "denied"
    assert verdict(opens, denies, end="web", start="db") == "allowed"


def test_what_either_allows_is_allowed() -> None:
    closed = policy("{podSelector: {}}")
    opens = cilium("{endpointSelector: {}, ingress: [{fromEntities: [cluster]}]}")
    assert verdict(closed, opens) == "allowed"


def test_a_clusterwide_policy_is_about_every_namespace() -> None:
    closed = cilium("{endpointSelector: {}, ingress: [{fromEndpoints: [{}]}]}", namespace="")
    assert verdict(closed, start="dev") == "allowed"
    assert verdict(closed, start="192.0.2.1") == "denied"


def test_policies_of_nodes_are_about_no_pod() -> None:
    assert verdict(cilium("{nodeSelector: {}, ingress: [{}]}", namespace="")) == "allowed"


def test_nodes_are_not_the_world() -> None:
    node = {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": "n"},
        "status": {"addresses": [{"type": "InternalIP", "address": "192.0.2.9"}]},
    }
    world = cilium("{endpointSelector: {}, ingress: [{fromEntities: [world]}]}")
    assert verdict(world, node, start="192.0.2.9") == "denied"
    nodes = cilium("{endpointSelector: {}, ingress: [{fromEntities: [remote-node]}]}")
    assert verdict(nodes, node, start="192.0.2.9") == "allowed"
    assert verdict(nodes, node, start="192.0.2.1") == "denied"


def test_several_specs_are_several_policies() -> None:
    manifest = cilium("{}")
    del manifest["spec"]
    manifest["specs"] = [
        {"endpointSelector": {"matchLabels": {"app": "db"}}, "ingress": [{}]},
        {"endpointSelector": {"matchLabels": {"app": "web"}}, "ingress": [{}]},
    ]
    assert (verdict(manifest), verdict(manifest, start="db", end="web")) == ("denied", "denied")


def test_what_is_not_analysed_is_told_by_name_and_place() -> None:
    fqdn = cilium("{endpointSelector: {}, egress: [{toFQDNs: [{matchName: example.org}]}]}")
    model = load([Input("t", objects=[*PODS, fqdn])])
    result = answer(Request("matrix"), model)
    assert result["notes"] == [
        "not analysed: 1 toFQDNs of CiliumNetworkPolicy prod/c",
        f"undetermined: {result['summary']['undetermined']} pairs depend on parts of policies that are not analysed, or"
        " on addresses; they count as denied",
    ]
    explained = answer(
        Request("query", source={"namespace": "prod", "workload": "web"}, destination={"ip": "192.0.2.1"}, ports=[443]),
        model,
    )
    assert "toFQDNs of CiliumNetworkPolicy prod/c are not analysed" in str(explained["verdicts"])


def test_a_policy_whose_subject_is_not_told_by_labels_is_left_out_by_name() -> None:
    subject = "{endpointSelector: {matchLabels: {io.cilium.k8s.policy.serviceaccount: db}}, ingress: [{}]}"
    (left,) = load([Input("t", objects=[*PODS, cilium(subject)])]).not_analysed
    assert left.kind == "CiliumNetworkPolicy prod/c (about pods by io.cilium.k8s.policy.serviceaccount)"


@pytest.mark.parametrize(
    ("spec", "path", "message"),
    [
        ("{ingress: [{}]}", "spec.endpointSelector", "required"),
        (
            "{endpointSelector: {}, ingress: [{toPorts: [{ports: [{port: '80', protocol: QUIC}]}]}]}",
            "spec.ingress[0].toPorts[0].ports[0].protocol",
            "unsupported value 'QUIC'",
        ),
        ("{endpointSelector: {}, egress: [{toCIDR: [10.0.0.0/33]}]}", "spec.egress[0].toCIDR[0].cidr", "not a CIDR"),
        (
            "{endpointSelector: {}, egress: [{toPorts: [{ports: [{port: '81', endPort: 80}]}]}]}",
            "spec.egress[0].toPorts[0].ports[0].endPort",
            "must not be less than port 81",
        ),
        ("{endpointSelector: web}", "spec.endpointSelector", "must be a mapping, not a string"),
        ("{endpointSelector: {matchLabels: {1: web}}}", "spec.endpointSelector.matchLabels[1]", "must be a string"),
        (
            "{endpointSelector: {}, egress: [{toPorts: [{ports: [{protocol: TCP}]}]}]}",
            "spec.egress[0].toPorts[0].ports[0].port",
            "required",
        ),
        (
            "{endpointSelector: {}, egress: [{toPorts: [{ports: [{port: '65536'}]}]}]}",
            "spec.egress[0].toPorts[0].ports[0].port",
            "invalid value 65536: must be between 0 and 65535",
        ),
        (
            f"{{endpointSelector: {{}}, egress: [{{toPorts: [{{ports: [{{port: '{'9' * 5000}'}}]}}]}}]}}",
            "spec.egress[0].toPorts[0].ports[0].port",
            f"invalid value {'9' * 20}: must be between 0 and 65535",
        ),
    ],
    ids=range(9),
)
def test_what_cilium_refuses_is_an_error_at_its_path(spec: str, path: str, message: str) -> None:
    found = load([Input("t", objects=[cilium(spec)])], "skip").errors[0]
    assert found.path == path
    assert message in found.message


def test_a_policy_without_a_spec_is_refused() -> None:
    manifest = cilium("{}")
    del manifest["spec"]
    (found,) = load([Input("t", objects=[manifest])], "skip").errors
    assert (found.path, found.message) == ("spec", "required: a policy with at least one of spec and specs")


def test_what_python_takes_for_a_digit_is_a_name() -> None:
    """A superscript two is a digit and no number."""
    spec = "{endpointSelector: {}, ingress: [{toPorts: [{ports: [{port: '²', protocol: TCP}]}]}]}"
    (found,) = load([Input("t", objects=[cilium(spec)])]).policies
    assert [str(port) for port in found.ingress[0].ports or ()] == ["²/TCP"]


def test_leading_zeros_of_a_port_say_nothing() -> None:
    spec = "{endpointSelector: {}, ingress: [{toPorts: [{ports: [{port: '0080', protocol: TCP}]}]}]}"
    (found,) = load([Input("t", objects=[cilium(spec)])]).policies
    assert [str(port) for port in found.ingress[0].ports or ()] == ["80/TCP"]
