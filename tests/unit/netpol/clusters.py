"""Random clusters and policies as manifests, small enough to be decided one connection at a time."""

from __future__ import annotations

from typing import Any

from ansible_collections.falconet.k8s.plugins.module_utils.netpol.model.objects import Model
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.read.manifests import Input, load
from hypothesis import strategies as st

KEYS = ("app", "tier")
VALUES = ("a", "b", "c")
NAMESPACES = ("one", "two")
PORT_NAMES = ("http", "dns")
NUMBERS = (53, 80, 81, 8080, 65535)
PROTOCOLS = ("TCP", "UDP", "SCTP")
#: Blocks of both families; some hold pod addresses, which are in 10.0.0.0/29 and fd00::/125.
BLOCKS = (
    ("0.0.0.0/0", ("10.0.0.0/30", "192.0.2.0/24")),
    ("10.0.0.0/30", ("10.0.0.1/32",)),
    ("192.0.2.128/25", ()),
    ("::/0", ("fd00::/126",)),
    ("fd00::/126", ()),
    ("2001:db8::/32", ("2001:db8:1::/48",)),
    ("0.0.0.0/1", ()),
    ("128.0.0.0/1", ("192.0.2.0/24",)),
    ("10.0.0.0/28", ("10.0.0.4/30",)),
)

labels = st.dictionaries(st.sampled_from(KEYS), st.sampled_from(VALUES), max_size=2)


def _expression(operator: str) -> st.SearchStrategy[dict[str, Any]]:
    fields: dict[str, Any] = {"key": st.sampled_from(KEYS), "operator": st.just(operator)}
    if operator in ("In", "NotIn"):
        fields["values"] = st.lists(st.sampled_from(VALUES), min_size=1, max_size=2)
    return st.fixed_dictionaries(fields)


def selector(keys: tuple[str, ...] = KEYS) -> st.SearchStrategy[dict[str, Any]]:
    expression = st.one_of(*(_expression(operator) for operator in ("In", "NotIn", "Exists", "DoesNotExist")))
    return st.one_of(
        st.just({}),
        st.fixed_dictionaries({"matchLabels": labels}),
        st.fixed_dictionaries({"matchExpressions": st.lists(expression, min_size=1, max_size=2)}),
    )


@st.composite
def pods(draw: st.DrawFn, index: int) -> dict[str, Any]:
    ports = draw(
        st.lists(
            st.tuples(st.sampled_from(PORT_NAMES), st.sampled_from(NUMBERS), st.sampled_from(PROTOCOLS)),
            max_size=2,
            unique_by=lambda port: port[0],
        )
    )
    addresses = draw(st.sampled_from(["", "4", "6", "46"]))
    found = []
    if "4" in addresses:
        found.append({"ip": f"10.0.0.{draw(st.integers(0, 7))}"})
    if "6" in addresses:
        found.append({"ip": f"fd00::{draw(st.integers(0, 7))}"})
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": f"pod-{index}", "namespace": draw(st.sampled_from(NAMESPACES)), "labels": draw(labels)},
        "spec": {
            "hostNetwork": draw(st.sampled_from([False, False, False, True])),
            "containers": [
                {
                    "name": "main",
                    "ports": [{"name": n, "containerPort": number, "protocol": p} for n, number, p in ports],
                }
            ],
        },
        "status": {"podIPs": found} if found else {},
    }


@st.composite
def network_policy_ports(draw: st.DrawFn) -> dict[str, Any]:
    port: dict[str, Any] = {}
    if draw(st.booleans()):
        port["protocol"] = draw(st.sampled_from(PROTOCOLS))
    form = draw(st.sampled_from(["all", "number", "range", "name"]))
    if form == "name":
        port["port"] = draw(st.sampled_from(PORT_NAMES))
    elif form != "all":
        port["port"] = draw(st.sampled_from(NUMBERS))
        if form == "range":
            port["endPort"] = draw(st.sampled_from([n for n in NUMBERS if n >= port["port"]]))
    return port


def _block() -> st.SearchStrategy[dict[str, Any]]:
    def make(item: tuple[str, tuple[str, ...]]) -> st.SearchStrategy[dict[str, Any]]:
        cidr, exceptions = item
        holes = st.lists(st.sampled_from(exceptions), unique=True) if exceptions else st.just([])
        return st.fixed_dictionaries({"ipBlock": st.fixed_dictionaries({"cidr": st.just(cidr), "except": holes})})

    return st.sampled_from(BLOCKS).flatmap(make)


