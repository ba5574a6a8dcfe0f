# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter falco_plan: what the variables of the role falco mean for a cluster, its nodes and charts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Callable

from ansible.errors import AnsibleFilterError

if TYPE_CHECKING:
    from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.plan import Cluster

# Ansible imports every filter file of a collection in each of its processes as soon as a template uses any of them.
# So a filter imports its core when it is used.


def falco_plan(
    variables: Mapping[str, Any],
    cluster: Mapping[str, Any] | None = None,
    charts: Mapping[str, Mapping[str, Any]] | None = None,
    fingerprints: Mapping[str, Any] | None = None,
    groups: Mapping[str, list[str]] | None = None,
    hostvars: Mapping[str, Mapping[str, Any]] | None = None,
    host: str = "",
) -> dict[str, Any]:
    """Names, workloads and releases. See falco_plan.yml."""
    from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.plan import (
        ChartFile,
        Fingerprints,
        build_plan,
    )
    from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.problems import FalcoChartError
    from ansible_collections.falconet.k8s.plugins.module_utils.variables import VariableError
    from ansible_collections.falconet.k8s.plugins.module_utils.variables.services import services_in
    from ansible_collections.falconet.k8s.plugins.plugin_utils.role_specs import typed_variables

    try:
        typed = typed_variables("falco", variables)
        plan = build_plan(
            typed,
            cluster=_answer(cluster) if cluster else None,
            charts={
                name: ChartFile(chart["path"], f"{chart['name']}-{chart['version']}", chart["digest"])
                for name, chart in (charts or {}).items()
            },
            fingerprints=Fingerprints(**(fingerprints or {})),
            redis_nodes=_redis_nodes(groups or {}, hostvars or {}, host),
        )
    except (FalcoChartError, VariableError) as error:
        raise AnsibleFilterError(str(error)) from error
    # Where alerts go to, and what the UI keeps them in. Services of the releases themselves may come with them.
    named = ("outputs", "rulebook", "sidekick_more", "sidekick_url", "redis_external")
    services = [
        {"kind": one.kind, "name": one.name, "namespace": one.namespace, "variable": one.variable}
        for name in named
        for one in services_in(typed[name], f"falco_{name}")
        if not (one.namespace == typed["namespace"] and one.name.startswith(typed["release_name"]))
    ]
    found = asdict(plan)
    return {**found, "subjects": found["subjects"] + services}


def _answer(cluster: Mapping[str, Any]) -> Cluster:
    """What the module cluster_objects_info returned."""
    from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.plan import Cluster

    own = (row for row in cluster["subjects"] if row.get("variable") == "falco_outputs_existing_secret")
    return Cluster(
        nodes=cluster["objects"]["Node"],
        services=cluster["objects"]["Service"],
        foreign_variables=next((row.get("keys") or [] for row in own), []),
    )


def _redis_nodes(groups: Mapping[str, list[str]], hostvars: Mapping[str, Mapping[str, Any]], host: str) -> list[str]:
    from ansible_collections.falconet.k8s.plugins.module_utils.variables.groups import (
        REDIS,
        clusters_of,
        redis_nodes_of,
    )

    return redis_nodes_of(groups, clusters_of(groups, hostvars, REDIS), host)


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"falco_plan": falco_plan}
