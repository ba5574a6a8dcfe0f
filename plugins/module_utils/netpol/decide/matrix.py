# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole answer: every connection that is allowed, by pod, workload, namespace or label.

It stays symbolic (sets of sources, sets of destinations, ports) until it is listed. A pod's connection to itself is no
part of it; a workload's or namespace's connection to itself is the one between two of its pods.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from ..errors import NetpolError
from ..model.addresses import Range, format_range, merge
from ..model.objects import Pod
from .engine import Engine
from .rows import Row, add_union, size
from .universe import Universe, bit_indices, from_indices

GROUPINGS = ("pod", "workload", "namespace", "label")


class Connection(NamedTuple):
    """One line of the answer.

    Attributes:
        source: a group's name, or a range of addresses outside.
        destination: the same.
        protocol: TCP, UDP, SCTP or C(all).
        ports: C(all) or numbers and ranges, C(80,8000-8100).
    """

    source: str
    destination: str
    protocol: str
    ports: str

    def as_dict(self) -> dict[str, str]:
        return {"from": self.source, "to": self.destination, "protocol": self.protocol, "ports": self.ports}


class Block(NamedTuple):
    """All pairs of some sources and some destinations with the same ports, as sets of member indices."""

    sources: int
    destinations: int
    mask: int


class Groups:
    """The members that a matrix is about: groups of pods, then the universe's classes of outside addresses.

    Args:
        universe: the classes.
        by: pod, workload, namespace or label.
        label: the label key for C(by=label); pods without it are the group C(!key).
        present: only these of the universe's pods are there; all by default. The names are of all pods either way,
            so that groups of different pods of one universe can be compared.

    Attributes:
        names: names of the pod groups, sorted; their position is their index.
    """

    def __init__(
        self, universe: Universe, by: str = "workload", label: str | None = None, present: Sequence[Pod] | None = None
    ) -> None:
        if by not in GROUPINGS:
            raise NetpolError(f"cannot group by {by!r}: one of {', '.join(GROUPINGS)}")
        if by == "label" and not label:
            raise NetpolError("grouping by label needs the label's key")
        self.universe = universe
        counts: dict[str, dict[int, int]] = {}
        there = None if present is None else {id(pod) for pod in present}
        for index, members in enumerate(universe.members):
            for pod in members:
                per_class = counts.setdefault(_group_name(pod, by, label), {})
                if there is None or id(pod) in there:
                    per_class[index] = per_class.get(index, 0) + max(pod.replicas, 1)
        self.names: list[str] = sorted(counts)
        self.count = len(self.names)
        self.classes: list[dict[int, int]] = [counts[name] for name in self.names]
        self.single: list[bool] = [sum(per_class.values()) < 2 for per_class in self.classes]
        self.simple = all(len(per_class) <= 1 for per_class in self.classes)
        self._of_class: list[int] = [0] * universe.size
        for group, per_class in enumerate(self.classes):
            for index in per_class:
                self._of_class[index] |= 1 << group
        for number in range(len(universe.outside)):
            self._of_class[universe.pod_classes + number] = 1 << (self.count + number)
        self._bits: dict[int, int] = {}
        self._listed: dict[int, list[str]] = {}

    def count_as_many(self, other: Groups) -> None:
        """Takes a group of one pod for one of several where the other groups have several.

        What a pod may do to another of its workload is compared, not how many there are: scaling changes no policy.
        """
        for index, per_class in enumerate(self.classes):
            if per_class and self.single[index] and not other.single[index]:
                for number in per_class:
                    per_class[number] = 2
                self.single[index] = False

    def of_class(self, index: int) -> int:
        """Members that have pods in a class, or the outside member of an outside class."""
        return self._of_class[index]

    def of_classes(self, classes: int) -> int:
        """Members that have pods in any of the classes."""
        bits = self._bits.get(classes)
        if bits is None:
            bits = 0
            for index in bit_indices(classes):
                bits |= self._of_class[index]
            self._bits[classes] = bits
        return bits

    def listed(self, members: int) -> list[str]:
        """Names of the members; outside classes that touch are one range."""
        names = self._listed.get(members)
        if names is None:
            ranges: list[Range] = []
            names = []
            for index in bit_indices(members):
                if index < self.count:
                    names.append(self.names[index])
                else:
                    ranges.extend(self.universe.outside[index - self.count])
            names.extend(format_range(item) for item in merge(ranges))
            self._listed[members] = names
        return names


def _group_name(pod: Pod, by: str, label: str | None) -> str:
    if by == "pod":
        return pod.full_name
    if by == "workload":
        return pod.workload_name
    if by == "namespace":
        return pod.namespace
    key = label or ""
    return f"{key}={pod.labels[key]}" if key in pod.labels else f"!{key}"


