# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Falco rules that alert on a connection that was made although policies deny it.

An attempt proves nothing, since the policy lets it end nowhere. So what is looked at is the system call that tells of a
connection that is there: C(accept) at a pod whose client no policy lets in, C(connect) that succeeds towards an address
outside that no policy lets its pod reach. Both happen where no policy is enforced, or something goes past it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ..decide.engine import Engine
from ..decide.reference import Decider
from ..decide.universe import Universe, bit_indices
from ..errors import NetpolError
from ..model.addresses import Range, blocks, format_address, format_block, format_range, merge, subtract
from ..model.objects import LAST_PORT, Model, Options, Pod

PRIORITIES = ("EMERGENCY", "ALERT", "CRITICAL", "ERROR", "WARNING", "NOTICE", "INFORMATIONAL", "DEBUG")
_OUTPUT = (
    "connection=%fd.name client=%fd.cip server=%fd.sip port=%fd.sport protocol=%fd.l4proto result=%evt.res"
    " program=%proc.name command=%proc.cmdline user=%user.name container=%container.name"
    " image=%container.image.repository pod=%k8s.pod.name namespace=%k8s.ns.name"
)
#: The tag that these rules have, and no others.
TAG = "falconet_policy"
#: Pods of these have names that end in five letters of their own.
_WITH_SUFFIX = ("Deployment", "ReplicaSet", "DaemonSet", "Job", "CronJob", "ReplicationController")


class Watch(NamedTuple):
    """Connections of one workload that policies deny, in one direction.

    Attributes:
        workload: C(namespace/Kind/name).
        direction: ingress or egress.
        pods: those of its pods that are told apart by nothing that a policy asks for.
        denied: addresses on the other side, by the ports that are denied to them, as (first, last) pairs.
        reason: why the first of them is denied.
    """

    workload: str
    direction: str
    pods: tuple[Pod, ...]
    denied: Mapping[tuple[tuple[int, int], ...], tuple[Range, ...]]
    reason: str

    @property
    def name(self) -> str:
        """The rule's name."""
        word = "into" if self.direction == "ingress" else "out of"
        return f"Connection that policies deny {word} {self.workload}"


def falco_rules(
    model: Model, namespaces: Sequence[str] = (), priority: str = "WARNING", options: Options | None = None
) -> dict[str, Any]:
    """Rules on connections that policies deny.

    Args:
        model: pods with their addresses, and policies.
        namespaces: those whose pods are watched; empty for all in which a policy isolates a pod.
        priority: of the rules.
        options: answers to what is left to implementations.

    Returns:
        C(content), the rules file, empty when there is nothing to watch; C(rules), each with C(rule), C(workload),
        C(direction) and C(reason); C(left_out), workloads that policies rule and that cannot be watched, and why.

    Raises:
        NetpolError: the priority is none of Falco's, or a namespace has no pod.
    """
    if priority.upper() not in PRIORITIES:
        raise NetpolError(f"priority: {priority!r} is none of {', '.join(PRIORITIES)}")
    known = {pod.namespace for pod in model.running}
    for name in namespaces:
        if name not in known:
            raise NetpolError(f"namespaces: there is no pod in {name!r}")
    watches, left_out = watch(model, namespaces, options or Options())
    named = _named(watches)
    return {
        "content": _content(named, priority.upper()),
        "rules": [
            {"rule": name, "workload": one.workload, "direction": one.direction, "reason": one.reason}
            for name, one in named.items()
        ],
        "left_out": left_out,
    }


def watch(model: Model, namespaces: Sequence[str], options: Options) -> tuple[list[Watch], list[dict[str, str]]]:
    """What is to be watched, by workload and direction, and what cannot be."""
    universe = Universe(model, [model.policies], options)
    # What may be allowed is not alerted on.
    engine = Engine(universe, model.policies, possible=True)
    decider = Decider(model, model.policies, options)
    found: list[Watch] = []
    left_out: dict[str, str] = {}
    own = _own_addresses(model)
    for number, members in enumerate(universe.members):
        for workload, pods in _workloads(members).items():
            if namespaces and pods[0].namespace not in namespaces:
                continue
            known = tuple(pod for pod in pods if pod.addresses and not pod.host_network)
            denied = _denied(universe, engine, number)
            outward = _denied_outside(universe, engine, number)
            if not known:
                if denied or outward:
                    why = "it is on the host network" if pods[0].host_network else "its pods have no address yet"
                    left_out[workload] = why
                continue
            into = _addresses(universe, denied, own, number)
            if into:
                found.append(Watch(workload, "ingress", known, into, _reason(decider, universe, denied, number, True)))
            out = _addresses(universe, outward, own, number)
            if out:
                found.append(Watch(workload, "egress", known, out, _reason(decider, universe, outward, number, False)))
    left = [{"workload": workload, "reason": why} for workload, why in sorted(left_out.items())]
    return _joined(found), left