network_policy_peer = st.one_of(
    st.fixed_dictionaries({"podSelector": selector()}),
    st.fixed_dictionaries({"namespaceSelector": selector()}),
    st.fixed_dictionaries({"namespaceSelector": selector(), "podSelector": selector()}),
    _block(),
)


def _rules(side: str) -> st.SearchStrategy[list[dict[str, Any]]]:
    return st.lists(
        st.fixed_dictionaries(
            {},
            optional={
                side: st.lists(network_policy_peer, max_size=2),
                "ports": st.lists(network_policy_ports(), max_size=2),
            },
        ),
        max_size=2,
    )


@st.composite
def network_policies(draw: st.DrawFn, index: int) -> dict[str, Any]:
    spec: dict[str, Any] = {"podSelector": draw(selector())}
    if draw(st.booleans()):
        spec["ingress"] = draw(_rules("from"))
    if draw(st.booleans()):
        spec["egress"] = draw(_rules("to"))
    types = draw(st.sampled_from([None, [], ["Ingress"], ["Egress"], ["Ingress", "Egress"]]))
    if types is not None:
        spec["policyTypes"] = types
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": f"policy-{index}", "namespace": draw(st.sampled_from(NAMESPACES))},
        "spec": spec,
    }


def _pods_peer() -> st.SearchStrategy[dict[str, Any]]:
    both = st.fixed_dictionaries({"namespaceSelector": selector(), "podSelector": selector()})
    return st.one_of(
        st.fixed_dictionaries({"namespaces": selector()}),
        st.fixed_dictionaries({"pods": both}),
    )


def _networks() -> st.SearchStrategy[dict[str, Any]]:
    blocks = st.lists(st.sampled_from([cidr for cidr, _holes in BLOCKS]), min_size=1, max_size=2, unique=True)
    return st.fixed_dictionaries({"networks": blocks})


@st.composite
def _anp_port(draw: st.DrawFn, named: bool) -> dict[str, Any]:
    form = draw(st.sampled_from(["number", "range", "name"] if named else ["number", "range"]))
    if form == "name":
        return {"namedPort": draw(st.sampled_from(PORT_NAMES))}
    protocol = draw(st.sampled_from(PROTOCOLS))
    if form == "number":
        return {"portNumber": {"protocol": protocol, "port": draw(st.sampled_from(NUMBERS))}}
    start, end = draw(st.sampled_from([(53, 80), (80, 8080), (81, 65535)]))
    return {"portRange": {"protocol": protocol, "start": start, "end": end}}


@st.composite
def _cnp_protocol(draw: st.DrawFn, named: bool) -> dict[str, Any]:
    form = draw(st.sampled_from(["all", "number", "range", "name"] if named else ["all", "number", "range"]))
    if form == "name":
        return {"destinationNamedPort": draw(st.sampled_from(PORT_NAMES))}
    protocol = draw(st.sampled_from(PROTOCOLS)).lower()
    if form == "all":
        return {protocol: {"destinationPort": {"range": {"start": 1, "end": 65535}}}}
    if form == "number":
        return {protocol: {"destinationPort": {"number": draw(st.sampled_from(NUMBERS))}}}
    return {protocol: {"destinationPort": {"range": {"start": 80, "end": draw(st.sampled_from([81, 8080]))}}}}


@st.composite
def _cluster_rule(draw: st.DrawFn, kind: str, side: str) -> dict[str, Any]:
    actions = {"BaselineAdminNetworkPolicy": ["Allow", "Deny"], "ClusterNetworkPolicy": ["Accept", "Deny", "Pass"]}
    peers = draw(
        st.lists(st.one_of(_pods_peer(), _networks()) if side == "to" else _pods_peer(), min_size=1, max_size=2)
    )
    rule = {"action": draw(st.sampled_from(actions.get(kind, ["Allow", "Deny", "Pass"]))), side: peers}
    if draw(st.booleans()):
        named = not any("networks" in peer for peer in peers)
        if kind == "ClusterNetworkPolicy":
            rule["protocols"] = draw(st.lists(_cnp_protocol(named), min_size=1, max_size=2))
        else:
            rule["ports"] = draw(st.lists(_anp_port(named), min_size=1, max_size=2))
    return rule


