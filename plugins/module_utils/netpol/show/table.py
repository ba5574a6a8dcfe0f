# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A matrix as a table of ends and cells, from what netpol_analyze returned, for all that shows it to people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ..errors import NetpolError
from ..model.ports import ALL

#: Cells beyond this are refused: nobody reads them, and the output would be many megabytes.
MAX_CELLS = 1_000_000


class Table(NamedTuple):
    """Who may send what to whom.

    Attributes:
        sources: names, pods and workloads first, addresses last.
        destinations: the same.
        cells: (source, destination) to (protocol, ports) pairs.
    """

    sources: list[str]
    destinations: list[str]
    cells: dict[tuple[str, str], tuple[tuple[str, str], ...]]


def read_table(data: object) -> Table:
    """A table from what netpol_analyze returned, or from its list of connections.

    Raises:
        NetpolError: the data is neither.
    """
    members: Sequence[str] = ()
    connections: object = data
    if isinstance(data, Mapping):
        connections = data.get("blocks") or data.get("connections")
        members = data.get("members") or ()
    if not isinstance(connections, (list, tuple)):
        raise NetpolError("connectivity needs the result of netpol_analyze, or its connections")
    found: dict[tuple[str, str], dict[str, str]] = {}
    for item in connections:
        if not isinstance(item, Mapping) or not {"from", "to", "protocol", "ports"} <= set(item):
            raise NetpolError(f"not a connection with from, to, protocol and ports: {item!r}")
        for source in _names(item["from"]):
            for destination in _names(item["to"]):
                ports = found.setdefault((source, destination), {})
                protocol = str(item["protocol"])
                ports[protocol] = _joined(ports.get(protocol), str(item["ports"]))
        if len(found) > MAX_CELLS:
            raise NetpolError(f"more than {MAX_CELLS} pairs: narrow the matrix, or group it by namespace")
    order = {"TCP": 0, "UDP": 1, "SCTP": 2}
    cells = {
        pair: tuple(sorted(ports.items(), key=lambda item: order.get(item[0], -1))) for pair, ports in found.items()
    }
    sources = dict.fromkeys([*members, *(pair[0] for pair in cells)])
    destinations = dict.fromkeys([*members, *(pair[1] for pair in cells)])
    return Table(sorted(sources, key=_order), sorted(destinations, key=_order), cells)


def _joined(before: str | None, ports: str) -> str:
    """The ports of two lines about one pair and protocol, as answers to queries and explanations have them."""
    if before is None or before == ports:
        return ports
    return ALL if ALL in (before, ports) else ",".join(dict.fromkeys([*before.split(","), *ports.split(",")]))


def _names(value: object) -> list[str]:
    return [str(name) for name in value] if isinstance(value, (list, tuple)) else [str(value)]


def is_address(name: str) -> bool:
    """Whether an end is an address or a range outside rather than a pod or workload."""
    head = name.split("/", 1)[0].split("-", 1)[0]
    return ":" in head or (head.count(".") == 3 and head.replace(".", "").isdigit())


def namespace_of(name: str) -> str:
    """The namespace of a pod or workload, empty for other ends."""
    return "" if is_address(name) or "/" not in name else name.split("/", 1)[0]


def _order(name: str) -> tuple[bool, str]:
    return (is_address(name), name)


def openness(texts: Sequence[tuple[str, Any]]) -> int:
    """How much is open, as a step from 0 (nothing) to 4 (all ports of all protocols)."""
    if not texts:
        return 0
    total = 0
    for protocol, ports in texts:
        if protocol == ALL:
            return 4
        if ports == ALL:
            return 3
        for part in str(ports).split(","):
            first, _dash, last = part.partition("-")
            total += int(last or first) - int(first) + 1
    return 1 if total <= 2 else 2 if total <= 100 else 3