def _workloads(members: Iterable[Pod]) -> dict[str, list[Pod]]:
    found: dict[str, list[Pod]] = {}
    for pod in members:
        found.setdefault(pod.workload_name, []).append(pod)
    return found


def _joined(found: Sequence[Watch]) -> list[Watch]:
    """One for each workload and direction and what is denied, sorted; a name is given once."""
    by_name: dict[tuple[str, str], list[Watch]] = {}
    for one in found:
        by_name.setdefault((one.workload, one.direction), []).append(one)
    result: list[Watch] = []
    for key in sorted(by_name):
        same: dict[str, Watch] = {}
        for one in by_name[key]:
            text = str(sorted(one.denied.items()))
            before = same.get(text)
            same[text] = one if before is None else before._replace(pods=before.pods + one.pods)
        result.extend(same.values())
    return result


def _denied(universe: Universe, engine: Engine, number: int) -> dict[int, int]:
    """Sources that may not come to a class, by the ports that are denied to them."""
    rest = universe.everyone
    found: dict[int, int] = {}
    for mask, sources in engine.row(number).items():
        rest &= ~sources
        closed = universe.ports.full & ~mask
        if closed:
            found[closed] = found.get(closed, 0) | sources
    if rest:
        found[universe.ports.full] = found.get(universe.ports.full, 0) | rest
    return {mask: sources for mask, sources in found.items() if sources}


def _denied_outside(universe: Universe, engine: Engine, number: int) -> dict[int, int]:
    """Classes outside that a class may not reach, by the ports that are denied to it."""
    found: dict[int, int] = {}
    for outside in bit_indices(universe.every_outside):
        allowed = next((mask for mask, sources in engine.row(outside).items() if sources >> number & 1), 0)
        closed = universe.ports.full & ~allowed
        if closed:
            found[closed] = found.get(closed, 0) | 1 << outside
    return found


def _own_addresses(model: Model) -> list[Range]:
    """Addresses that are not outside although no pod in the input has them, and that policies do not see."""
    found = [Range(family, value, value) for node in model.nodes for family, value in node.addresses]
    found += [Range(family, value, value) for service in model.services for family, value in service.addresses]
    found += [Range(family, value, value) for pod in model.pods for family, value in pod.addresses]
    found += list(model.pod_ranges)
    # A process to itself, on its own machine.
    found += [Range(4, 127 << 24, (128 << 24) - 1), Range(6, 1, 1)]
    return merge(found)


def _addresses(
    universe: Universe, denied: Mapping[int, int], own: Sequence[Range], number: int
) -> dict[tuple[tuple[int, int], ...], tuple[Range, ...]]:
    """Addresses by TCP ports that are denied to them. The workload's own node always passes."""
    nodes = {pod.node_address for pod in universe.members[number] if pod.node_address}
    found: dict[tuple[tuple[int, int], ...], list[Range]] = {}
    for mask, classes in denied.items():
        ports = tuple((first, last) for protocol, first, last in universe.ports.intervals(mask) if protocol == "TCP")
        if not ports:
            continue
        ranges: list[Range] = []
        for index in bit_indices(classes):
            if index < universe.pod_classes:
                # A pod on the host network has its node's address, which others have, too.
                ranges += [
                    Range(family, value, value)
                    for pod in universe.members[index]
                    if not pod.host_network
                    for family, value in pod.addresses
                    if format_address(family, value) not in nodes
                ]
            else:
                for item in universe.outside[index - universe.pod_classes]:
                    ranges += subtract(item, own)
        if ranges:
            found.setdefault(ports, []).extend(ranges)
    return {ports: tuple(merge(ranges)) for ports, ranges in found.items()}


def _reason(decider: Decider, universe: Universe, denied: Mapping[int, int], number: int, is_in: bool) -> str:
    """Why the first of what is denied is, in one sentence."""
    mask, classes = next(iter(denied.items()))
    protocol, port, _last = universe.ports.intervals(mask)[0]
    index = bit_indices(classes)[0]
    mine = universe.members[number][0]
    other = (
        universe.members[index][0]
        if index < universe.pod_classes
        else universe.outside[index - universe.pod_classes][0]
    )
    if isinstance(other, Range):
        other = Range(other.family, other.first, other.first)
    source, destination = (other, mine) if is_in else (mine, other)
    decisive = decider.decide(source, destination, protocol, port).decisive
    return decisive.reason if decisive is not None else ""


