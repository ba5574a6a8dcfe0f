# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the objects that lead requests from outside to Services.

Ingress: https://kubernetes.io/docs/reference/kubernetes-api/networking-resources/ingress-v1/, routes:
https://gateway-api.sigs.k8s.io/reference/spec/, OpenShift:
https://docs.okd.io/latest/rest_api/network_apis/route-route-openshift-io-v1.html.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...common.tolerant import mapping, mappings
from ..model.objects import Model
from ..model.routes import Backend, Route
from .entry import Entry, Key, Reporter

#: Kinds of routes, with the groups of their APIs.
ROUTE_GROUPS = {
    "Ingress": ("networking.k8s.io", "extensions"),
    "GRPCRoute": ("gateway.networking.k8s.io",),
    "HTTPRoute": ("gateway.networking.k8s.io",),
    "Route": ("route.openshift.io",),
    "TCPRoute": ("gateway.networking.k8s.io",),
    "TLSRoute": ("gateway.networking.k8s.io",),
    "UDPRoute": ("gateway.networking.k8s.io",),
}


def is_route(kind: str, version: object) -> bool:
    """Whether an object of a kind and C(apiVersion) is a route."""
    return str(version).partition("/")[0] in ROUTE_GROUPS.get(kind, ())


def read_route(model: Model, _reporter: Reporter, key: Key, entry: Entry) -> None:
    kind, namespace, name = key
    spec = mapping(entry.value.get("spec"))
    if kind == "Ingress":
        found = list(_of_ingress(spec, namespace))
    elif kind == "Route":
        found = list(_of_openshift(spec, namespace))
    else:
        found = [
            Backend(str(item.get("namespace") or namespace), str(item.get("name")), item.get("port"))
            for rule in mappings(spec.get("rules"))
            for item in mappings(rule.get("backendRefs"))
            if str(item.get("kind") or "Service") == "Service"
        ]
    model.routes.append(Route(kind, namespace, name, tuple(dict.fromkeys(found))))


def _of_ingress(spec: Mapping[str, Any], namespace: str) -> Iterator[Backend]:
    items = [spec.get("defaultBackend"), spec.get("backend")]
    for rule in mappings(spec.get("rules")):
        items += [path.get("backend") for path in mappings(mapping(rule.get("http")).get("paths"))]
    for item in map(mapping, items):
        service = mapping(item.get("service"))
        if service.get("name"):
            port = mapping(service.get("port"))
            yield Backend(namespace, str(service["name"]), _scalar(port.get("number") or port.get("name")))
        elif item.get("serviceName"):
            yield Backend(namespace, str(item["serviceName"]), _scalar(item.get("servicePort")))


def _of_openshift(spec: Mapping[str, Any], namespace: str) -> Iterator[Backend]:
    port = _scalar(mapping(spec.get("port")).get("targetPort"))
    for item in (mapping(spec.get("to")), *mappings(spec.get("alternateBackends"))):
        if item.get("name") and str(item.get("kind") or "Service") == "Service":
            yield Backend(namespace, str(item["name"]), port)


def _scalar(value: object) -> object:
    return value if isinstance(value, (int, str)) else None
