# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A part of the list of connections: those of some workloads, with some peers, in one direction, on some ports."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ...common.words import nearest
from ..errors import NetpolError
from ..flows.vocabulary import parse_ports
from ..model.ports import Interval

DIRECTIONS = ("ingress", "egress")


class Focus:
    """What is kept of a list.

    Args:
        workloads: connections of these are kept, all if empty; names as the list has them, C(namespace/name), C(name).
        peers: of those, connections with these on the other side; all if empty.
        direction: C(ingress) or C(egress) as the workloads see it, empty for both.
        ports: connections of which a part is on these; None for all.

    Raises:
        NetpolError: a direction or a port is none.
    """

    def __init__(self, workloads: Sequence[str], peers: Sequence[str], direction: str, ports: object) -> None:
        if direction and direction not in DIRECTIONS:
            raise NetpolError(f"unknown direction {direction!r}: one of {', '.join(DIRECTIONS)}")
        if (peers or direction) and not workloads:
            raise NetpolError("focus_peers and focus_direction are about focus: name the workloads")
        self._names = (tuple(workloads), tuple(peers))
        self._workloads: set[str] = set()
        self._peers: set[str] = set()
        self._direction = direction
        self.intervals: list[Interval] = []
        for port in parse_ports(ports, "ports") or ():
            if port.name:
                raise NetpolError(f"ports: a list of connections has no port {port.name!r}, give its number")
            self.intervals.append((port.protocol, port.first, port.last))

    def __bool__(self) -> bool:
        return bool(self._names[0] or self.intervals)

    def resolve(self, members: Iterable[str]) -> None:
        """Look the names up among the members of a list.

        Raises:
            NetpolError: a name that no member has.
        """
        known: dict[str, set[str]] = {}
        for member in members:
            parts = member.split("/")
            for name in dict.fromkeys((member, f"{parts[0]}/{parts[-1]}", parts[-1])):
                known.setdefault(name, set()).add(member)
        for names, found in zip(self._names, (self._workloads, self._peers)):
            for name in names:
                if name not in known:
                    near = nearest(name, known)
                    raise NetpolError(f"focus: there is no {name!r}" + (f", did you mean {near!r}?" if near else ""))
                found.update(known[name])

    def keeps(self, source: str, destination: str) -> bool:
        """Whether a connection from one member or address to another is kept."""
        if not self._workloads:
            return True
        sides = []
        if self._direction != "egress":
            sides.append((destination, source))
        if self._direction != "ingress":
            sides.append((source, destination))
        return any(mine in self._workloads and (not self._peers or other in self._peers) for mine, other in sides)
