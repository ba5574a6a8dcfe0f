# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filters on what Ansible Vault has sealed: files of an inventory's variables, and variables that cannot be opened."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from operator import getitem
from typing import Any, Callable

from ansible.parsing.vault import AnsibleVaultError

_UNOPENED: tuple[type[Exception], ...] = (AnsibleVaultError,)
try:  # since ansible-core 2.19 what cannot be opened is handed on until somebody reads it
    from ansible._internal._templating._jinja_common import UndecryptableVaultError
    from ansible.template import accept_lazy_markers
except ImportError:  # before it, reading raises the vault's own error
    accept_lazy_markers = None
else:
    _UNOPENED += (UndecryptableVaultError,)

# Ansible imports every filter file of a collection in each of its processes as soon as a template uses any of them.
# So a filter imports its core when it is used.


def sealed_files(folders: list[str], groups: list[str], hosts: list[str]) -> list[dict[str, Any]]:
    """Sealed files by their paths. See sealed_files.yml."""
    from ansible_collections.falconet.k8s.plugins.module_utils.files.sealed import sealed_files as sealed

    return [{"path": one.path, "whole": one.whole} for one in sealed(folders, groups, hosts)]


def unopened_variables(variables: Mapping[str, Any], names: Iterable[str]) -> list[str]:
    """Those of the names whose values no password opens. See unopened_variables.yml."""
    return [name for name in names if name in variables and _is_unopened(partial(getitem, variables, name))]


def _is_unopened(read: Callable[[], Any]) -> bool:
    """Whether a value, or one in it, is sealed and cannot be opened; any other error is somebody else's to tell."""
    try:
        value = read()
        if isinstance(value, Mapping):
            return any(_is_unopened(partial(getitem, value, key)) for key in value)
        if isinstance(value, (list, tuple)):
            return any(_is_unopened(partial(getitem, value, index)) for index in range(len(value)))
        str(value)
    except Exception as error:
        return any(isinstance(one, _UNOPENED) for one in (error, error.__cause__))
    return False


if accept_lazy_markers:
    accept_lazy_markers(unopened_variables)


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"sealed_files": sealed_files, "unopened_variables": unopened_variables}
