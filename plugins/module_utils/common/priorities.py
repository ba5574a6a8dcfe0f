# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Priorities of Falco's rules: from the most urgent to the least, and which is below which.

Source: https://falco.org/docs/concepts/rules/basic-elements/#priority
"""

from __future__ import annotations

#: From the most urgent to the least.
PRIORITIES = ("emergency", "alert", "critical", "error", "warning", "notice", "informational", "debug")


def below(priority: str, least: str) -> bool:
    """Whether a priority is less urgent than the least one that passes; what is no priority is below none."""
    places = [PRIORITIES.index(name) for name in map(_whole, (priority, least)) if name in PRIORITIES]
    return len(places) == 2 and places[0] > places[1]


def _whole(priority: str) -> str:
    """Falco and Falcosidekick also know C(info)."""
    return {"info": "informational"}.get(priority.lower(), priority.lower())
