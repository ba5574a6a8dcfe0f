# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter trigger_subjects: what must be in a cluster before triggers are fired."""

from __future__ import annotations

from typing import Any, Callable

# Ansible imports every filter file of a collection in each of its processes as soon as a template uses any of them.
# So a filter imports its core when it is used.


def trigger_subjects(
    triggers: list[dict[str, Any]],
    destinations: list[dict[str, Any]] | None = None,
    policed: list[dict[str, Any]] | None = None,
    falco_namespace: str = "falco",
    release_to_come: str = "",
    catalogue_namespace: str = "",
) -> list[dict[str, Any]]:
    """Namespaces and Services. See trigger_subjects.yml."""
    from ansible_collections.falconet.k8s.plugins.module_utils.alerts.needs import needed_subjects
    from ansible_collections.falconet.k8s.plugins.plugin_utils.plain import plain

    given = (plain(triggers), plain(destinations or []), plain(policed or []))
    return needed_subjects(*given, falco_namespace, release_to_come, catalogue_namespace)


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"trigger_subjects": trigger_subjects}
