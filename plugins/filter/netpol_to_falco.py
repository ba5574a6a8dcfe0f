# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filters netpol_to_falco and falco_to_flows: from policies to alerts, and from alerts to policies."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError

# Ansible imports every filter file of a collection in each of its processes as soon as a template uses any of them.
# So a filter imports its core when it is used.


def netpol_to_falco(
    data: object,
    namespaces: Sequence[str] = (),
    priority: str = "WARNING",
    pod_cidrs: Sequence[str] = (),
    ip_block_matches_pods: bool = True,
) -> dict[str, Any]:
    """Falco rules that alert on connections that policies deny; see netpol_to_falco.yml."""
    from ansible_collections.falconet.k8s.plugins.module_utils.netpol.errors import NetpolError
    from ansible_collections.falconet.k8s.plugins.module_utils.netpol.model.objects import Options
    from ansible_collections.falconet.k8s.plugins.module_utils.netpol.read.manifests import Input, load
    from ansible_collections.falconet.k8s.plugins.module_utils.netpol.watch.rules import falco_rules

    if isinstance(data, (str, Mapping)) or not isinstance(data, Sequence):
        raise AnsibleFilterError("netpol_to_falco: give API objects as a list")
    if isinstance(namespaces, str) or isinstance(pod_cidrs, str):
        raise AnsibleFilterError("netpol_to_falco: namespaces and pod_cidrs are lists of texts")
    try:
        model = load([Input("objects", objects=data)], "fail", None, list(pod_cidrs))
        return falco_rules(model, list(namespaces), priority, Options(ip_block_matches_pods))
    except NetpolError as error:
        raise AnsibleFilterError(f"netpol_to_falco: {error}") from error


def falco_to_flows(data: object) -> dict[str, Any]:
    """Flow records from alerts; see falco_to_flows.yml."""
    from ansible_collections.falconet.k8s.plugins.module_utils.netpol.watch.records import records

    if isinstance(data, (str, Mapping)) or not isinstance(data, Sequence):
        raise AnsibleFilterError("falco_to_flows: give alerts as a list")
    return records(data)


class FilterModule:
    """Makes the filters known to Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"netpol_to_falco": netpol_to_falco, "falco_to_flows": falco_to_flows}