# The rules file


def _named(watches: Sequence[Watch]) -> dict[str, Watch]:
    """By the names of their rules, which differ where a workload has several."""
    found: dict[str, Watch] = {}
    numbers: dict[str, int] = {}
    for one in watches:
        number = numbers[one.name] = numbers.get(one.name, 0) + 1
        found[f"{one.name} ({number})" if number > 1 else one.name] = one
    return found


def _content(named: Mapping[str, Watch], priority: str) -> str:
    if not named:
        return ""
    lines = [
        "# Connections that NetworkPolicies should have stopped. Made of the cluster's policies and pods",
        "# by the filter falconet.k8s.netpol_to_falco: make it anew when these change.",
    ]
    slugs: dict[str, int] = {}
    for name, one in named.items():
        slug = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
        # Workloads of which only a dot or a hyphen differs have lists of their own: a second list replaces the first.
        number = slugs[slug] = slugs.get(slug, 0) + 1
        lines += _rule(one, name, f"{slug}_of_{number}" if number > 1 else slug, priority)
    return "\n".join(lines) + "\n"


def _rule(one: Watch, name: str, slug: str, priority: str) -> list[str]:
    lists: list[str] = []
    parts: list[str] = []
    server = "fd.cip" if one.direction == "ingress" else "fd.sip"
    network = "fd.cnet" if one.direction == "ingress" else "fd.snet"
    for number, (ports, ranges) in enumerate(sorted(one.denied.items()), 1):
        single = [_quoted(format_range(item)) for item in ranges if item.first == item.last]
        several = [item for item in ranges if item.first != item.last]
        networks = [_quoted(format_block(block)) for item in several for block in blocks(item)]
        where = []
        for field, word, items in ((server, "addresses", single), (network, "networks", networks)):
            if items:
                listed = f"{slug}_{word}_{number}"
                lists += ["", f"- list: {listed}", f"  items: [{', '.join(items)}]"]
                where.append(f"{field} in ({listed})")
        which = " or ".join(_port(first, last) for first, last in ports)
        either = where[0] if len(where) == 1 else f"({' or '.join(where)})"
        parts.append(either if which == "" else f"({either} and ({which}))")
    call = (
        "evt.type in (accept, accept4) and evt.rawres >= 0 and fd.cip != val(fd.sip)"
        if one.direction == "ingress"
        else "evt.type = connect and evt.res = SUCCESS"
    )
    namespace = one.pods[0].namespace
    denied = parts[0] if len(parts) == 1 else f"({' or '.join(parts)})"
    condition = f"{call} and fd.l4proto = tcp and k8s.ns.name = {_quoted(namespace)} and {_pods(one)} and {denied}"
    word = "from a client" if one.direction == "ingress" else "to an address"
    return [
        *lists,
        "",
        f"- rule: {_yaml(name)}",
        f"  desc: {_yaml(f'{one.workload} has a connection {word} that policies deny. {one.reason}.')}",
        f"  condition: {_yaml(condition)}",
        f"  output: {_yaml(f'Connection that policies deny | workload={one.workload} {_OUTPUT}')}",
        f"  priority: {priority}",
        f"  tags: [container, network, {TAG}, mitre_lateral_movement]",
    ]


def _pods(one: Watch) -> str:
    """Which pods, by name; those of a workload that makes new ones by what their names begin with."""
    prefixes = sorted({pod.name.rpartition("-")[0] + "-" for pod in one.pods if _has_suffix(pod)})
    exact = sorted({pod.name for pod in one.pods if not _has_suffix(pod)})
    parts = [f"k8s.pod.name startswith {_quoted(prefix)}" for prefix in prefixes]
    if exact:
        parts.append(f"k8s.pod.name in ({', '.join(_quoted(name) for name in exact)})")
    return parts[0] if len(parts) == 1 else f"({' or '.join(parts)})"


def _has_suffix(pod: Pod) -> bool:
    return pod.kind in _WITH_SUFFIX and re.fullmatch(r"[a-z0-9]{5}", pod.name.rpartition("-")[2]) is not None


def _port(first: int, last: int) -> str:
    if (first, last) == (1, LAST_PORT):
        return "fd.sport >= 1"
    return f"fd.sport = {first}" if first == last else f"(fd.sport >= {first} and fd.sport <= {last})"


def _quoted(text: str) -> str:
    return f'"{text}"'


def _yaml(text: str) -> str:
    """A text as YAML in single quotes, which take everything literally."""
    return "'" + text.replace("'", "''") + "'"
