# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What must be in a cluster before triggers are fired: their namespaces, and the Services that receive alerts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Entry = Mapping[str, Any]


def needed_subjects(
    triggers: Sequence[Entry],
    destinations: Sequence[Entry],
    policed: Sequence[Entry],
    falco_namespace: str,
    release_to_come: str,
    catalogue_namespace: str = "",
) -> list[dict[str, Any]]:
    """Objects that must exist, as the module cluster_objects_info takes them; none without a trigger.

    Args:
      triggers: each with its C(namespace).
      destinations: each with its C(receiver), which may name a C(service) and its C(namespace).
      policed: namespaces of the role network_policies, which makes those without C(create=false).
      falco_namespace: where Falco is, or will be.
      release_to_come: name of the Falco that a stage before installs; empty if none does.
      catalogue_namespace: where triggers of the catalogue are done; empty if none is.
    """
    to_come = {entry["name"] for entry in policed if entry.get("create", True)}
    if release_to_come:
        to_come.add(falco_namespace)
    namespaces = {trigger["namespace"]: "verify_triggers" for trigger in triggers}
    if catalogue_namespace:
        namespaces.setdefault(catalogue_namespace, "verify_trigger_namespace")
    found = [
        {"kind": "Namespace", "name": name, "variable": variable}
        for name, variable in namespaces.items()
        if name not in to_come
    ]
    return [*found, *_receivers(destinations, release_to_come)] if namespaces else []


def _receivers(destinations: Sequence[Entry], release_to_come: str) -> Iterator[dict[str, Any]]:
    for destination in destinations:
        receiver = destination["receiver"]
        service = receiver.get("service")
        # Services of the release come with it.
        if service and not (release_to_come and service.startswith(f"{release_to_come}-")):
            yield {
                "kind": "Service",
                "name": service,
                "namespace": receiver.get("namespace") or "default",
                "variable": "verify_alert_destinations",
            }
