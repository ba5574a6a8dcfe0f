# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rules of a site: names that are switched, and lists that variables add to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: Names as the slides and guides of old have them, and what the rules are called today.
CALLED_BEFORE = {
    "Anonymous Request": "Anonymous Request Allowed",
    "ClusterRole with pod exec": "ClusterRole With Pod Exec Created",
    "ClusterRole with wildcard": "ClusterRole With Wildcard Created",
    "ClusterRole with write privileges": "ClusterRole With Write Privileges Created",
    "ConfigMap with private credentials": "Create/Modify Configmap With Private Credentials",
    "Ingress without TLS": "Ingress Object without TLS Certificate Created",
    "Pod in kube-system": "Pod Created in Kube Namespace",
    "ServiceAccount in kube-system": "Service Account Created in Kube Namespace",
    "System ClusterRole modified": "System ClusterRole Modified/Deleted",
    "Untrusted node joined": "Untrusted Node Successfully Joined the Cluster",
    "Untrusted node tried to join": "Untrusted Node Unsuccessfully Tried to Join the Cluster",
}
#: Lists of the rules that a variable of the same name adds to.
LISTS = (
    "admin_groups",
    "admin_roles",
    "admin_users",
    "allowed_groups",
    "allowed_images",
    "allowed_namespaces",
    "allowed_nodes",
    "allowed_users",
    "changing_roles",
    "exec_users",
    "host_network_images",
    "host_path_images",
    "host_process_images",
    "image_namespaces",
    "kube_images",
    "kube_namespaces",
    "privileged_images",
    "secret_readers",
    "sensitive_paths",
    "system_groups",
    "system_users",
    "trusted_namespaces",
)


def rule_name(name: str) -> str:
    """What a rule is called today."""
    return CALLED_BEFORE.get(name, name)


def added(variables: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Rules as data that make lists longer and switch rules on; a site's own come last.

    Args:
      variables: the role's, without their prefix ``k8s_audit_``, with their declared types.
    """
    lists = [
        {"list": f"audit_{name}", "items": list(variables[name]), "override": {"items": "append"}}
        for name in LISTS
        if variables.get(name)
    ]
    on = [
        {"rule": rule_name(name), "enabled": True, "override": {"enabled": "replace"}}
        for name, switched in variables["rules"].items()
        if switched
    ]
    return [*lists, *on, *variables["rules_extra"]]


def disabled(variables: Mapping[str, Any]) -> list[str]:
    """Names of the rules that are switched off."""
    return [rule_name(name) for name, switched in variables["rules"].items() if not switched]
