# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pods that the Prometheus operator makes of its objects, which have no pod template but say enough to know them.

Labels, ports and names are those that the operator gives: https://prometheus-operator.dev/docs/api-reference/api/ and
what it makes of the objects.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

GROUP = "monitoring.coreos.com"


class _Kind(NamedTuple):
    """What the operator makes of a kind: the label with the object's name, the application's name, its ports."""

    label: str
    application: str
    ports: Sequence[tuple[str, str, int]]
    web: int


_KINDS = {
    "Prometheus": _Kind("prometheus", "prometheus", (), 9090),
    "PrometheusAgent": _Kind("prometheus", "prometheus-agent", (), 9090),
    "Alertmanager": _Kind("alertmanager", "alertmanager", (("mesh-tcp", "TCP", 9094), ("mesh-udp", "UDP", 9094)), 9093),
    "ThanosRuler": _Kind("thanos-ruler", "thanos-ruler", (("grpc", "TCP", 10901),), 10902),
}
#: Of the container that reloads the configuration, and of Thanos' sidecar.
_RELOADER = ("reloader-web", "TCP", 8080)
_SIDECAR = (("http", "TCP", 10902), ("grpc", "TCP", 10901))


def operated_template(value: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The pod template that the operator makes of an object, with labels in C(podMetadata); None for other objects."""
    kind = _KINDS.get(str(value.get("kind")))
    if kind is None or str(value.get("apiVersion")).partition("/")[0] != GROUP:
        return None
    spec, metadata = value.get("spec"), value.get("metadata")
    spec = spec if isinstance(spec, Mapping) else {}
    name = str(metadata.get("name")) if isinstance(metadata, Mapping) else ""
    given = spec.get("podMetadata")
    given = given.get("labels") if isinstance(given, Mapping) else None
    labels = {
        **(given if isinstance(given, Mapping) else {}),
        "app.kubernetes.io/name": kind.application,
        "app.kubernetes.io/managed-by": "prometheus-operator",
        "app.kubernetes.io/instance": name,
        kind.label: name,
    }
    ports = [*kind.ports, _RELOADER]
    if spec.get("listenLocal") is not True:
        ports.append((str(spec.get("portName") or "web"), "TCP", kind.web))
    if isinstance(spec.get("thanos"), Mapping):
        ports.extend(_SIDECAR)
    listed = spec.get("containers")
    own = {"ports": [{"name": name, "protocol": protocol, "containerPort": number} for name, protocol, number in ports]}
    return {
        "podMetadata": {"labels": labels if given is None or isinstance(given, Mapping) else given},
        "spec": {
            "containers": [*(listed if isinstance(listed, list) else ()), own],
            "initContainers": spec.get("initContainers"),
            "hostNetwork": spec.get("hostNetwork"),
        },
    }
