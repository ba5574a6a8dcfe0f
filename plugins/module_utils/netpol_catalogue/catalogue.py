# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The catalogue: what each kind of entry means as NetworkPolicies, and the rendering of whole namespaces."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .falco import falco_policies
from .options import CatalogueError, Options, hint
from .parts import EGRESS, INGRESS, peer_of_namespaces, policy, rule, selector

DNS_NAMESPACE = "kube-system"
DNS_LABELS = {"k8s-app": "kube-dns"}

# Addresses that are nobody's public ones: RFC 1918, 6598, 3927, 1122, 4193, 4291, 6890.
NOT_PUBLIC_4 = (
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.168.0.0/16",
)
NOT_PUBLIC_6 = ("::1/128", "fc00::/7", "fe80::/10")

Rendered = list[dict[str, Any]]


def _deny(types: Sequence[str], name: str) -> Callable[[str, Options], Rendered]:
    def render(namespace: str, options: Options) -> Rendered:
        return [policy(namespace, options.name(name), options.labels("pods"), types)]

    return render


def _dns(namespace: str, options: Options) -> Rendered:
    where = options.take("namespace", DNS_NAMESPACE)
    labels = options.labels("labels") or DNS_LABELS
    peer = dict(peer_of_namespaces([where], {}), podSelector=selector(labels))
    # Node-local caches answer on addresses of the node, which no pod selector matches.
    peers = [peer, *({"ipBlock": {"cidr": block}} for block in options.blocks("addresses"))]
    ports = options.ports(default=["53/UDP", "53/TCP"])
    return [
        policy(
            namespace, options.name("allow-dns"), options.labels("pods"), [EGRESS], egress=[rule("to", peers, ports)]
        )
    ]


def _same_namespace(namespace: str, options: Options) -> Rendered:
    direction = options.take("direction", "both")
    types = {"both": [INGRESS, EGRESS], "ingress": [INGRESS], "egress": [EGRESS]}.get(direction)
    if types is None:
        raise CatalogueError(f"{options.where}: direction is both, ingress or egress, not {direction!r}")
    ports = options.ports()
    peers: Rendered = [{"podSelector": {}}]
    return [
        policy(
            namespace,
            options.name("allow-same-namespace"),
            options.labels("pods"),
            types,
            ingress=[rule("from", peers, ports)] if INGRESS in types else None,
            egress=[rule("to", peers, ports)] if EGRESS in types else None,
        )
    ]


def _peers(options: Options, need_namespaces: bool) -> list[dict[str, Any]]:
    names, labels, pods = options.names("namespaces"), options.labels("namespace_labels"), options.labels("labels")
    if need_namespaces and not names and not labels:
        raise CatalogueError(f"{options.where}: namespaces or namespace_labels is missing")
    if not need_namespaces and not pods:
        raise CatalogueError(f"{options.where}: labels is missing")
    peer: dict[str, Any] = peer_of_namespaces(names, labels) if names or labels else {}
    if pods:
        peer["podSelector"] = selector(pods)
    return [peer]


def _directed(direction: str, default_name: str, peers: Callable[[Options], list[dict[str, Any]]]) -> Any:
    def render(namespace: str, options: Options) -> Rendered:
        rules = [rule("from" if direction == INGRESS else "to", peers(options), options.ports())]
        key = "ingress" if direction == INGRESS else "egress"
        name = options.name(default_name)
        return [policy(namespace, name, options.labels("pods"), [direction], **{key: rules})]

    return render


def _blocks(options: Options) -> list[dict[str, Any]]:
    excepted = options.blocks("except")
    blocks = options.blocks("cidr")
    if not blocks:
        raise CatalogueError(f"{options.where}: cidr is missing")
    return [{"ipBlock": {"cidr": block, **({"except": excepted} if excepted else {})}} for block in blocks]


def _public(options: Options) -> list[dict[str, Any]]:
    excepted = options.blocks("except")
    four = [*NOT_PUBLIC_4, *(block for block in excepted if ":" not in block)]
    six = [*NOT_PUBLIC_6, *(block for block in excepted if ":" in block)]
    return [{"ipBlock": {"cidr": "0.0.0.0/0", "except": four}}, {"ipBlock": {"cidr": "::/0", "except": six}}]


def _api_server(namespace: str, options: Options) -> Rendered:
    addresses = options.names("addresses")
    if not addresses:
        raise CatalogueError(f"{options.where}: addresses of the API server are missing")
    peers = [{"ipBlock": {"cidr": f"{address}/{128 if ':' in address else 32}"}} for address in addresses]
    rules = [rule("to", peers, options.ports(default=["443", "6443"]))]
    return [policy(namespace, options.name("allow-api-server"), options.labels("pods"), [EGRESS], egress=rules)]


