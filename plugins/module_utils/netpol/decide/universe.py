# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that can be an end of a connection, in classes of what no policy can tell apart.

Pods of one namespace that have the same values for the labels that selectors mention, the same named ports that rules
mention, and addresses in the same blocks, are one class. The outside is divided into classes of addresses that lie in
the same blocks. A set of classes is an integer with one bit for each; pod classes come first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ..model.addresses import Range, merge, touch
from ..model.objects import BlockPeer, Model, NodesPeer, Options, Pod, PodsPeer, Policy
from ..model.ports import Interval, PortSpace
from ..model.selectors import DOES_NOT_EXIST, EXISTS, IN, Selector
from .address_map import AddressMap
from .mentioned import mentioned
from .spans import Spans


def bit_indices(bits: int) -> list[int]:
    """Positions of the set bits, ascending."""
    text = bin(bits)[:1:-1]
    found = []
    position = text.find("1")
    while position >= 0:
        found.append(position)
        position = text.find("1", position + 1)
    return found


def from_indices(indices: Iterable[int]) -> int:
    """The set with these bits. Linear in the highest index, not in index times count."""
    numbers = list(indices)
    if not numbers:
        return 0
    if len(numbers) < 8:
        bits = 0
        for number in numbers:
            bits |= 1 << number
        return bits
    buffer = bytearray(max(numbers) // 8 + 1)
    for number in numbers:
        buffer[number >> 3] |= 1 << (number & 7)
    return int.from_bytes(buffer, "little")


class HiddenPart(NamedTuple):
    """Pods without a known address, and blocks.

    Attributes:
        classes: the pods' classes.
        inside: classes of addresses that they may get and that the blocks hold.
        reach: classes of addresses that they may get.
    """

    classes: int
    inside: int
    reach: int


class Universe:
    """Classes of pods and of outside addresses, as fine as the given policies need and no finer.

    Args:
        model: where the pods, namespaces and nodes come from.
        policy_sets: all policies that will be evaluated over this universe (two sets for a difference).
        options: answers to what is left to implementations.
        intervals: ports to tell apart beyond those of the policies.

    Attributes:
        members: pods of each pod class.
        outside: ranges of each outside class, in the order of the classes that follow the pod classes.
        families: runs of the evaluation by address family; C([0]) when no block can match a pod.
    """

    def __init__(
        self,
        model: Model,
        policy_sets: Sequence[Sequence[Policy]],
        options: Options | None = None,
        intervals: Iterable[Interval] = (),
    ) -> None:
        self.model = model
        self.options = options or Options()
        keys, names, blocks, nodes, port_rules = mentioned(policy_sets)
        self._node_blocks: dict[Selector, BlockPeer] = {}
        for selector in nodes:
            found = [a for node in model.nodes if selector.matches(node.labels) for a in node.addresses]
            ranges = tuple(merge(Range(family, value, value) for family, value in found))
            self._node_blocks[selector] = BlockPeer(ranges, f"nodes {selector}", covers_pods=True)
        self._blocks: list[BlockPeer] = list(dict.fromkeys([*blocks, *self._node_blocks.values()]))
        maps = {family: AddressMap(family, self._blocks) for family in (4, 6)}
        self.families = self._relevant_families(maps)
        self._divide_pods(keys, names, maps)
        self._divide_outside(maps)
        self._index_labels(keys)
        wanted: set[Interval] = set(intervals)
        for rule in port_rules:
            if not rule.name:
                wanted.add((rule.protocol, rule.first, rule.last))
        for named in self.named_ports:
            for _name, protocol, number in named:
                wanted.add((protocol, number, number))
        self.ports = PortSpace(wanted)
        self._pods_cache: dict[tuple[Selector | None, str, Selector], int] = {}
        self._selector_cache: dict[Selector, int] = {}
        self._namespace_cache: dict[Selector, int] = {}
        self._block_cache: dict[tuple[BlockPeer, int], int] = {}
        self._possible_cache: dict[tuple[int, bool], int] = {}
        self._partner_cache: dict[tuple[frozenset[int], int], int] = {}

    # Division

    def _relevant_families(self, maps: Mapping[int, AddressMap]) -> list[int]:
        """Runs that the evaluation needs: one for each family over which pods talk, 0 for pods with none in common."""
        if not self._blocks:
            return [0]
        assumed = self.model.assumed_families
        kinds = {frozenset(family for family, _value in pod.addresses) or assumed for pod in self.model.pods}
        hit = any(maps[family].signature(value) for pod in self.model.pods for family, value in pod.addresses)
        # Blocks may also hold the pods whose address is not known yet.
        if not hit and all(pod.addresses or pod.finished for pod in self.model.pods):
            return [0]
        strangers = any(not one & other for one in kinds for other in kinds)
        return sorted({family for kind in kinds for family in kind} | ({0} if strangers else set()))

    def _divide_pods(self, keys: set[str], names: set[str], maps: Mapping[int, AddressMap]) -> None:
        classes: dict[tuple[Any, ...], int] = {}
        self.members: list[list[Pod]] = []
        self._labels: list[dict[str, str]] = []
        self.namespaces: list[str] = []
        self.named_ports: list[frozenset[tuple[str, str, int]]] = []
        # An address of each family for each class.
        places: dict[int, list[tuple[int, int]]] = {4: [], 6: []}
        self.class_families: list[frozenset[int]] = []
        host: list[int] = []
        # Classes of pods without a known address, by whether they are on their node's network.
        hidden: dict[bool, list[int]] = {False: [], True: []}
        assumed = self.model.assumed_families
        by_address = self.families != [0]
        empty: frozenset[tuple[str, str, int]] = frozenset()
        select_host = self.options.policies_select_host_network
        for pod in self.model.pods:
            if pod.finished:
                continue
            labels = pod.labels
            meaningful = frozenset((k, labels[k]) for k in labels if k in keys)
            named = empty
            if names and pod.ports:
                named = frozenset((p.name, p.protocol, p.number) for p in pod.ports if p.name in names)
            on_host = pod.host_network and not select_host
            where: tuple[tuple[int, int], ...] = ()
            if by_address and pod.addresses:
                where = tuple((family, maps[family].signature(value)) for family, value in pod.addresses)
            key = (pod.namespace, meaningful, named, on_host, where, by_address and not where and pod.host_network)
            index = classes.get(key)
            if index is None:
                index = classes[key] = len(self.members)
                self.members.append([])
                self._labels.append(dict(meaningful))
                self.namespaces.append(pod.namespace)
                self.named_ports.append(named)
                for (family, value), _held in zip(pod.addresses, where):
                    places[family].append((value, index))
                self.class_families.append(frozenset(family for family, _signature in where) or assumed)
                if on_host:
                    host.append(index)
                if by_address and not where:
                    hidden[pod.host_network].append(index)
            self.members[index].append(pod)
        self._pod_spans = {family: Spans(found) for family, found in places.items()}
        self.pod_classes = len(self.members)
        self.every_pod = (1 << self.pod_classes) - 1
        self.host = from_indices(host)
        self._selectable = self.every_pod & ~self.host
        self._hidden = {on_host: from_indices(found) for on_host, found in hidden.items() if found}

    def _divide_outside(self, maps: Mapping[int, AddressMap]) -> None:
        families = {item.family for block in self._blocks for item in block.ranges}
        pods = self.model.assumed_families
        used = ([6] if pods == {6} and 4 not in families else [4, 6]) if 6 in families or 6 in pods else [4]
        grouped: dict[tuple[int, int], list[Range]] = {}
        for family in used:
            for signature, item in maps[family].ranges():
                grouped.setdefault((family, signature), []).append(item)
        self.outside: list[list[Range]] = [merge(ranges) for ranges in grouped.values()]
        self._outside_families = [family for family, _signature in grouped]
        self._outside_spans = {
            family: Spans(
                (ranges[0].first, self.pod_classes + number)
                for number, ranges in enumerate(self.outside)
                if ranges[0].family == family
            )
            for family in used
        }
        self.size = self.pod_classes + len(self.outside)
        self.everyone = (1 << self.size) - 1
        self.every_outside = self.everyone & ~self.every_pod

    def _index_labels(self, keys: set[str]) -> None:
        by_label: dict[tuple[str, str], list[int]] = {}
        by_key: dict[str, list[int]] = {key: [] for key in keys}
        by_namespace: dict[str, list[int]] = {}
        for index, labels in enumerate(self._labels):
            by_namespace.setdefault(self.namespaces[index], []).append(index)
            for pair in labels.items():
                by_label.setdefault(pair, []).append(index)
                by_key[pair[0]].append(index)
        self._by_label = {pair: from_indices(found) for pair, found in by_label.items()}
        self._by_key = {key: from_indices(found) for key, found in by_key.items()}
        self._by_namespace = {name: from_indices(found) for name, found in by_namespace.items()}
        self._namespaces_by_label: dict[tuple[str, str], int] = {}
        self._namespaces_by_key: dict[str, int] = {}
        for name, bits in self._by_namespace.items():
            for pair in self.model.namespace_labels(name).items():
                self._namespaces_by_label[pair] = self._namespaces_by_label.get(pair, 0) | bits
                self._namespaces_by_key[pair[0]] = self._namespaces_by_key.get(pair[0], 0) | bits

    def outside_parts(self, block: Range) -> Iterator[tuple[int, Range]]:
        """What a range of addresses has in common with each class outside, by the class."""
        for number, ranges in enumerate(self.outside):
            for item in ranges:
                if item.family == block.family and item.first <= block.last and block.first <= item.last:
                    part = Range(item.family, max(item.first, block.first), min(item.last, block.last))
                    yield self.pod_classes + number, part

    # Sets

    def select(self, selector: Selector) -> int:
        """Pod classes whose labels match, in any namespace, pods on the host network included."""
        bits = self._selector_cache.get(selector)
        if bits is None:
            bits = self._selector_cache[selector] = self._meet(selector, self._by_key, self._by_label)
        return bits

    def in_namespaces(self, selector: Selector) -> int:
        """Pod classes in namespaces whose labels match."""
        bits = self._namespace_cache.get(selector)
        if bits is None:
            bits = self._meet(selector, self._namespaces_by_key, self._namespaces_by_label)
            self._namespace_cache[selector] = bits
        return bits

    def _meet(self, selector: Selector, by_key: Mapping[str, int], by_label: Mapping[tuple[str, str], int]) -> int:
        bits = self.every_pod
        for requirement in selector.requirements:
            if requirement.operator == EXISTS:
                bits &= by_key.get(requirement.key, 0)
            elif requirement.operator == DOES_NOT_EXIST:
                bits &= ~by_key.get(requirement.key, 0)
            else:
                some = 0
                for value in requirement.values:
                    some |= by_label.get((requirement.key, value), 0)
                bits &= some if requirement.operator == IN else ~some
        return bits

    def pods(self, peer: PodsPeer) -> int:
        """Pod classes that a subject or pod peer selects; pods on the host network are no part of it."""
        key = (peer.namespaces, peer.namespace, peer.pods)
        bits = self._pods_cache.get(key)
        if bits is None:
            if peer.namespaces is None:
                bits = self._by_namespace.get(peer.namespace, 0)
            else:
                bits = self.in_namespaces(peer.namespaces)
            bits &= self._selectable
            if bits and peer.pods.requirements:
                bits &= self.select(peer.pods)
            self._pods_cache[key] = bits
        return bits

    def block(self, block: BlockPeer, family: int) -> int:
        """Classes whose addresses lie in a block. Pods count with their address of the given family.

        Args:
            block: the block.
            family: 4 or 6; 0 for an address of any family.
        """
        bits = self._block_cache.get((block, family))
        if bits is None:
            bits = 0
            pods = self.families != [0] and block.matches_pods(self.options)
            for item in block.ranges:
                bits |= self._outside_within(item)
                if pods and family in (0, item.family):
                    bits |= self._pods_within(item)
            self._block_cache[(block, family)] = bits
        return bits

    def _outside_within(self, item: Range) -> int:
        """Outside classes that begin in a range of a block. A class lies in a block as a whole, so it begins there."""
        spans = self._outside_spans.get(item.family)
        return spans.within(item.first, item.last) if spans else 0

    def _pods_within(self, item: Range) -> int:
        """Pod classes with an address in a range of a block: all of a class are in the same blocks."""
        return self._pod_spans[item.family].within(item.first, item.last)

    def hidden(self, peers: Sequence[object], family: int) -> tuple[int, int]:
        """Classes of pods without a known address that blocks hold together.

        Args:
            peers: what a rule is about; blocks and nodes among them count.
            family: 4 or 6; 0 for an address of any family.

        Returns:
            Those that they hold wherever the address may lie, and those that they hold for some of the addresses.
        """
        sure = maybe = 0
        for part in self.hidden_parts(peers, family):
            if part.inside == part.reach:
                sure |= part.classes
            elif part.inside:
                maybe |= part.classes
        return sure, maybe & ~sure

    def hidden_parts(self, peers: Sequence[object], family: int) -> Iterator[HiddenPart]:
        """Where pods without a known address may be, and at which of these places blocks hold them. As L(hidden)."""
        for on_host, classes in self._hidden.items():
            inside = 0
            for peer in peers:
                if isinstance(peer, BlockPeer) and peer.matches_pods(self.options):
                    inside |= self.block(peer, family)
                elif isinstance(peer, NodesPeer) and on_host:
                    inside |= self.nodes(peer, family)
            for number in (family,) if family else sorted(self.model.assumed_families):
                reach = self._possible(number, on_host)
                yield HiddenPart(classes, inside & reach, reach)

    def _possible(self, family: int, on_host: bool) -> int:
        """Outside classes with addresses that a pod without a known address may have."""
        bits = self._possible_cache.get((family, on_host))
        if bits is None:
            possible = self.model.possible_addresses(family, on_host)
            found = (
                self.pod_classes + number
                for number, ranges in enumerate(self.outside)
                if self._outside_families[number] == family and touch(ranges, possible)
            )
            bits = self._possible_cache[(family, on_host)] = from_indices(found)
        return bits

    def node_ranges(self, peer: NodesPeer) -> tuple[Range, ...]:
        """Addresses of matching nodes."""
        return self._node_blocks[peer.nodes].ranges

    def nodes(self, peer: NodesPeer, family: int) -> int:
        """Classes whose addresses are those of matching nodes."""
        return self.block(self._node_blocks[peer.nodes], family)

    def partners(self, destination: int, family: int) -> int:
        """Classes that talk to a destination in a run: pods over a family in common, in run 0 those without one.

        Addresses outside take part in every run: which family they have makes no difference to pods' own addresses.
        """
        if destination >= self.pod_classes:
            return self.every_pod if family == self.families[0] else 0
        if self.families == [0]:
            return self.everyone
        key = (self.class_families[destination], family)
        bits = self._partner_cache.get(key)
        if bits is None:
            mine = key[0]
            found = []
            if not family or family in mine:
                for number, other in enumerate(self.class_families):
                    if family in other if family else not mine & other:
                        found.append(number)
            bits = self._partner_cache[key] = from_indices(found) | self.every_outside
        return bits
