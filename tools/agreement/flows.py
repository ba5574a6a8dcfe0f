"""Who may reach whom on which ports, as two analysers say it: read from their words, compared pair by pair.

Ends are names of workloads (C(namespace/name[Kind])) or ranges of addresses. Analysers cut the ranges in different
places, so they are compared in the pieces that both cuts leave.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

from ansible_collections.falconet.k8s.plugins.module_utils.netpol.model.addresses import (
    Range,
    format_range,
    parse_address,
    parse_block,
)
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.model.objects import LAST_PORT, PROTOCOLS

#: Ports as sorted, disjoint (protocol, first, last); a port known by its name alone is (protocol, name, 0).
Ports = frozenset[tuple[str, int | str, int]]
Pair = tuple[str, str]
Flows = dict[Pair, Ports]

NOTHING: Ports = frozenset()
EVERYTHING: Ports = frozenset((protocol, 1, LAST_PORT) for protocol in PROTOCOLS)


class Difference(NamedTuple):
    """One pair of ends of which two analysers say different things."""

    source: str
    destination: str
    theirs: Ports
    ours: Ports

    def __str__(self) -> str:
        return f"{self.source} => {self.destination}: theirs {told(self.theirs)}, ours {told(self.ours)}"


def told(ports: Ports) -> str:
    """Ports in one line."""
    if ports == EVERYTHING:
        return "all"
    ordered = sorted(ports, key=lambda item: (item[0], item[2] == 0, str(item[1]).zfill(5)))
    parts = [f"{p} {first}" if last in (first, 0) else f"{p} {first}-{last}" for p, first, last in ordered]
    return ", ".join(parts) or "nothing"


def join(*several: Iterable[tuple[str, int | str, int]]) -> Ports:
    """All of the ports, as maximal intervals."""
    found: list[tuple[str, int | str, int]] = []
    numbers: list[tuple[str, int, int]] = []
    for item in {item for ports in several for item in ports}:
        if isinstance(item[1], str):
            found.append(item)
        else:
            numbers.append((item[0], item[1], item[2]))
    joined: list[tuple[str, int, int]] = []
    for protocol, first, last in sorted(numbers):
        if joined and joined[-1][0] == protocol and first <= joined[-1][2] + 1:
            joined[-1] = (protocol, joined[-1][1], max(last, joined[-1][2]))
        else:
            joined.append((protocol, first, last))
    return frozenset([*found, *joined])


def common(one: Ports, other: Ports) -> Ports:
    """Ports of both."""
    found: list[tuple[str, int | str, int]] = []
    for protocol, first, last in one:
        for again, begin, end in other:
            if protocol != again:
                continue
            if isinstance(first, str) or isinstance(begin, str):
                found.extend([(protocol, first, last)] if first == begin else [])
            elif max(first, begin) <= min(last, end):
                found.append((protocol, max(first, begin), min(last, end)))
    return join(found)


def read_ports(text: str) -> Ports:
    """Ports from words: C(All Connections), C(TCP 80,443,UDP 53), C(TCP:[80,443], UDP), C(No Connections)."""
    if text.strip().lower() == "all connections":
        return EVERYTHING
    if text.strip().lower() == "no connections":
        return NOTHING
    found: list[tuple[str, int | str, int]] = []
    for protocol, listed in _of_protocols(text):
        for part in listed or ["all"]:
            first, dash, last = part.partition("-")
            if part == "all":
                found.extend((p, 1, LAST_PORT) for p in (PROTOCOLS if protocol == "all" else (protocol,)))
            elif first.isdigit():
                found.append((protocol, int(first), int(last if dash else first)))
            else:
                found.append((protocol, part, 0))
    return join(found)


def _of_protocols(text: str) -> list[tuple[str, list[str]]]:
    found: list[tuple[str, list[str]]] = []
    for part in re.findall(r"[^,\s:\[\]{}]+", text):
        if part in PROTOCOLS or (part == "all" and not found):
            found.append((part, []))
        elif found:
            found[-1][1].append(part)
        else:
            # A named port of admin policies is of any protocol.
            found.extend((protocol, [part]) for protocol in PROTOCOLS)
    return found


def differences(theirs: Mapping[Pair, Ports], ours: Mapping[Pair, Ports]) -> list[Difference]:
    """Pairs of which the two say different things; ranges of addresses in the pieces that both cuts leave.

    A family of which one side never speaks is left out: analysers tell IPv6 only where policies mention it.
    """
    spoken = [{item.family for pair in flows for item in map(_range, pair) if item} for flows in (theirs, ours)]
    if all(spoken):
        both = spoken[0] & spoken[1]
        theirs, ours = _of_families(theirs, both), _of_families(ours, both)
    cuts = _cuts([*theirs, *ours])
    left, right = _divided(theirs, cuts), _divided(ours, cuts)
    found = []
    for pair in sorted({**left, **right}):
        one, other = left.get(pair, NOTHING), right.get(pair, NOTHING)
        if one != other:
            found.append(Difference(*pair, one, other))
    return found


def _of_families(flows: Mapping[Pair, Ports], families: Collection[int]) -> Flows:
    return {
        pair: ports
        for pair, ports in flows.items()
        if all(item is None or item.family in families for item in map(_range, pair))
    }


def shared(one: Mapping[Pair, Ports], other: Mapping[Pair, Ports]) -> Flows:
    """What both allow."""
    cuts = _cuts([*one, *other])
    left, right = _divided(one, cuts), _divided(other, cuts)
    both = {pair: common(ports, right[pair]) for pair, ports in left.items() if pair in right}
    return {pair: ports for pair, ports in both.items() if ports}


def restrict(flows: Mapping[Pair, Ports], to: Iterable[Pair]) -> Flows:
    """Of some flows those of certain pairs."""
    wanted = set(to)
    cuts = _cuts([*flows, *wanted])
    kept = set(_divided(dict.fromkeys(wanted, EVERYTHING), cuts))
    return {pair: ports for pair, ports in _divided(flows, cuts).items() if pair in kept}


def _range(end: str) -> Range | None:
    """The addresses of an end, None for a workload."""
    first, dash, last = end.partition("-")
    begin, until = parse_address(first), parse_address(last) if dash else None
    if begin is not None and until is not None:
        return Range(begin[0], begin[1], until[1])
    return parse_block(end) if "[" not in end else None


def _cuts(pairs: Iterable[Pair]) -> dict[int, list[int]]:
    found: dict[int, set[int]] = {4: set(), 6: set()}
    for pair in pairs:
        for end in pair:
            item = _range(end)
            if item is not None:
                found[item.family] |= {item.first, item.last + 1}
    return {family: sorted(values) for family, values in found.items()}


def _divided(flows: Mapping[Pair, Ports], cuts: Mapping[int, list[int]]) -> Flows:
    found: dict[Pair, list[Ports]] = {}
    for (source, destination), ports in flows.items():
        if ports:
            for start in _pieces(source, cuts):
                for target in _pieces(destination, cuts):
                    found.setdefault((start, target), []).append(ports)
    return {pair: join(*several) for pair, several in found.items()}


def _pieces(end: str, cuts: Mapping[int, list[int]]) -> Iterator[str]:
    item = _range(end)
    if item is None:
        yield end
        return
    first = item.first
    for cut in [value for value in cuts[item.family] if item.first < value <= item.last] + [item.last + 1]:
        yield format_range(Range(item.family, first, cut - 1))
        first = cut
