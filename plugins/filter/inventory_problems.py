# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter inventory_problems: groups that the plays are for and the inventory does not have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable

from ansible_collections.falconet.k8s.plugins.module_utils.variables.groups import NODES, problems_of_groups


def inventory_problems(groups: Mapping[str, list[str]], hostvars: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """What is wrong with an inventory's groups. See inventory_problems.yml."""
    nodes = [node for node in groups.get(NODES) or () if "kube_cluster" in hostvars[node]]
    return problems_of_groups(groups, {node: hostvars[node]["kube_cluster"] for node in nodes})


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"inventory_problems": inventory_problems}
