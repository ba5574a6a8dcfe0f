# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter node_problems: what keeps a node from being prepared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable

# Ansible imports every filter file of a collection in each of its processes as soon as a template uses any of them.
# So a filter imports its core when it is used.


def node_problems(asked: Mapping[str, Any], node: str) -> list[str]:
    """What is wrong with what was asked, a sentence each. See node_problems.yml."""
    from ansible_collections.falconet.k8s.plugins.module_utils.variables import nodes

    found: list[str] = []
    if asked.get("facts"):
        found += nodes.problems_of_system(node, asked["facts"])
    if asked.get("settings"):
        found += nodes.problems_of_settings(asked["settings"])
    if asked.get("decision"):
        found += nodes.problems_of_driver(node, asked["driver"], asked["decision"])
    if asked.get("storage"):
        found += nodes.problems_of_storage(node, asked["directory"], int(asked["min_free_mb"]), asked["storage"])
    if asked.get("reboot"):
        found += nodes.problems_of_reboot(node, asked["reboot"])
    if asked.get("headers"):
        found.append(nodes.problem_of_headers(node, asked["headers"]))
    return found


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"node_problems": node_problems}
