# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filters on what roles declare of their variables: role_variable, role_variables, role_options and what is wrong."""

from __future__ import annotations

from typing import Any, Callable

from ansible.errors import AnsibleFilterError
from ansible_collections.falconet.k8s.plugins.module_utils.variables import VariableError, read_variable
from ansible_collections.falconet.k8s.plugins.plugin_utils.plain import plain
from ansible_collections.falconet.k8s.plugins.plugin_utils.role_specs import declared_option, role_options


def role_variable(value: Any, name: str) -> Any:
    """A variable's value as its role declares it. See role_variable.yml."""
    try:
        option = declared_option(name)
    except KeyError as error:
        raise AnsibleFilterError(f"role_variable: no role of this collection declares {name}") from error
    try:
        return read_variable(name, plain(value), option)
    except VariableError as error:
        raise AnsibleFilterError(str(error)) from error


def role_variable_problems(values: dict[str, Any]) -> list[str]:
    """What is wrong with variables, by what their roles declare. See role_variable_problems.yml."""
    found: list[str] = []
    for name, value in values.items():
        try:
            read_variable(name, plain(value), declared_option(name))
        except VariableError as error:
            found += error.problems
    return found


def nested_role_variables(names: list[str]) -> list[str]:
    """Those of the names that a role declares with keys of their own. See nested_role_variables.yml."""
    found = []
    for name in names:
        try:
            option = declared_option(name)
        except KeyError:
            continue
        if "options" in option:
            found.append(name)
    return found


def declared_options(role: str) -> dict[str, dict[str, Any]]:
    """What a role declares of its variables. See role_options.yml."""
    try:
        return role_options(role)
    except KeyError as error:
        raise AnsibleFilterError(f"role_options: this collection has no role {role}") from error


def role_variables(names: list[str], role: str) -> list[str]:
    """Those of the names that a role declares. See role_variables.yml."""
    try:
        return [name for name in names if name in role_options(role)]
    except KeyError as error:
        raise AnsibleFilterError(f"role_variables: this collection has no role {role}") from error


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {
            "nested_role_variables": nested_role_variables,
            "role_options": declared_options,
            "role_variable": role_variable,
            "role_variable_problems": role_variable_problems,
            "role_variables": role_variables,
        }