class Matrix:
    """All allowed connections between the members of some groups.

    Args:
        engine: the evaluation.
        groups: the members.
        outside: whether addresses outside take part.
    """

    def __init__(self, engine: Engine, groups: Groups, outside: bool = True) -> None:
        self.engine = engine
        self.groups = groups
        self.outside = outside
        self.ports = engine.universe.ports

    def member_rows(self) -> Iterator[tuple[list[int], Row]]:
        """Destinations (member indices) with their row over members; every member occurs once."""
        universe, groups = self.engine.universe, self.groups
        if groups.simple:
            for group in self.engine.rows():
                inner = [index for index in group.destinations if index < universe.pod_classes]
                if inner:
                    row: Row = {}
                    for mask, classes in group.row.items():
                        row[mask] = groups.of_classes(classes)
                    members = 0
                    for index in inner:
                        members |= groups.of_class(index)
                    if members:
                        yield bit_indices(members), row
        else:
            yield from self._merged_rows()
        if self.outside:
            for number in range(universe.pod_classes, universe.size):
                row = {}
                for mask, classes in self.engine.row(number).items():
                    add_union(row, mask, groups.of_classes(classes))
                yield bit_indices(groups.of_class(number)), row

    def _merged_rows(self) -> Iterator[tuple[list[int], Row]]:
        """Rows of groups whose pods lie in several classes: what any of their pods may do."""
        groups, engine = self.groups, self.engine
        for member, per_class in enumerate(groups.classes):
            if not per_class:
                continue
            row: Row = {}
            me = 1 << member
            inner = 0
            for index in per_class:
                for mask, classes in engine.row(index).items():
                    add_union(row, mask, groups.of_classes(classes) & ~me)
                    for other, count in per_class.items():
                        if classes >> other & 1 and (other != index or count > 1):
                            inner |= mask
            if inner:
                row[inner] = row.get(inner, 0) | me
            yield [member], row

    def blocks(self) -> Iterator[Block]:
        """The answer in as few pieces as the policies have, with outside destinations joined where they touch."""
        count = self.groups.count
        allowed = -1 if self.outside else (1 << count) - 1
        outside: dict[int, list[tuple[int, int]]] = {}
        joined: dict[tuple[tuple[int, int], ...], int] = {}
        for destinations, row in self.member_rows():
            if destinations[0] >= count:
                for mask, sources in row.items():
                    outside.setdefault(mask, []).append((destinations[0], sources))
                continue
            key = tuple(sorted(row.items()))
            bits = 0
            for destination in destinations:
                bits |= 1 << destination
            joined[key] = joined.get(key, 0) | bits
        for key, bits in joined.items():
            for mask, sources in key:
                if sources & allowed:
                    yield Block(sources & allowed, bits, mask)
        for mask, found in outside.items():
            yield from _outside_blocks(mask, found)

    def pairs(self) -> Iterator[tuple[str, list[str], int]]:
        """Destination by destination: its name, its sources' names, the port mask. Sorted by destination."""
        groups = self.groups
        by_destination: dict[int, list[tuple[int, int]]] = {}
        outside: list[tuple[str, int, int]] = []
        for block in self.blocks():
            inner = [index for index in bit_indices(block.destinations) if index < groups.count]
            for index in inner:
                by_destination.setdefault(index, []).append((block.mask, block.sources))
            if not inner:
                outside.extend((name, block.mask, block.sources) for name in groups.listed(block.destinations))
        for index in sorted(by_destination):
            me = 1 << index
            for mask, sources in by_destination[index]:
                others = sources & ~me if groups.single[index] else sources
                if others:
                    yield groups.names[index], groups.listed(others), mask
        for name, mask, sources in sorted(outside, key=lambda item: item[0]):
            yield name, groups.listed(sources), mask

    def connections(self) -> Iterator[Connection]:
        """Every line of the answer."""
        for destination, sources, mask in self.pairs():
            for protocol, ports in self.ports.texts(mask):
                for source in sources:
                    yield Connection(source, destination, protocol, ports)

    def count(self) -> int:
        """How many lines C(connections) gives, without making them."""
        groups = self.groups
        inner = (1 << groups.count) - 1
        single = from_indices(index for index, lone in enumerate(groups.single) if lone)
        total = 0
        for block in self.blocks():
            lines = len(self.ports.texts(block.mask))
            sources = size(block.sources & inner) + len(groups.listed(block.sources & ~inner))
            themselves = size(block.sources & block.destinations & single)
            total += lines * (sources * size(block.destinations & inner) - themselves)
            outside = block.destinations & ~inner
            if outside:
                total += lines * sources * len(groups.listed(outside))
        return total

    def compact(self) -> Iterator[dict[str, object]]:
        """The answer as products: all of C(from) may reach all of C(to), a lone pod not itself.

        Sources without egress policies are told apart from the others, so that the many that may go anywhere are
        listed once and not again for each destination that a few others may reach too.
        """
        groups = self.groups
        free = groups.of_classes(self.engine.universe.everyone & ~self.engine.isolated("egress"))
        joined: dict[tuple[int, int], int] = {}
        for block in self.blocks():
            for sources in (block.sources & free, block.sources & ~free):
                if sources:
                    key = (sources, block.mask)
                    joined[key] = joined.get(key, 0) | block.destinations
        for (sources, mask), destinations in joined.items():
            for protocol, ports in self.ports.texts(mask):
                yield {
                    "from": groups.listed(sources),
                    "to": groups.listed(destinations),
                    "protocol": protocol,
                    "ports": ports,
                }


def text(connections: Iterable[Connection]) -> str:
    """One line a connection: C(from -> to: TCP 80)."""
    return "".join(
        f"{c.source} -> {c.destination}: {c.protocol if c.ports == 'all' else c.protocol + ' ' + c.ports}\n"
        for c in connections
    )


def _outside_blocks(mask: int, found: Sequence[tuple[int, int]]) -> Iterator[Block]:
    """Sources that reach the same destinations, together: destinations with their sources are divided by each other."""
    everyone = 0
    for _destination, sources in found:
        everyone |= sources
    parts = {0: everyone}
    for destination, sources in found:
        refined: dict[int, int] = {}
        for reach, members in parts.items():
            both = members & sources
            if both:
                refined[reach | 1 << destination] = both
            if members ^ both:
                refined[reach] = refined.get(reach, 0) | (members ^ both)
        parts = refined
    for reach, members in parts.items():
        if reach:
            yield Block(members, reach, mask)
