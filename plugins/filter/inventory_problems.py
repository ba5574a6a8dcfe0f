# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filters inventory_problems and cluster_nodes: groups that the inventory lacks, and a cluster's machines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable

from ansible_collections.falconet.k8s.plugins.module_utils.variables.groups import (
    clusters_of,
    nodes_of,
    problems_of_groups,
)


def inventory_problems(groups: Mapping[str, list[str]], hostvars: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """What is wrong with an inventory's groups. See inventory_problems.yml."""
    return problems_of_groups(groups, clusters_of(groups, hostvars))


def cluster_nodes(
    cluster: str, groups: Mapping[str, list[str]], hostvars: Mapping[str, Mapping[str, Any]]
) -> list[str]:
    """The machines of a cluster. See cluster_nodes.yml."""
    return nodes_of(groups, clusters_of(groups, hostvars), cluster)


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"inventory_problems": inventory_problems, "cluster_nodes": cluster_nodes}
