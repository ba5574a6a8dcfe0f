# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter trigger_problems: triggers that would prove nothing."""

from __future__ import annotations

from typing import Any, Callable

# Ansible imports every filter file of a collection in each of its processes as soon as a template uses any of them.
# So a filter imports its core when it is used.


def trigger_problems(
    triggers: list[dict[str, Any]],
    rules: dict[str, bool],
    whole: bool = True,
    catalogue: list[str] | None = None,
    disabled: list[str] | None = None,
) -> list[str]:
    """What is wrong with triggers before they are done. See trigger_problems.yml."""
    from ansible_collections.falconet.k8s.plugins.module_utils.alerts.trigger_problems import problems_of_triggers
    from ansible_collections.falconet.k8s.plugins.module_utils.alerts.triggers.choice import (
        named_triggers,
        problems_of_choice,
    )

    names, off = catalogue or [], disabled or []
    return problems_of_choice(names, off, triggers) + problems_of_triggers(
        named_triggers(names, off, triggers), rules, whole
    )


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"trigger_problems": trigger_problems}
