# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filters of the role network_policies: its catalogue as Kubernetes objects, and what its variables ask for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from ansible.errors import AnsibleFilterError

# Ansible imports every filter file of a collection in each of its processes as soon as a template uses any of them.
# So a filter imports its core when it is used.


def network_policies(namespaces: list[dict[str, Any]], api_server: list[str] | None = None) -> list[dict[str, Any]]:
    """Namespaces and policies from entries of the catalogue. See network_policies.yml."""
    from ansible_collections.falconet.k8s.plugins.module_utils.netpol_catalogue.catalogue import render
    from ansible_collections.falconet.k8s.plugins.module_utils.netpol_catalogue.options import CatalogueError

    try:
        return render(namespaces, api_server or [])
    except CatalogueError as error:
        raise AnsibleFilterError(f"network_policies_{error}") from error


def network_policies_need_api_server(namespaces: list[dict[str, Any]]) -> bool:
    """Whether an entry needs the API server's addresses. See network_policies_need_api_server.yml."""
    from ansible_collections.falconet.k8s.plugins.module_utils.netpol_catalogue.catalogue import needs_api_server

    return needs_api_server(namespaces)


def network_policies_plan(
    variables: Mapping[str, Any], policies: list[dict[str, Any]] | None = None, to_come: list[str] | None = None
) -> dict[str, Any]:
    """Flows of now, what the cluster must have, what cannot work. See network_policies_plan.yml."""
    from ansible_collections.falconet.k8s.plugins.module_utils.netpol_catalogue.plan import plan_of
    from ansible_collections.falconet.k8s.plugins.module_utils.variables import VariableError
    from ansible_collections.falconet.k8s.plugins.plugin_utils.plain import plain
    from ansible_collections.falconet.k8s.plugins.plugin_utils.role_specs import typed_variables

    try:
        plan = plan_of(typed_variables("network_policies", variables), plain(policies or []), to_come or [])
    except VariableError as error:
        raise AnsibleFilterError(str(error)) from error
    return {name: list(found) for name, found in asdict(plan).items()}


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {
            "network_policies": network_policies,
            "network_policies_need_api_server": network_policies_need_api_server,
            "network_policies_plan": network_policies_plan,
        }
