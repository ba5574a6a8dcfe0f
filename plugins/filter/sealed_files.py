# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter sealed_files: files of an inventory's variables that Ansible Vault has sealed."""

from __future__ import annotations

from typing import Any, Callable

# Ansible imports every filter file of a collection in each of its processes as soon as a template uses any of them.
# So a filter imports its core when it is used.


def sealed_files(folders: list[str], groups: list[str], hosts: list[str]) -> list[dict[str, Any]]:
    """Sealed files by their paths. See sealed_files.yml."""
    from ansible_collections.falconet.k8s.plugins.module_utils.files.sealed import sealed_files as sealed

    return [{"path": one.path, "whole": one.whole} for one in sealed(folders, groups, hosts)]


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"sealed_files": sealed_files}
