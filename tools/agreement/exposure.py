"""netpol-analyzer's exposure, held against ours at pods that may come: one for each kind of pod that either tells.

Words cannot be compared, pods can: both sides are asked what is open to a pod with just these labels, in a namespace
that exists or in a new one with just those labels.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from ansible_collections.falconet.k8s.plugins.module_utils.netpol.ask.exposure import Exposure, Open
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.decide.regions import namespaces_of
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.model.objects import (
    NAMESPACE_NAME_LABEL,
    Model,
    PodsPeer,
)
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.model.selectors import (
    EVERYTHING,
    EXISTS,
    IN,
    Requirement,
    Selector,
    make_selector,
)

from . import ours
from .flows import NOTHING, Ports, join, read_ports, told

_LINE = re.compile(r"^(\S+)\s+(=>|<=)\s+(\S.*?) : (.+)$")
_EXPRESSION = re.compile(r"\{Key:([^,]+),Operator:(\w+),Values:\[([^\]]*)\],\}")
_NEW = "some-new-namespace"


class Visitor(NamedTuple):
    """A pod that may come: its namespace with that one's labels, and its own labels."""

    namespace: str
    namespace_labels: Mapping[str, str]
    labels: Mapping[str, str]

    def is_in(self, peer: PodsPeer) -> bool:
        return namespaces_of(peer).matches(self.namespace_labels) and peer.pods.matches(self.labels)

    def __str__(self) -> str:
        return f"a pod {dict(self.labels)} in {self.namespace} {dict(self.namespace_labels)}"


class Said(NamedTuple):
    """One of their lines: who may come to a workload (or where it may go), and on which ports."""

    workload: str
    direction: str
    peer: PodsPeer
    ports: Ports


def compare(text: str, model: Model, names: ours.Names) -> tuple[int, list[str]]:
    """How many of their lines there are, and at which pods ours say something else."""
    lines = list(_lines(text, names))
    asker = Exposure(model, model.policies, ours.OPTIONS)
    found: list[str] = []
    for number, members in enumerate(asker.universe.members):
        for workload in dict.fromkeys(ours.named(pod.workload_name) for pod in members):
            for direction in ("ingress", "egress"):
                theirs = [line for line in lines if (line.workload, line.direction) == (workload, direction)]
                mine = asker.open(number, direction)
                peers = [line.peer for line in theirs] + [way.peer for way in mine.ways if not _is_met(way.peer, model)]
                for visitor in _visitors(peers, model):
                    said, here = _theirs(theirs, visitor), _ours(mine, visitor, asker)
                    if here not in said:
                        words = " or ".join(told(ports) for ports in said)
                        found.append(f"{workload} {direction}, {visitor}: theirs {words}, ours {told(here)}")
    return len(lines), found


def _is_met(peer: PodsPeer, model: Model) -> bool:
    """Whether a pod that exists is in a peer; they tell such peers in the list of connections alone."""
    return any(
        Visitor(pod.namespace, model.namespace_labels(pod.namespace), pod.labels).is_in(peer) for pod in model.running
    )


def _lines(text: str, names: ours.Names) -> Iterator[Said]:
    for line in text.partition("Exposure Analysis Result:")[2].splitlines():
        match = _LINE.match(line)
        if match is None:
            continue
        peer = _peer(match[3].strip())
        if peer is not None:
            yield Said(names(match[1]), "egress" if match[2] == "=>" else "ingress", peer, read_ports(match[4]))


def _peer(words: str) -> PodsPeer | None:
    """Who is meant by C(entire-cluster), or by a namespace or all of some labels, and pods in them; None for others."""
    if words == "entire-cluster":
        return PodsPeer(EVERYTHING, EVERYTHING)
    where, slash, who = _split(words)
    if not slash or not who.startswith("["):
        return None
    pods = _selector(who.partition("[pod with ")[2][:-1])
    if where.startswith("[namespace with "):
        return PodsPeer(_selector(where.partition("[namespace with ")[2][:-1]), pods)
    if where == "[all namespaces]":
        return PodsPeer(EVERYTHING, pods)
    return PodsPeer(Selector((Requirement(NAMESPACE_NAME_LABEL, IN, (where,)),)), pods)


def _split(words: str) -> tuple[str, str, str]:
    end = words.rfind("/[")
    return (words[:end], "/", words[end + 1 :]) if end > 0 else (words, "", "")


def _selector(words: str) -> Selector:
    """C({app=x,{Key:role,Operator:NotIn,Values:[a b],}}) as a selector."""
    requirements = [
        Requirement(key, operator, tuple(sorted(values.split())))
        for key, operator, values in _EXPRESSION.findall(words)
    ]
    for part in _EXPRESSION.sub("", words).strip("{}").split(","):
        key, equals, value = part.partition("=")
        if equals:
            requirements.append(Requirement(key, IN, (value,)))
    return make_selector(tuple(requirements))


def _visitors(peers: Sequence[PodsPeer], model: Model) -> list[Visitor]:
    """Pods that just meet one of the peers each, and one that has no label in a namespace without any."""
    found: dict[str, Visitor] = {}
    for peer in (PodsPeer(EVERYTHING, EVERYTHING), *peers):
        for there in _labels(namespaces_of(peer)):
            name = there.get(NAMESPACE_NAME_LABEL, _NEW)
            labels = dict(model.namespace_labels(name)) if name != _NEW else {NAMESPACE_NAME_LABEL: name, **there}
            for own in _labels(peer.pods):
                visitor = Visitor(name, labels, own)
                if visitor.is_in(peer):
                    found[str(visitor)] = visitor
    return list(found.values())


def _labels(selector: Selector) -> Iterator[dict[str, str]]:
    """The fewest labels that meet a selector, for each value that it lists."""
    choices: list[list[tuple[str, str]]] = []
    for requirement in selector.requirements:
        if requirement.operator == IN:
            choices.append([(requirement.key, value) for value in requirement.values])
        elif requirement.operator == EXISTS:
            choices.append([(requirement.key, "any-value")])
    yield from (dict(chosen) for chosen in itertools.product(*choices))


def _theirs(lines: Sequence[Said], visitor: Visitor) -> list[Ports]:
    """What they may mean for a pod: the line that is most about it, alone or with those that are about it, too.

    They tell what is open to the whole cluster, and what is more (or, with admin policies, less) for some.
    """
    about = sorted((line for line in lines if visitor.is_in(line.peer)), key=lambda line: -_weight(line.peer))
    if not about:
        return [NOTHING]
    closest = [line.ports for line in about if _weight(line.peer) == _weight(about[0].peer)]
    return [*closest, join(*closest), join(*(line.ports for line in about))]


def _weight(peer: PodsPeer) -> int:
    return len(namespaces_of(peer).requirements) + len(peer.pods.requirements)


def _ours(found: Open, visitor: Visitor, asker: Exposure) -> Ports:
    space = asker.universe.ports
    several: list[Ports] = [join(space.intervals(found.cluster))]
    for way in {**found.ways, **found.names}:
        if visitor.is_in(way.peer) and not any(visitor.is_in(other) for other in way.without):
            several.append(join(space.intervals(found.ways.get(way, 0))))
            several.append(join((protocol, name, 0) for protocol, name in found.names.get(way, ())))
    ports = join(*several)
    whole = {protocol for protocol, first, last in ports if (first, last) == (1, 65535)}
    return frozenset(item for item in ports if not (isinstance(item[1], str) and item[0] in whole))
