# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading of the catalogue's entries: which options an entry has, of which types, and errors that name the place."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping
from typing import Any

from ..common.words import nearest

_PORT = re.compile(r"(?P<port>[a-z0-9]([a-z0-9-]*[a-z0-9])?|\d+-\d+)(/(?P<protocol>TCP|UDP|SCTP))?", re.IGNORECASE)
_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")


class CatalogueError(ValueError):
    """An entry that says nothing sensible; the text names its place and what would be right."""


def hint(word: str, known: Iterable[str]) -> str:
    """The nearest known word, or all of them."""
    options = sorted(known)
    close = nearest(word, options)
    return f"did you mean {close}?" if close else f"known are {', '.join(options)}"


class Options:
    """The options of one entry, taken out one by one; what is left at the end is an error.

    Args:
        values: the entry.
        where: its place, for messages.
    """

    def __init__(self, values: Mapping[str, Any], where: str) -> None:
        self.values = dict(values)
        self.where = where
        self._taken: set[str] = set()

    def take(self, name: str, default: Any = None) -> Any:
        """An option's value, or the default if it is left out or None."""
        self._taken.add(name)
        value = self.values.get(name)
        return default if value is None else value

    def need(self, name: str) -> Any:
        """An option that must be there."""
        value = self.take(name)
        if value is None:
            raise CatalogueError(f"{self.where}: {name} is missing")
        return value

    def end(self) -> None:
        """Refuse options that nobody has asked for."""
        for name in self.values:
            if name not in self._taken:
                raise CatalogueError(f"{self.where}: there is no option {name}; {hint(str(name), self._taken)}")

    def labels(self, name: str) -> dict[str, str]:
        """Labels by which pods or namespaces are selected."""
        value = self.take(name, {})
        if not isinstance(value, Mapping):
            raise CatalogueError(f"{self.where}: {name} must be a mapping of labels, not {value!r}")
        return {str(key): str(text) for key, text in value.items()}

    def names(self, name: str) -> list[str]:
        """One name or a list of names."""
        value = self.take(name, [])
        items = [value] if isinstance(value, str) else value
        if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
            raise CatalogueError(f"{self.where}: {name} must be a name or a list of names, not {value!r}")
        return items

    def blocks(self, name: str) -> list[str]:
        """One CIDR block or a list of them."""
        found = self.names(name)
        for block in found:
            try:
                ipaddress.ip_network(block)
            except ValueError as error:
                raise CatalogueError(f"{self.where}: {name}: {error}") from error
        return found

    def ports(self, name: str = "ports", default: list[Any] | None = None) -> list[dict[str, Any]]:
        """Ports as NetworkPolicies write them, from C(8080), C(8080/TCP), C(http/TCP) or C(8000-8100/TCP)."""
        value = self.take(name, default or [])
        items = value if isinstance(value, list) else [value]
        return [self._port(item, name) for item in items]

    def _port(self, item: Any, name: str) -> dict[str, Any]:
        match = _PORT.fullmatch(str(item))
        if not match or isinstance(item, bool):
            raise CatalogueError(
                f"{self.where}: {name}: {item!r} is no port; write 8080, 8080/TCP, http/TCP or 80-90/TCP"
            )
        text, protocol = match["port"], (match["protocol"] or "TCP").upper()
        first, _dash, last = text.partition("-")
        if first.isdigit() and last.isdigit():
            if not 1 <= int(first) <= int(last) <= 65535:
                raise CatalogueError(f"{self.where}: {name}: {item!r} is no range of ports")
            return {"protocol": protocol, "port": int(first), "endPort": int(last)}
        if text.isdigit():
            if not 1 <= int(text) <= 65535:
                raise CatalogueError(f"{self.where}: {name}: {item!r} is no port, ports go from 1 to 65535")
            return {"protocol": protocol, "port": int(text)}
        return {"protocol": protocol, "port": text}

    def name(self, default: str) -> str:
        """Name of the policy."""
        value = str(self.take("name", default))
        if not _NAME.fullmatch(value):
            raise CatalogueError(f"{self.where}: name {value!r} is no name of a Kubernetes object")
        return value
