# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sets of connections between classes of pods and addresses, and how they are told: by workload and by range.

What holds for classes holds for each pod, since no policy tells the pods of a class apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, Union

from ..decide.engine import Engine
from ..decide.rows import Row, add_union
from ..decide.universe import Universe, bit_indices
from ..model.addresses import Range, format_range, merge
from ..model.objects import Pod

#: A workload by name, or a class outside by number.
_End = Union[str, int]
#: For each class as a destination, what each source may send to it.
Rows = Sequence[Row]


class Part(NamedTuple):
    """Connections of some sources to one destination (indices of classes), on some ports."""

    destination: int
    sources: int
    mask: int


class Classes:
    """The classes of a universe as ends of connections; a pod on its own is no end of a connection to itself."""

    def __init__(self, universe: Universe) -> None:
        self.universe = universe
        self._known: dict[int, list[tuple[_End, frozenset[str]]]] = {}
        alone: dict[tuple[str, str], int] = {}
        owners: list[tuple[str, str] | None] = []
        for number, members in enumerate(universe.members):
            owner = _only(members)
            owners.append(owner)
            if owner is not None:
                alone[owner] = alone.get(owner, 0) | 1 << number
        self._itself = [0 if owner is None else alone[owner] for owner in owners]

    def itself(self, number: int) -> int:
        """Classes that hold nothing but the one pod that this class holds."""
        return self._itself[number] if number < len(self._itself) else 0

    def minus(self, left: Rows, right: Rows) -> Iterator[Part]:
        """Connections of one set that another does not have."""
        for number, row in enumerate(left):
            if row is not right[number] and row != right[number]:
                yield from self._parts(number, row, right[number], False)

    def common(self, left: Rows, right: Rows) -> Iterator[Part]:
        """Connections that both sets have."""
        for number, row in enumerate(left):
            yield from self._parts(number, row, right[number], True)

    def _parts(self, number: int, left: Row, right: Row, both: bool) -> Iterator[Part]:
        itself = self.itself(number)
        for mask, every in left.items():
            rest = every & ~itself
            for other, others in right.items():
                shared = rest & others
                if shared:
                    rest ^= shared
                    ports = mask & other if both else mask & ~other
                    if ports:
                        yield Part(number, shared, ports)
            if rest and not both:
                yield Part(number, rest, mask)

    def told(self, parts: Iterable[Part], limit: int) -> tuple[list[dict[str, str]], bool]:
        """Connections by workload and range of addresses, and whether there are more pairs than the limit."""
        masks: dict[tuple[_End, _End], int] = {}
        for part in parts:
            for source in bit_indices(part.sources):
                for pair in self._pairs(source, part.destination):
                    if pair not in masks and len(masks) >= limit:
                        return self._joined(masks), True
                    masks[pair] = masks.get(pair, 0) | part.mask
        return self._joined(masks), False

    def _pairs(self, source: int, destination: int) -> Iterator[tuple[_End, _End]]:
        for start, here in self._ends(source):
            for end, there in self._ends(destination):
                # Two pods of one workload, where there are two.
                if start != end or len(here | there) > 1:
                    yield start, end

    def _ends(self, number: int) -> Sequence[tuple[_End, frozenset[str]]]:
        """The workloads of a class with their pods' names, or the class itself if it is outside."""
        found = self._known.get(number)
        if found is None:
            pods: dict[_End, set[str]] = {}
            if number >= self.universe.pod_classes:
                pods[number] = set()
            else:
                for pod in self.universe.members[number]:
                    names = pods.setdefault(pod.workload_name, set())
                    names.add(pod.full_name)
                    if pod.replicas > 1:
                        names.add(f"another {pod.full_name}")
            found = self._known[number] = [(name, frozenset(names)) for name, names in pods.items()]
        return found

    def _joined(self, masks: Mapping[tuple[_End, _End], int]) -> list[dict[str, str]]:
        """Pairs with their ports; ranges of addresses that touch and have the same ports are one."""
        outside: dict[tuple[str, bool, int], list[Range]] = {}
        found: list[tuple[str, str, int]] = []
        for (source, destination), mask in masks.items():
            if isinstance(source, str) and isinstance(destination, str):
                found.append((source, destination, mask))
            elif isinstance(source, str):
                outside.setdefault((source, True, mask), []).extend(self._ranges(destination))
            else:
                outside.setdefault((str(destination), False, mask), []).extend(self._ranges(source))
        for (workload, is_source, mask), ranges in outside.items():
            for item in merge(ranges):
                told = format_range(item)
                found.append((workload, told, mask) if is_source else (told, workload, mask))
        return [
            {"from": source, "to": destination, "protocol": protocol, "ports": ports}
            for source, destination, mask in sorted(found)
            for protocol, ports in self.universe.ports.texts(mask)
        ]

    def _ranges(self, end: _End) -> Sequence[Range]:
        return self.universe.outside[int(end) - self.universe.pod_classes]


def rows(engine: Engine) -> Rows:
    """What an engine allows."""
    return [engine.row(number) for number in range(engine.universe.size)]


def union(left: Rows, right: Rows) -> Rows:
    """What either allows."""
    found = []
    for one, other in zip(left, right):
        total = dict(one)
        for mask, sources in other.items():
            add_union(total, mask, sources)
        found.append(total)
    return found


def _only(members: Sequence[Pod]) -> tuple[str, str] | None:
    """The one pod that a class holds, None if it holds several."""
    first = members[0]
    found = {(pod.kind, pod.full_name) for pod in members}
    return (first.kind, first.full_name) if len(found) == 1 and first.replicas < 2 else None
