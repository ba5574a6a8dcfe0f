# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filters on the clusters of an inventory.

inventory_problems, connection_problems, cluster_nodes, nodes_by_cluster, failed_clusters and max_fail_percentage.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable

from ansible_collections.falconet.k8s.plugins.module_utils.variables.connections import problems_of_connections
from ansible_collections.falconet.k8s.plugins.module_utils.variables.groups import (
    clusters_of,
    failed_clusters_of,
    nodes_of,
    percentage_that_may_fail,
    problems_of_groups,
)
from ansible_collections.falconet.k8s.plugins.module_utils.variables.groups import (
    nodes_by_cluster as machines_by_cluster,
)
from ansible_collections.falconet.k8s.plugins.plugin_utils.role_specs import read_all


def inventory_problems(groups: Mapping[str, list[str]], hostvars: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """What is wrong with an inventory's groups. See inventory_problems.yml."""
    return problems_of_groups(groups, clusters_of(groups, hostvars))


def cluster_nodes(
    cluster: str, groups: Mapping[str, list[str]], hostvars: Mapping[str, Mapping[str, Any]]
) -> list[str]:
    """The machines of a cluster. See cluster_nodes.yml."""
    return nodes_of(groups, clusters_of(groups, hostvars), cluster)


def nodes_by_cluster(
    groups: Mapping[str, list[str]], hostvars: Mapping[str, Mapping[str, Any]]
) -> dict[str, list[str]]:
    """The machines of all clusters. See nodes_by_cluster.yml."""
    return machines_by_cluster(groups, clusters_of(groups, hostvars))


def connection_problems(
    clusters: list[str], hostvars: Mapping[str, Mapping[str, Any]], environment: Mapping[str, str]
) -> list[str]:
    """What inventory and environment say twice of connections. See connection_problems.yml."""
    named = {cluster: [name for name in hostvars[cluster] if name.startswith("cluster_")] for cluster in clusters}
    return problems_of_connections(named, environment)


def failed_clusters(
    failed: list[str],
    groups: Mapping[str, list[str]],
    hostvars: Mapping[str, Mapping[str, Any]],
    before: Mapping[str, list[str]],
) -> dict[str, list[str]]:
    """What failed, by cluster. See failed_clusters.yml."""
    return failed_clusters_of(failed, groups, hostvars, before)


def max_fail_percentage(groups: Mapping[str, list[str]], given: int | str | None = None) -> int | str:
    """How many hosts of a play may fail. See max_fail_percentage.yml."""
    # A keyword of a play is evaluated in the process of which Ansible forks one for each task of each host. So all of
    # them have what is read here, and this collection's filters, which Ansible imports together.
    read_all()
    return percentage_that_may_fail(groups, given)


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {
            "inventory_problems": inventory_problems,
            "connection_problems": connection_problems,
            "cluster_nodes": cluster_nodes,
            "failed_clusters": failed_clusters,
            "max_fail_percentage": max_fail_percentage,
            "nodes_by_cluster": nodes_by_cluster,
        }
