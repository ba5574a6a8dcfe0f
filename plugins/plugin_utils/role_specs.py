# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the collection's roles declare of their variables (meta/argument_specs.yml)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.falconet.k8s.plugins.module_utils.variables import VariableError, read_variable

from .plain import plain

ROLES = Path(__file__).resolve().parents[2] / "roles"
STAGES = ROLES.parent / "playbooks" / "vars" / "stages.yml"
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_spec(path: Path) -> Any:
    """An argument_specs.yml, ten times as fast as Ansible's filter from_yaml reads it."""
    with path.open(encoding="utf-8") as file:
        return yaml.load(file, Loader=_Loader)  # noqa: S506 - a safe loader, in C where there is one


@cache
def known_spec(path: str) -> Any:
    """An argument_specs.yml by its real path, read once in a process and those forked of it; not to be changed."""
    return read_spec(Path(path))


@cache
def role_names() -> tuple[str, ...]:
    """The collection's roles, those with the longest names first."""
    names = (path.parent.parent.name for path in ROLES.glob("*/meta/argument_specs.yml"))
    return tuple(sorted(names, key=lambda name: (-len(name), name)))


def read_all() -> None:
    """Read what all roles declare, and the stages, so that a process has it that is forked of this one."""
    known_spec(str(STAGES))
    for role in role_names():
        role_options(role)


@cache
def role_options(role: str) -> dict[str, dict[str, Any]]:
    """The variables of a role by their names, each with its declaration.

    Raises:
      KeyError: the collection has no such role.
    """
    path = ROLES / role / "meta" / "argument_specs.yml"
    if not path.is_file():
        raise KeyError(role)
    options: dict[str, dict[str, Any]] = known_spec(str(path))["argument_specs"]["main"]["options"]
    return options


@cache
def declared_option(name: str) -> dict[str, Any]:
    """The declaration of a role's variable; its role is the longest that its name begins with.

    Raises:
      KeyError: no role declares it.
    """
    for role in role_names():
        if name.startswith(f"{role}_") and name in role_options(role):
            return role_options(role)[name]
    raise KeyError(name)


@cache
def _all_options(role: str) -> dict[str, dict[str, Any]]:
    """The variables of a role in any of its entry points; those of main count before others."""
    read_main = role_options(role)
    points = known_spec(str(ROLES / role / "meta" / "argument_specs.yml"))["argument_specs"].values()
    return {**{name: option for point in points for name, option in point.get("options", {}).items()}, **read_main}


def any_option(name: str) -> dict[str, Any]:
    """The declaration of a variable in any entry point of any role.

    Raises:
      KeyError: no role declares it.
    """
    for role in role_names():
        if name.startswith(f"{role}_") and name in _all_options(role):
            return _all_options(role)[name]
    raise KeyError(name)


def every_name() -> list[str]:
    """Every variable that a role declares in any of its entry points."""
    return sorted(name for role in role_names() for name in _all_options(role))


def typed_variables(role: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """A role's variables with their declared types, and without the role's name before theirs.

    Args:
      role: such as C(falco).
      given: by their names; what the role does not declare is left out.

    Raises:
      VariableError: values of other types; all problems at once.
    """
    typed, problems = {}, []
    for name, option in role_options(role).items():
        if name in given:
            try:
                typed[name[len(role) + 1 :]] = read_variable(name, plain(given[name]), option)
            except VariableError as error:
                problems += error.problems
    if problems:
        raise VariableError(problems)
    return typed
