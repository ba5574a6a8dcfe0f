# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects without the secrets that they may hold: literal values of environment variables."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

LEFT_OUT = "(left out)"
_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_CONTAINERS = ("containers", "initContainers", "ephemeralContainers")


def without_secrets(item: Mapping[str, Any]) -> dict[str, Any]:
    """An object without its containers' literal environment values, also where kubectl keeps them.

    Args:
        item: a pod, or a workload with a pod template.
    """
    found = copy.deepcopy(dict(item))
    metadata = found.get("metadata") or {}
    metadata.pop("managedFields", None)
    if _APPLIED in (metadata.get("annotations") or {}):
        metadata["annotations"][_APPLIED] = LEFT_OUT
    spec = found.get("spec") or {}
    for place in (spec, ((spec.get("template") or {}).get("spec") or {})):
        for key in _CONTAINERS:
            for container in place.get(key) or []:
                for variable in container.get("env") or []:
                    if variable.get("value"):
                        variable["value"] = LEFT_OUT
    return found
