# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What must be in a cluster before Falco is installed: objects that variables name, and APIs that it must serve."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Subject = dict[str, Any]


def needed_subjects(variables: Mapping[str, Any], with_redis: bool, with_ui: bool) -> list[Subject]:
    """Objects that must exist, as the module cluster_objects_info takes them; an empty name is not looked for.

    Args:
      variables: the role's, without their prefix ``falco_``.
      with_redis: whether a Redis of the release's own is installed.
      with_ui: whether the UI is.
    """
    return [*_needed(variables, with_redis, with_ui)]


def _needed(variables: Mapping[str, Any], with_redis: bool, with_ui: bool) -> Iterator[Subject]:
    def inside(kind: str, name: str, variable: str) -> Subject:
        return {"kind": kind, "name": name, "variable": variable, "namespace": variables["namespace"]}

    yield {"kind": "PriorityClass", "name": variables["priority_class"], "variable": "falco_priority_class"}
    for name in ("outputs_existing_secret", "sidekick_tls_secret", "sidekick_tls_client_secret"):
        yield inside("Secret", variables[name], f"falco_{name}")
    yield inside("Secret", variables["rulebook"].get("tls_secret", ""), "falco_rulebook.tls_secret")
    yield inside("ConfigMap", variables["ca_config_map"], "falco_ca_config_map")
    for entry in variables["sidekick_more"]:
        if entry.get("outputs_existing_secret"):
            yield inside("Secret", entry["outputs_existing_secret"], "falco_sidekick_more")
    for name in variables["image_pull_secrets"]:
        yield inside("Secret", name, "falco_image_pull_secrets")
    if with_redis and variables["redis_storage"] == "storage_class":
        yield {
            "kind": "StorageClass",
            "name": variables["redis_storage_class"],
            "default": True,
            "variable": "falco_redis_storage_class",
            "hint": "The claim of Redis would stay Pending: set falco_redis_storage_class, or falco_redis_storage to "
            "local (a directory on redis_nodes) or none.",
        }
    if with_ui and variables["ui_exposure"] == "ingress":
        # Without a class it is a matter of the controllers which of them takes an Ingress.
        wanted = variables["ui_ingress"].get("class") or ""
        yield {"kind": "IngressClass", "name": wanted, "variable": "falco_ui_ingress.class"}


def needed_apis(variables: Mapping[str, Any]) -> list[dict[str, str]]:
    """Kinds that the cluster must serve, as the module cluster_objects_info takes them."""
    if not variables["service_monitor"]:
        return []
    hint = "It comes with the Prometheus Operator; without that, leave falco_service_monitor at false."
    api = {"api_version": "monitoring.coreos.com/v1", "kind": "ServiceMonitor", "variable": "falco_service_monitor"}
    return [{**api, "hint": hint}]
