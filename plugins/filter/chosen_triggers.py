# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter chosen_triggers: triggers of the catalogue and the user's own, as falco_triggers_run takes them."""

from __future__ import annotations

from typing import Any, Callable

# Ansible imports every filter file of a collection in each of its processes as soon as a template uses any of them.
# So a filter imports its core when it is used.


def chosen_triggers(
    triggers: list[dict[str, Any]],
    catalogue: list[str] | None = None,
    disabled: list[str] | None = None,
    namespace: str = "default",
    about: dict[str, Any] | None = None,
) -> list[dict[str, Any]]:
    """The triggers of a proof. See chosen_triggers.yml."""
    from ansible_collections.falconet.k8s.plugins.module_utils.alerts.triggers.choice import chosen_triggers as chosen
    from ansible_collections.falconet.k8s.plugins.plugin_utils.plain import plain

    return chosen(catalogue or [], disabled or [], plain(triggers), namespace, plain(about or {}))


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"chosen_triggers": chosen_triggers}