def _well_known(name: str, namespaces: str, labels: dict[str, str]) -> Any:
    """Ingress from pods of a component that usually lives in one place, which can be given otherwise."""

    def peers(options: Options) -> list[dict[str, Any]]:
        where = options.names("namespaces") or ([] if options.values.get("namespace_labels") else [namespaces])
        peer = peer_of_namespaces(where, options.labels("namespace_labels"))
        return [dict(peer, podSelector=selector(options.labels("labels") or labels))]

    return _directed(INGRESS, name, peers)


KINDS: dict[str, Callable[[str, Options], Rendered]] = {
    "deny_all": _deny([INGRESS, EGRESS], "default-deny"),
    "deny_ingress": _deny([INGRESS], "default-deny-ingress"),
    "deny_egress": _deny([EGRESS], "default-deny-egress"),
    "dns": _dns,
    "same_namespace": _same_namespace,
    "from_namespaces": _directed(INGRESS, "allow-from-namespaces", lambda options: _peers(options, True)),
    "to_namespaces": _directed(EGRESS, "allow-to-namespaces", lambda options: _peers(options, True)),
    "from_pods": _directed(INGRESS, "allow-from-pods", lambda options: _peers(options, False)),
    "to_pods": _directed(EGRESS, "allow-to-pods", lambda options: _peers(options, False)),
    "from_cidr": _directed(INGRESS, "allow-from-cidr", _blocks),
    "to_cidr": _directed(EGRESS, "allow-to-cidr", _blocks),
    "to_public": _directed(EGRESS, "allow-to-public", _public),
    "to_api_server": _api_server,
    "from_ingress_controller": _well_known(
        "allow-from-ingress-controller", "ingress-nginx", {"app.kubernetes.io/name": "ingress-nginx"}
    ),
    "from_prometheus": _well_known("allow-from-prometheus", "monitoring", {"app.kubernetes.io/name": "prometheus"}),
    "falco": falco_policies,
}


def render(namespaces: Sequence[Mapping[str, Any]], api_server: Sequence[str] = ()) -> Rendered:
    """Namespaces and their policies.

    Args:
        namespaces: entries with C(name), C(labels) and C(annotations) of the namespace, C(create) (True), and
            C(policies): names of the catalogue, or mappings with C(type) and the options of that type.
        api_server: addresses of the API server, for entries that need them and name none.

    Returns:
        Namespace and NetworkPolicy objects.

    Raises:
        CatalogueError: an entry is unknown, lacks something or has an option too many; two policies have one name.
    """
    found: Rendered = []
    seen: dict[tuple[str, str], str] = {}
    for number, entry in enumerate(namespaces):
        where = f"namespaces[{number}]"
        if not isinstance(entry, Mapping):
            raise CatalogueError(f"{where}: must be a mapping with name and policies, not {entry!r}")
        options = Options(entry, where)
        namespace = str(options.need("name"))
        labels, annotations = options.labels("labels"), options.labels("annotations")
        create, policies = options.take("create", True), options.take("policies", [])
        options.end()
        if not isinstance(policies, list):
            raise CatalogueError(f"{where}.policies: must be a list, not {policies!r}")
        if create:
            metadata: dict[str, Any] = {"name": namespace}
            metadata.update({k: v for k, v in (("labels", labels), ("annotations", annotations)) if v})
            found.append({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
        elif labels or annotations:
            raise CatalogueError(f"{where}: labels and annotations need create: true, or they would be set by nobody")
        for index, item in enumerate(policies):
            place = f"{where}.policies[{index}]"
            for made in _entry(namespace, item, place, api_server):
                key = (namespace, made["metadata"]["name"])
                if key in seen:
                    raise CatalogueError(f"{place}: {seen[key]} has a policy {key[1]} already; give name")
                seen[key] = place
                found.append(made)
    return found


def _entry(namespace: str, item: Any, place: str, api_server: Sequence[str]) -> Rendered:
    values = {"type": item} if isinstance(item, str) else item
    if not isinstance(values, Mapping):
        raise CatalogueError(f"{place}: must be a name of the catalogue or a mapping with type, not {item!r}")
    options = Options(values, place)
    kind = str(options.need("type"))
    if kind not in KINDS:
        raise CatalogueError(f"{place}: there is no policy type {kind}; {hint(kind, KINDS)}")
    options.where = f"{place} ({kind})"
    if kind in ("to_api_server", "falco") and not values.get("addresses"):
        options.values["addresses"] = list(api_server)
    made = KINDS[kind](namespace, options)
    options.end()
    return made


def needs_api_server(namespaces: Sequence[Mapping[str, Any]]) -> bool:
    """Whether an entry needs the API server's addresses and names none."""
    for entry in namespaces:
        for item in entry.get("policies") or [] if isinstance(entry, Mapping) else []:
            values = {"type": item} if isinstance(item, str) else item
            about_it = isinstance(values, Mapping) and values.get("type") in ("to_api_server", "falco")
            if about_it and not values.get("addresses"):
                return True
    return False
