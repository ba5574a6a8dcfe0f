"""network-config-analyzer's own tests (https://github.com/np-guard/network-config-analyzer): the schemes of queries.

A scheme names sets of policies and asks how they relate, with the number that is expected. Compared are the questions
about what is allowed, of sets that are NetworkPolicies alone; the others are about how policies are written.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from ansible_collections.falconet.k8s.plugins.module_utils.live_netpol.inputs import read_paths
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.decide.reference import Decider
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.errors import NetpolError
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.model.objects import Model, Policy
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.read.manifests import load

from . import ours
from .comparison import Comparison
from .flows import Flows, common, differences, read_ports, shared

PEER = "network-config-analyzer"
_PROTOCOLS = re.compile(r"\{protocols:(\w+),dst_ports:([^}]*)\}")


class Set(NamedTuple):
    """A named set of policies over its cluster, and those of the other sets, whose addresses are told apart, too."""

    model: Model
    policies: tuple[Policy, ...]
    beside: tuple[Policy, ...] = ()


class _OtherSubjectError(Exception):
    """A query about more than NetworkPolicies."""


def compare(root: Path) -> Iterator[Comparison]:
    """Every comparison that their repository allows for."""
    for file in sorted((root / "tests" / "k8s_testcases").rglob("*-scheme.yaml")):
        scheme = yaml.safe_load(file.read_text())
        configs = {config["name"]: config for config in scheme.get("networkConfigList") or ()}
        for query in scheme.get("queries") or ():
            for kind, judge in _QUERIES.items():
                pods = (query.get("outputConfiguration") or {}).get("outputEndpoints") == "pods"
                if kind in query and "expected" in query and not pods:
                    try:
                        sets = [_set_of(file.parent, scheme, configs, name) for name in query[kind]]
                    except (_OtherSubjectError, NetpolError):
                        continue
                    every = tuple(dict.fromkeys(policy for one in sets for policy in one.policies))
                    sets = [one._replace(beside=every) for one in sets]
                    got, pairs = judge(sets)
                    found = [] if got == query["expected"] else [f"theirs {query['expected']}, ours {got}"]
                    yield Comparison(PEER, f"{kind} of sets", f"{file.stem}: {query['name']}", pairs, found)
            yield from _listed(file, scheme, configs, query)


def _listed(
    file: Path, scheme: Mapping[str, Any], configs: Mapping[str, Any], query: Mapping[str, Any]
) -> Iterator[Comparison]:
    """Lists of connections that are written out."""
    form = (query.get("outputConfiguration") or {}).get("outputFormat")
    if form != "txt_no_fw_rules" or "connectivityMap" not in query or "expectedOutput" not in query:
        return
    found = _set_of(file.parent, scheme, configs, query["connectivityMap"][0])
    names = ours.Names(found.model)
    theirs: Flows = {}
    for line in (file.parent / query["expectedOutput"]).read_text().splitlines():
        ends, colon, ports = line.rpartition(" : ")
        source, arrow, destination = ends.partition(" => ")
        if colon and arrow and source != destination:
            theirs[(names(source), names(destination))] = read_ports(_PROTOCOLS.sub(r"\1 \2", ports))
    differ = [str(item) for item in differences(theirs, ours.connections(found.model, found.policies))]
    yield Comparison(PEER, "connection lists", f"{file.stem}: {query['name']}", len(theirs), differ)


def _set_of(place: Path, scheme: Mapping[str, Any], configs: Mapping[str, Any], name: str) -> Set:
    """A set by its name, or C(set/namespace/policy) for one of its policies."""
    parts = name.split("/")
    if parts[0] not in configs:
        raise _OtherSubjectError(name)
    found = _load(place, scheme, configs[parts[0]])
    if len(parts) == 1:
        return found
    if len(parts) == 4 and parts[1] != "K8sNetworkPolicy":
        raise _OtherSubjectError(name)
    wanted = [policy for policy in found.policies if (policy.namespace, policy.name) == tuple(parts[-2:])]
    if len(wanted) != 1:
        raise _OtherSubjectError(name)
    return Set(found.model, tuple(wanted))


def _load(place: Path, scheme: Mapping[str, Any], config: Mapping[str, Any]) -> Set:
    resources = config.get("resourceList") or scheme.get("resourceList")
    parts = [
        *_sources(config.get("podList") or scheme.get("podList") or resources),
        *_sources(config.get("namespaceList") or scheme.get("namespaceList") or resources),
    ]
    policies = config.get("networkPolicyList")
    written = _sources(policies if policies is not None else config.get("resourceList"))
    cluster = _read(tuple(dict.fromkeys(str(_path(place, part)) for part in parts)))
    model = _read(tuple(dict.fromkeys(str(_path(place, part)) for part in written)))
    if model.not_analysed or model.routes or cluster.routes:
        raise _OtherSubjectError(str(model.not_analysed))
    if model.errors:
        raise _OtherSubjectError(str(model.errors[0]))
    return Set(cluster, tuple(model.policies))


def _sources(given: Any) -> list[str]:
    return [given] if isinstance(given, str) else list(given or ())


def _path(place: Path, source: str) -> Path:
    if source.startswith("http") or source in ("k8s", "calico", "istio"):
        raise _OtherSubjectError(source)
    return (place / source.removesuffix("/**")).resolve()


@cache
def _read(paths: tuple[str, ...]) -> Model:
    return load(read_paths(paths), on_invalid="skip") if paths else Model()


@cache
def _allowed_of(model: int, policies: tuple[Policy, ...], beside: tuple[Policy, ...]) -> Flows:
    return ours.connections(_MODELS[model], policies, "pod", beside)


_MODELS: dict[int, Model] = {}


def _allowed(one: Set) -> Flows:
    """What a set allows between pods, and between pods and addresses outside."""
    _MODELS[id(one.model)] = one.model
    return _allowed_of(id(one.model), one.policies, one.beside)


def _explicit(one: Set) -> Flows:
    """Of what a set allows, what its policies are about: those that select the source for egress or the destination."""
    decider = Decider(one.model, one.policies, ours.OPTIONS)
    captured = {
        direction: {ours.named(pod.full_name) for pod in one.model.running if decider.selecting(pod, direction)}
        for direction in ("ingress", "egress")
    }
    return {
        (source, destination): ports
        for (source, destination), ports in _allowed(one).items()
        if source in captured["egress"] or destination in captured["ingress"]
    }


def _beyond(narrow: Flows, wide: Flows) -> bool:
    """Whether some flows allow what others do not."""
    return any(common(item.theirs, item.ours) != item.theirs for item in differences(narrow, wide))


def _pods(one: Set) -> set[str]:
    return {ours.named(pod.full_name) for pod in one.model.running}


def _contained(narrow: Set, wide: Set) -> bool:
    return _pods(narrow) <= _pods(wide) and not _beyond(_allowed(narrow), _allowed(wide))


def _equivalence(sets: Sequence[Set]) -> tuple[int, int]:
    pairs = list(combinations(sets, 2))
    return sum(bool(differences(_allowed(one), _allowed(other))) for one, other in pairs), len(pairs)


def _containment(sets: Sequence[Set]) -> tuple[int, int]:
    return sum(_contained(other, sets[0]) for other in sets[1:]), len(sets) - 1


def _two_ways(sets: Sequence[Set]) -> tuple[int, int]:
    total = 0
    pairs = list(combinations(sets, 2))
    for one, other in pairs:
        if one != other:
            total += {(True, True): 3, (True, False): 2, (False, True): 1}.get(
                (_contained(one, other), _contained(other, one)), 0
            )
    return total, len(pairs)


def _permits(sets: Sequence[Set]) -> tuple[int, int]:
    return sum(_beyond(_explicit(other), _allowed(sets[0])) for other in sets[1:]), len(sets) - 1


def _forbids(sets: Sequence[Set]) -> tuple[int, int]:
    allowed = _allowed(sets[0])
    return sum(bool(shared(_explicit(other), allowed)) for other in sets[1:]), len(sets) - 1


def _all_captured(sets: Sequence[Set]) -> tuple[int, int]:
    total = 0
    for one in sets:
        decider = Decider(one.model, one.policies, ours.OPTIONS)
        if not one.policies:
            total += len(one.model.running)
            continue
        # They count a pod for each direction.
        total += sum(
            len({pod.workload_name for pod in one.model.running if not decider.selecting(pod, direction)})
            for direction in ("ingress", "egress")
        )
    return total, len(sets)


def _vacuity(sets: Sequence[Set]) -> tuple[int, int]:
    found = [not differences(_allowed(one), _allowed(one._replace(policies=()))) for one in sets]
    return sum(found), len(sets)


def _difference(sets: Sequence[Set]) -> tuple[int, int]:
    """Kinds of connections that come or go: between pods of both, with addresses, with pods of one side."""
    total = 0
    pairs = list(combinations(sets, 2))
    for one, other in pairs:
        both = _pods(one) & _pods(other)
        kinds = set()
        for item in differences(_allowed(one), _allowed(other)):
            ends = [item.source, item.destination]
            pods = [end for end in ends if "/" in end and end[0].isalpha()]
            place = "both" if set(pods) <= both else "mixed" if set(pods) & both else "one"
            lost = common(item.theirs, item.ours) != item.theirs
            gained = common(item.theirs, item.ours) != item.ours
            kinds |= {(word, place, len(pods)) for word, is_so in (("lost", lost), ("gained", gained)) if is_so}
        total += len(kinds)
    return total, len(pairs)


_QUERIES: Mapping[str, Callable[[Sequence[Set]], tuple[int, int]]] = {
    "equivalence": _equivalence,
    "containment": _containment,
    "twoWayContainment": _two_ways,
    "permits": _permits,
    "forbids": _forbids,
    "allCaptured": _all_captured,
    "vacuity": _vacuity,
    "semanticDiff": _difference,
}
