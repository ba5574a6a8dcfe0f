# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter unknown_variables: misspelt role variables of an inventory, with the nearest name."""

from __future__ import annotations

import os
from typing import Any, Callable

from ansible.errors import AnsibleFilterError
from ansible_collections.falconet.k8s.plugins.module_utils.variables import unknown_variables as find_unknown
from ansible_collections.falconet.k8s.plugins.plugin_utils.role_specs import known_spec


def unknown_variables(names: list[str], specs: list[Any], prefixes: list[str]) -> list[dict[str, Any]]:
    """Names that no argument spec declares. See unknown_variables.yml."""
    specs = [known_spec(os.path.realpath(spec)) if isinstance(spec, str) else spec for spec in specs]
    if not all(isinstance(spec, dict) for spec in specs):
        raise AnsibleFilterError("unknown_variables: 'specs' must be a list of argument_specs.yml documents or paths")
    known = [
        option
        for spec in specs
        for entry_point in (spec.get("argument_specs") or {}).values()
        for option in entry_point.get("options") or {}
    ]
    findings = find_unknown(names, known, prefixes)
    return [{"name": f.name, "misspelt": f.misspelt, "nearest": f.nearest, "message": f.message} for f in findings]


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"unknown_variables": unknown_variables}
