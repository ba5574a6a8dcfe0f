"""The collection's answers about a directory, in the words that other analysers use for workloads."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from ansible_collections.falconet.k8s.plugins.module_utils.live_netpol.inputs import read_paths
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.ask.analysis import answer
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.ask.request import Request
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.decide import reference
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.decide.engine import Engine
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.decide.matrix import Groups, Matrix
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.decide.universe import Universe
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.model.objects import Model, Options, Pod, Policy
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.read.manifests import load

from .flows import Flows, Ports, join, read_ports

#: Others take pods on the host network for pods like any other, which is one of our options.
OPTIONS = Options(policies_select_host_network=True)
#: More connections than any of the compared directories has.
LIMIT = 10_000_000
CONTROLLER = "{ingress-controller}"


@cache
def model_of(directory: Path) -> Model:
    """What a directory holds; objects that the API server would refuse are left out."""
    return load(read_paths([str(directory)]), on_invalid="skip")


def named(workload: str) -> str:
    """C(namespace/Kind/name) as C(namespace/name[Kind]); addresses stay as they are."""
    parts = workload.split("/")
    return f"{parts[0]}/{parts[2]}[{parts[1]}]" if len(parts) == 3 else workload


class Names:
    """Their names of workloads as ours: a ReplicaSet of a Deployment is the Deployment."""

    def __init__(self, *models: Model) -> None:
        self._known = {named(pod.workload_name) for model in models for pod in model.pods}

    def __call__(self, end: str) -> str:
        end = end.strip().removesuffix("[External]")
        match = re.match(r"^(\S+)/(\S+)\[(\w+)\]$", end)
        if match is None or end in self._known:
            return end
        namespace, name, _kind = match.groups()
        for shorter, kind in ((name.rpartition("-")[0], "Deployment"), (name, "Deployment"), (name, "Pod")):
            if f"{namespace}/{shorter}[{kind}]" in self._known:
                return f"{namespace}/{shorter}[{kind}]"
        return end


def connections(
    model: Model, policies: Sequence[Policy] | None = None, by: str = "workload", beside: Sequence[Policy] = ()
) -> Flows:
    """Every connection that is allowed, without those of a workload with itself.

    Args:
        model: what there is.
        policies: those in force, all of the model's by default.
        by: workload or pod.
        beside: others, whose addresses are told apart, too.
    """
    wanted = model.policies if policies is None else list(policies)
    universe = Universe(model, [wanted, list(beside)], OPTIONS)
    matrix = Matrix(Engine(universe, wanted), Groups(universe, by))
    found: Flows = {}
    for destination, sources, mask in matrix.pairs():
        ports = join(matrix.ports.intervals(mask))
        for source in sources:
            if source != destination:
                pair = (named(source), named(destination))
                found[pair] = join(found.get(pair, ()), ports)
    return found


def routes(model: Model) -> Flows:
    """What routes from outside lead to, from the one source that stands for their controllers."""
    found: Flows = {}
    for item in answer(Request("routes", options=OPTIONS), model)["routes"]:
        if item["allowed"]:
            pair = (CONTROLLER, named(item["to"]))
            found[pair] = join(found.get(pair, ()), read_ports(f"{item['protocol']} {item['ports']}"))
    return found


def changes(before: Model, after: Model) -> dict[tuple[str, str], tuple[Ports, Ports]]:
    """Pairs that a difference tells, with their ports before and after."""
    result = answer(Request("diff", limit=LIMIT, options=OPTIONS), after, before)
    return {
        (named(item["from"]), named(item["to"])): (_joined(item["before"]), _joined(item["after"]))
        for kind in ("gained", "lost", "changed")
        for item in result["difference"][kind]
        if item["from"] != item["to"]
    }


def _joined(listed: Sequence[Mapping[str, Any]]) -> Ports:
    return join(*(read_ports(f"{item['protocol']} {item['ports']}") for item in listed))


def decide(model: Model, source: Pod, destination: Pod, protocol: str, port: int) -> bool:
    """Whether one connection is allowed."""
    return reference.decide(model, model.policies, source, destination, protocol, port, OPTIONS).allowed
