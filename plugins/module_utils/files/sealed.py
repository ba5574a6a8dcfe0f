# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files of an inventory's variables that Ansible Vault has sealed, whole or in single values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

#: Source: https://docs.ansible.com/ansible/latest/vault_guide/vault_encrypting_content.html
_HEADER = "$ANSIBLE_VAULT;"
_SUFFIXES = ("", ".yml", ".yaml", ".json")


@dataclass(frozen=True)
class Sealed:
    """A file with something sealed.

    Attributes:
      path: of the file.
      whole: whether all of it is sealed, or single values.
    """

    path: str
    whole: bool


def sealed_files(folders: Iterable[str], groups: Iterable[str], hosts: Iterable[str]) -> list[Sealed]:
    """Sealed files among those that Ansible reads variables from, by their paths.

    Args:
      folders: where C(group_vars) and C(host_vars) are: directories of inventories and playbooks, or files in them.
        What does not exist (an inventory on the command line) is left out.
      groups: names of the inventory's groups.
      hosts: names of its hosts.
    """
    roots = {path if path.is_dir() else path.parent for path in map(Path, folders) if path.exists()}
    found = set()
    for root in roots:
        for kind, names in (("group_vars", list(groups)), ("host_vars", list(hosts))):
            for path in _files(root / kind, names):
                text = path.read_text(encoding="utf-8", errors="replace")
                if _HEADER in text:
                    found.add(Sealed(str(path), text.startswith(_HEADER)))
    return sorted(found, key=lambda one: one.path)


def _files(folder: Path, names: list[str]) -> Iterator[Path]:
    for name in names:
        for place in [folder / f"{name}{suffix}" for suffix in _SUFFIXES]:
            if place.is_file():
                yield place
            elif place.is_dir():
                yield from (path for path in place.rglob("*") if path.is_file())
