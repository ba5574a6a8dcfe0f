# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filters falco_changes, falco_manifests and falco_way_back: what Helm must do, what the API server is asked of it
beforehand, and what a run that failed leaves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Callable

from ansible_collections.falconet.k8s.plugins.plugin_utils.plain import plain

# Ansible imports every filter file of a collection in each of its processes as soon as a template uses any of them.
# So a filter imports its core when it is used.


def falco_changes(plan: dict[str, Any], looks: list[dict[str, Any]]) -> dict[str, Any]:
    """Releases to install, to remove, to recover. See falco_changes.yml."""
    from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.changes import find_changes

    return asdict(find_changes(plain(plan), plain(looks)))


def falco_manifests(rendered: list[str], moving: list[str]) -> list[Mapping[str, Any]]:
    """What the API server is to try of rendered charts. See falco_manifests.yml."""
    import yaml
    from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.changes import manifests_to_try

    return manifests_to_try((one for text in rendered for one in yaml.safe_load_all(text) if one), moving)


def falco_way_back(reason: str, place: str, changed: bool, roll_back: bool, steps: dict[str, Any]) -> str:
    """The words at the end of a run that failed. See falco_way_back.yml."""
    from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.changes import tell_way_back

    return tell_way_back(reason, place, changed, roll_back, steps)


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {
            "falco_changes": falco_changes,
            "falco_manifests": falco_manifests,
            "falco_way_back": falco_way_back,
        }
