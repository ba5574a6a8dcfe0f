# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter node_plan: what is to be changed on a node."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable

# Ansible imports every filter file of a collection in each of its processes as soon as a template uses any of them.
# So a filter imports its core when it is used.


def node_plan(state: Mapping[str, Any], node: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """What is to be changed on a node. See node_plan.yml."""
    from ansible_collections.falconet.k8s.plugins.module_utils.node_plan import plan_of

    return plan_of(node, state, wanted)


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"node_plan": node_plan}
