# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values that are taken out one by one, until what is left has no variable; with what came out of each."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from typing import Any

from ..problems import Problem
from ..secret_values import leaves

#: What take() returns for a value that is not there; None is a value.
ABSENT = object()


class Taking:
    """Values being turned into variables.

    Attributes:
      rest: what nobody has taken yet.
      variables: of the role, by their whole names.
      secrets: variables for a vault, to which ``variables`` refer.
      left_out: what nothing takes and may be secret, by its path.
      rules: rules files of one's own.
      notes: what a reader must know.
    """

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.rest: dict[str, Any] = copy.deepcopy(dict(values))
        self.variables: dict[str, Any] = {}
        self.secrets: dict[str, Any] = {}
        self.left_out: dict[str, Any] = {}
        self.rules: dict[str, str] = {}
        self.notes: list[Problem] = []

    def look(self, path: str) -> Any:
        """A value that is still there, or ABSENT."""
        node: Any = self.rest
        for key in path.split("."):
            if not isinstance(node, Mapping) or key not in node:
                return ABSENT
            node = node[key]
        return node

    def take(self, path: str) -> Any:
        """A value, which is not there any more then; mappings that are empty without it go, too."""
        value = self.look(path)
        if value is not ABSENT:
            self._remove(self.rest, path.split("."))
        return value

    def set(self, variable: str, value: Any) -> None:
        """A variable of the role."""
        self.variables[variable] = value

    def move(self, path: str, variable: str) -> None:
        """A value becomes a variable as it is, unless it is null."""
        value = self.take(path)
        if value is not ABSENT and value is not None:
            self.set(variable, value)

    def hide(self, name: str, value: Any) -> str:
        """A secret goes to the vault's variables; what to write in its place."""
        variable = "vault_falco_" + re.sub(r"\W+", "_", name).strip("_").lower()
        self.secrets[variable] = value
        return "{{ " + variable + " }}"

    def note(self, path: str, message: str, hint: str = "") -> None:
        """Something that a reader must know."""
        self.notes.append(Problem(path, message, hint))

    def leave(self, path: str, value: Any, message: str, hint: str = "") -> None:
        """A value that was taken goes nowhere, and is kept with what may be secret; and why."""
        self.left_out.update({place: leaf for place, _key, leaf in leaves(value, path) if given(leaf)})
        self.note(path, message, hint)

    def _remove(self, node: dict[str, Any], keys: list[str]) -> None:
        if len(keys) > 1:
            self._remove(node[keys[0]], keys[1:])
            if node[keys[0]]:
                return
        del node[keys[0]]


def entries(value: Any) -> list[Any]:
    """The entries of a list; where one stands alone, or nothing, those are meant."""
    if isinstance(value, list):
        return value
    return [value] if given(value) else []


def given(value: Any) -> bool:
    """Whether a value that take() returned says something."""
    return value is not ABSENT and value not in (None, "", [], {})
