# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What explains connections beside pods and policies: routes, endpoints, nodes, webhooks, policies of other APIs.

None of it decides alone, so that a missing right leaves it out; what was left out is told.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, Optional

from .client import Client
from .errors import ForbiddenError
from .resource import KNOWN, Resource

#: Kinds that Kubernetes itself serves.
_OWN = (
    KNOWN["v1", "Node"],
    Resource("networking.k8s.io", "v1", "ingresses", "Ingress", True),
    Resource(
        "admissionregistration.k8s.io", "v1", "validatingwebhookconfigurations", "ValidatingWebhookConfiguration", False
    ),
    Resource(
        "admissionregistration.k8s.io", "v1", "mutatingwebhookconfigurations", "MutatingWebhookConfiguration", False
    ),
)
_SLICES = KNOWN["discovery.k8s.io/v1", "EndpointSlice"]
_SERVICE_LABEL = "kubernetes.io/service-name"
#: Groups that a cluster may have: their kinds that lead to Services, or that allow, deny or separate connections.
_OTHERS: Mapping[str, tuple[str, ...]] = {
    "cilium.io": ("CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy"),
    "crd.antrea.io": ("NetworkPolicy", "ClusterNetworkPolicy"),
    "crd.projectcalico.org": ("NetworkPolicy", "GlobalNetworkPolicy"),
    "gateway.networking.k8s.io": ("GRPCRoute", "HTTPRoute", "TCPRoute", "TLSRoute", "UDPRoute"),
    "k8s.cni.cncf.io": ("MultiNetworkPolicy", "NetworkAttachmentDefinition"),
    "k8s.ovn.org": ("ClusterUserDefinedNetwork", "EgressFirewall", "UserDefinedNetwork"),
    "route.openshift.io": ("Route",),
    "security.istio.io": ("AuthorizationPolicy",),
}
#: Lists that are read at the same time.
_ABREAST = 6
#: Services that one label selector names.
_MAX_NAMES = 100


#: A list to read: its kind, namespace and label selector.
_List = tuple[Resource, Optional[str], Optional[str]]


class Surroundings(NamedTuple):
    """What was read, and the kinds that could not be for want of a right."""

    objects: list[dict[str, Any]]
    forbidden: list[str]


def take_surroundings(client: Client, snapshot: Iterable[Mapping[str, Any]]) -> Surroundings:
    """Reads what stands around the pods and policies of a whole cluster.

    Args:
        client: connection to the cluster.
        snapshot: what is known of it; of its Services without a selector the EndpointSlices are read, of no others.

    Returns:
        Raw API objects with C(apiVersion) and C(kind): Nodes, Ingresses, webhook configurations, EndpointSlices, and
        of other APIs, where the cluster serves them, routes, policies and networks.

    Raises:
        KubeError: the API server is away, or answers with an error other than a missing right or kind.
    """
    forbidden: list[str] = []
    wanted: list[_List] = [(resource, None, None) for resource in _OWN]
    wanted += [(resource, None, None) for resource in _others(client, forbidden)]
    wanted += [(_SLICES, namespace, selector) for namespace, selector in _selectors(snapshot)]
    return _read(client, wanted, forbidden)


def take_policies(client: Client) -> Surroundings:
    """Reads policies and networks of other APIs, where the cluster serves them.

    Raises:
        KubeError: as for C(take_surroundings).
    """
    forbidden: list[str] = []
    others = [resource for resource in _others(client, forbidden) if not resource.kind.endswith("Route")]
    return _read(client, [(resource, None, None) for resource in others], forbidden)


def _read(client: Client, wanted: Sequence[_List], forbidden: list[str]) -> Surroundings:
    def listed(resource: Resource, namespace: str | None = None, selector: str | None = None) -> list[dict[str, Any]]:
        try:
            return client.list_all(resource, namespace, selector)
        except ForbiddenError:
            forbidden.append(resource.kind)
            return []

    objects: list[dict[str, Any]] = []
    with ThreadPoolExecutor(max_workers=_ABREAST) as pool:
        for future in [pool.submit(listed, *arguments) for arguments in wanted]:
            objects += future.result()
    for item in objects:
        item.get("metadata", {}).pop("managedFields", None)
    return Surroundings(objects, sorted(set(forbidden)))


def _others(client: Client, forbidden: list[str]) -> list[Resource]:
    """Kinds of other APIs that the cluster serves, each in its newest version."""
    response = client.request("GET", "/apis")
    if response.status >= 400:
        forbidden.extend(() if response.status == 404 else ("APIGroup",))
        return []
    found: list[Resource] = []
    for group in json.loads(response.data.decode("utf-8")).get("groups") or ():
        kinds = _OTHERS.get(group.get("name"), ())
        served: dict[str, Resource] = {}
        for version in group.get("versions") or () if kinds else ():
            for kind, resource in client.served(version["groupVersion"]).items():
                if kind in kinds:
                    served.setdefault(kind, resource)
        found.extend(served[kind] for kind in sorted(served))
    return found


def _selectors(snapshot: Iterable[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Namespaces with the label selectors of the slices of their Services that have no selector."""
    by_namespace: dict[str, list[str]] = {}
    for item in snapshot:
        spec = item.get("spec") or {}
        if item.get("kind") == "Service" and not spec.get("selector") and spec.get("type") != "ExternalName":
            metadata = item["metadata"]
            by_namespace.setdefault(metadata["namespace"], []).append(metadata["name"])
    return [
        (namespace, f"{_SERVICE_LABEL} in ({','.join(part)})")
        for namespace, names in by_namespace.items()
        for part in _parts(names)
    ]


def _parts(names: Sequence[str]) -> list[Sequence[str]]:
    return [names[start : start + _MAX_NAMES] for start in range(0, len(names), _MAX_NAMES)]