@st.composite
def cluster_policies(draw: st.DrawFn, index: int) -> dict[str, Any]:
    kind = draw(st.sampled_from(["AdminNetworkPolicy", "BaselineAdminNetworkPolicy", "ClusterNetworkPolicy"]))
    spec: dict[str, Any] = {"subject": draw(_pods_peer())}
    if kind != "BaselineAdminNetworkPolicy":
        spec["priority"] = index * 10
    if kind == "ClusterNetworkPolicy":
        spec["tier"] = draw(st.sampled_from(["Admin", "Baseline"]))
    for direction, side in (("ingress", "from"), ("egress", "to")):
        if draw(st.booleans()):
            spec[direction] = draw(st.lists(_cluster_rule(kind, side), max_size=3))
    return {
        "apiVersion": "policy.networking.k8s.io/" + ("v1alpha2" if kind == "ClusterNetworkPolicy" else "v1alpha1"),
        "kind": kind,
        "metadata": {"name": "default" if kind == "BaselineAdminNetworkPolicy" else f"cluster-{index}"},
        "spec": spec,
    }


@st.composite
def objects(draw: st.DrawFn, cluster_scoped: bool = True) -> list[dict[str, Any]]:
    """API objects of a whole small cluster."""
    found: list[dict[str, Any]] = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": draw(labels)}}
        for name in NAMESPACES
    ]
    if draw(st.booleans()):
        # Where pods without an address will get theirs, and nodes for those on the host network.
        spec = {"podCIDRs": draw(st.sampled_from([[], ["10.0.0.0/29"], ["10.0.0.0/29", "fd00::/125"]]))}
        addresses = [{"type": "InternalIP", "address": address} for address in ("192.0.2.1", "2001:db8::1")]
        found.append(
            {
                "apiVersion": "v1",
                "kind": "Node",
                "metadata": {"name": "n"},
                "spec": spec,
                "status": {"addresses": addresses},
            }
        )
    found += [draw(pods(index)) for index in range(draw(st.integers(1, 5)))]
    found += [draw(network_policies(index)) for index in range(draw(st.integers(0, 3)))]
    if cluster_scoped:
        found += [draw(cluster_policies(index)) for index in range(draw(st.integers(0, 3)))]
    return found


def build(manifests: list[dict[str, Any]]) -> Model:
    return load([Input("random", objects=manifests)])


def _cilium_rule(side: str, denies: bool) -> st.SearchStrategy[dict[str, Any]]:
    port = st.fixed_dictionaries(
        {
            "port": st.sampled_from(["0", "53", "80", "http"]),
            "protocol": st.sampled_from(["ANY", "TCP", "UDP", "SCTP"]),
        }
    )
    blocks = st.sampled_from(["10.0.0.0/30", "192.0.2.0/24", "2001:db8::/32", "::/0"])
    fields: dict[str, st.SearchStrategy[Any]] = {
        f"{side}Endpoints": st.lists(selector(), max_size=2),
        f"{side}Entities": st.lists(st.sampled_from(["all", "cluster", "world", "remote-node", "host"]), max_size=2),
        f"{side}CIDR": st.lists(blocks, max_size=2),
        f"{side}Services": st.just([{}]),
        "toPorts": st.lists(
            st.fixed_dictionaries(
                {"ports": st.lists(port, max_size=2)},
                optional={} if denies else {"rules": st.just({"http": [{"method": "GET"}]})},
            ),
            min_size=1,
            max_size=2,
        ),
    }
    if side == "to":
        fields["toFQDNs"] = st.just([{"matchName": "example.org"}])
    return st.fixed_dictionaries({}, optional=fields)


@st.composite
def cilium_policies(draw: st.DrawFn, index: int) -> dict[str, Any]:
    """Of one namespace or of all, with denials, and with parts that are not analysed."""
    kind = draw(st.sampled_from(["CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy"]))
    spec: dict[str, Any] = {"endpointSelector": draw(selector())}
    for section in ("ingress", "egress", "ingressDeny", "egressDeny"):
        if draw(st.booleans()):
            side = "from" if section.startswith("ingress") else "to"
            spec[section] = draw(st.lists(_cilium_rule(side, section.endswith("Deny")), max_size=2))
    metadata = {"name": f"cilium-{index}"}
    if kind == "CiliumNetworkPolicy":
        metadata["namespace"] = draw(st.sampled_from(NAMESPACES))
    return {"apiVersion": "cilium.io/v2", "kind": kind, "metadata": metadata, "spec": spec}


@st.composite
def objects_with_cilium(draw: st.DrawFn) -> list[dict[str, Any]]:
    """The same with policies of Cilium."""
    return draw(objects()) + [draw(cilium_policies(index)) for index in range(draw(st.integers(1, 2)))]
