# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter service_subjects: Services of the cluster that the addresses in variables name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable

# Ansible imports every filter file of a collection in each of its processes as soon as a template uses any of them.
# So a filter imports its core when it is used.


def service_subjects(variables: Mapping[str, Any], own_namespace: str = "", own_name: str = "") -> list[dict[str, str]]:
    """Subjects for cluster_objects_info. See service_subjects.yml."""
    from ansible_collections.falconet.k8s.plugins.module_utils.variables.services import services_in

    found = [subject for name, value in variables.items() for subject in services_in(value, name)]
    return [
        {"kind": one.kind, "name": one.name, "namespace": one.namespace, "variable": one.variable}
        for one in found
        if not (own_name and one.namespace == own_namespace and one.name.startswith(own_name))
    ]


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"service_subjects": service_subjects}
