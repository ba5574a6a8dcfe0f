# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""That the network holds a pod, tried from few places so that it is known soon: from the pod, and to it from others.

All peers of one workload count once, the nodes are the pod's own and one more. C(netpol_probe) tries all there are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..kube.client import Client
from ..kube.resource import KNOWN
from ..netpol.flows.vocabulary import parse_flows
from ..probe.cluster.probers import Probers
from ..probe.conclude import MET, VIOLATED
from ..probe.methods.node import NodeMethod
from ..probe.model import Probe
from ..probe.plan import make_plan
from ..probe.question import Wish
from ..probe.settle import run
from ..probe.wire.protocol import Settings

#: Connections that are tried at most.
MOST = 200
#: How long the network plugin may take until it holds the pod.
SETTLE_SECONDS = 15.0
#: An answer within a cluster takes milliseconds; silence is waited for so long.
_ATTEMPTS = Settings(wait_seconds=1)


@dataclass(frozen=True)
class Shown:
    """What the network did.

    Attributes:
        tried: connections.
        closed: those of them of which it is proven that they are closed.
        open: those that passed, in words.
        settled_seconds: after which no answer changed any more.
    """

    tried: int
    closed: int
    open: tuple[str, ...]
    settled_seconds: float

    @property
    def proven(self) -> bool:
        return self.closed > 0 and not self.open


def flows_of(namespace: str, pod: str) -> list[dict[str, Any]]:
    """Flows of a pod in quarantine, none of which may pass, as C(netpol_probe) takes them."""
    held = {"namespace": namespace, "pod": pod}
    return [
        {"name": f"everybody to {namespace}/{pod}", "from": {}, "to": held},
        {"name": f"{namespace}/{pod} to everybody", "from": held, "to": {}},
    ]


def nodes_for(client: Client, pod: Mapping[str, Any]) -> list[str]:
    """The pod's node, and one more where another pod runs that may try.

    Args:
        client: connection to the cluster.
        pod: the pod.
    """
    own = (pod.get("spec") or {}).get("nodeName")
    if not own:
        return []
    others = {one["spec"].get("nodeName") for one in client.list_all(KNOWN["v1", "Pod"]) if _runs(one)}
    return [own, *sorted(others - {own, None})[:1]]


def _runs(pod: Mapping[str, Any]) -> bool:
    host = (pod.get("spec") or {}).get("hostNetwork")
    return not host and (pod.get("status") or {}).get("phase") == "Running"


def show(
    client: Client,
    namespace: str,
    pod: str,
    probers: Probers,
    nodes: Sequence[str],
    objects: list[dict[str, Any]],
) -> Shown:
    """Try the connections of a pod in quarantine.

    Args:
        client: connection to the cluster.
        namespace, pod: whom.
        probers: privileged pods.
        nodes: whose pods try.
        objects: the cluster as it is, as C(kube.snapshot.take_snapshot) gives it.

    Raises:
        KubeError: the API server is away, or a permission is missing.
    """
    wish = Wish(forbidden=tuple(parse_flows(flows_of(namespace, pod), "forbidden_flows")))
    plan = make_plan(objects, wish)
    probes = list(_one_of_each(plan.probes, f"{namespace}/{pod}", set(nodes)))[:MOST]
    method = NodeMethod(client, probers)
    # Where nobody listens nothing can be concluded, which costs time: tried again only if nothing else was proven.
    course = run(method, probes, _ATTEMPTS, SETTLE_SECONDS, tries=1)
    if not any(one.status in (MET, VIOLATED) for one in course.findings):
        course = run(method, probes, _ATTEMPTS, SETTLE_SECONDS)
    passed = [one.probe for one in course.findings if one.status == VIOLATED]
    return Shown(
        len(probes),
        sum(1 for one in course.findings if one.status == MET),
        tuple(f"{one.source.key} to {one.target} on {one.port}/{one.protocol}" for one in passed),
        course.settled_seconds,
    )


def _one_of_each(probes: Sequence[Probe], held: str, nodes: set[str]) -> Iterator[Probe]:
    """Of each workload's pods one, on each side and at each port."""
    seen = set()
    for probe in sorted(probes, key=lambda one: (one.source.key, one.host, one.port)):
        # A server is also called by its own pod: on a third node that would need a prober, whose start takes seconds.
        if not {probe.source.node, *(pod.node for pod, _protocol, _port in probe.controls)} <= nodes:
            continue
        outward = probe.source.key == held
        other = probe.target_pod if outward else probe.source
        name = (other.namespace, other.workload) if other else probe.host
        key = (outward, name, probe.protocol, probe.port)
        if key not in seen:
            seen.add(key)
            yield probe
