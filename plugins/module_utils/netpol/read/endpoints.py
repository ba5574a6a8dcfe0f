# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Endpoints of Services, which tell where one without a selector leads.

https://kubernetes.io/docs/concepts/services-networking/service/#services-without-selectors
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ...common.tolerant import mappings
from ..model.addresses import parse_address
from ..model.objects import ContainerPort, Endpoints, Model
from .entry import Entry, Key, Reporter

#: Label of an EndpointSlice with its Service's name.
_SERVICE = "kubernetes.io/service-name"


def read_endpoints(model: Model, _reporter: Reporter, key: Key, entry: Entry) -> None:
    """Reads Endpoints, which have the name of their Service, and EndpointSlices, which have it in a label."""
    value = entry.value
    if key[0] == "Endpoints":
        for subset in mappings(value.get("subsets")):
            texts = [str(item.get("ip")) for item in mappings(subset.get("addresses"))]
            _add(model, key[1:], texts, subset.get("ports"))
        return
    labels = value["metadata"].get("labels")
    service = labels.get(_SERVICE) if isinstance(labels, Mapping) else None
    if isinstance(service, str):
        listed = [item.get("addresses") for item in mappings(value.get("endpoints"))]
        texts = [str(text) for texts in listed if isinstance(texts, list) for text in texts]
        _add(model, (key[1], service), texts, value.get("ports"))


def _add(model: Model, service: tuple[str, str], texts: Iterable[str], ports: object) -> None:
    addresses = tuple(address for address in map(parse_address, texts) if address is not None)
    found = tuple(
        ContainerPort(str(port.get("name") or ""), str(port.get("protocol") or "TCP"), port["port"])
        for port in mappings(ports)
        if isinstance(port.get("port"), int)
    )
    model.endpoints.setdefault(service, []).append(Endpoints(addresses, found))
