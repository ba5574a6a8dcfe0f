# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Traffic that a cluster and its defences live on, and that policies cut without being told so by any error.

The API server's way to webhooks, to the metrics server and to Falco's audit
receiver; Falco to Falcosidekick, Falcosidekick to its outputs and its UI, the UI to Redis.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import NamedTuple

from ...common.finding import Finding
from ..decide.engine import Engine
from ..decide.reference import Decider
from ..decide.universe import Universe
from ..flows.ends import serves
from ..model.objects import BlockPeer, DomainsPeer, Model, NodesPeer, Pod, Policy, Service
from .finding import names, on
from .parts import allowing, class_of, matches_port, selecting

_NAME = "app.kubernetes.io/name"
_COMPONENT = "app.kubernetes.io/component"
_INSTANCE = "app.kubernetes.io/instance"
#: Port of Falco's receiver of audit events, in the plugin's and the chart's default configuration.
AUDIT_PORT = 9765


class _Need(NamedTuple):
    """Traffic that must pass: sources and destinations by what they are, and the port."""

    name: str
    source: Callable[[Pod], bool]
    destination: Callable[[Pod], bool]
    port: int


def _is_falco(pod: Pod) -> bool:
    return pod.labels.get(_NAME) == "falco"


def _sidekick(component: str) -> Callable[[Pod], bool]:
    def matches(pod: Pod) -> bool:
        return pod.labels.get(_NAME) == "falcosidekick" and pod.labels.get(_COMPONENT, "core") == component

    return matches


_NEEDS = (
    _Need("Falco to Falcosidekick", _is_falco, _sidekick("core"), 2801),
    _Need("Falcosidekick to its UI", _sidekick("core"), _sidekick("ui"), 2802),
    _Need("Falcosidekick's UI to Redis", _sidekick("ui"), _sidekick("redis"), 6379),
)


def check_traffic(
    model: Model, policies: Sequence[Policy], engine: Engine, moved: Collection[str]
) -> Iterator[Finding]:
    """Findings C(cuts-cluster-traffic).

    Args:
        model: what there is.
        policies: the policies in force.
        engine: their evaluation.
        moved: policies that open a Service's port instead of the pod's, which is told already; the way to webhooks is
            not looked at where one of them isolates.
    """
    universe = engine.universe
    for need in _NEEDS:
        sources = [pod for pod in model.running if need.source(pod)]
        destinations = [pod for pod in model.running if need.destination(pod)]
        if sources and destinations:
            yield from _pods_to_pods(engine, policies, need, sources, destinations)
    sidekicks = [pod for pod in model.running if _sidekick("core")(pod)]
    yield from _outputs(policies, universe, sidekicks)
    metrics = [pod for pod in model.running if pod.labels.get("k8s-app") == "metrics-server"]
    yield from _from_api_server(policies, universe, "to the metrics server", metrics, _port_of("https", 10250))
    receiving = [service for service in model.services if any(port.number == AUDIT_PORT for port in service.ports)]
    falcos = [
        pod
        for pod in model.running
        if _is_falco(pod)
        and (any(p.number == AUDIT_PORT for p in pod.ports) or any(serves(service, pod) for service in receiving))
    ]
    yield from _from_api_server(policies, universe, "to Falco's audit webhook", falcos, lambda _pod: AUDIT_PORT)
    by_service: dict[tuple[str, str, int], tuple[Service, list[str]]] = {}
    for service, port, name in _webhooks(model):
        by_service.setdefault((service.namespace, service.name, port), (service, []))[1].append(name)
    for (_namespace, _name, port), (service, hooks) in by_service.items():
        pods = [pod for pod in model.running if serves(service, pod)]
        what = f"to the webhook{'s' if len(hooks) > 1 else ''} {names(list(dict.fromkeys(hooks)))}"
        yield from _from_api_server(policies, universe, what, pods, _target_of(service, port), moved)


def _port_of(name: str, default: int) -> Callable[[Pod], int]:
    def number(pod: Pod) -> int:
        return next((port.number for port in pod.ports if port.name == name), default)

    return number


def _target_of(service: Service, number: int) -> Callable[[Pod], int]:
    entry = next((port for port in service.ports if port.number == number), None)

    def target(pod: Pod) -> int:
        if entry is None:
            return number
        if isinstance(entry.target, str) and not entry.target.isdigit():
            return next((port.number for port in pod.ports if port.name == entry.target), number)
        return int(str(entry.target))

    return target


def _webhooks(model: Model) -> Iterator[tuple[Service, int, str]]:
    for configuration in model.webhooks:
        hooks = configuration.get("webhooks")
        for hook in hooks if isinstance(hooks, list) else ():
            client = hook.get("clientConfig") if isinstance(hook, dict) else None
            wanted = client.get("service") if isinstance(client, dict) else None
            if not isinstance(wanted, dict):
                continue
            for service in model.services:
                if (service.namespace, service.name) == (wanted.get("namespace"), wanted.get("name")):
                    port = wanted.get("port")
                    yield service, port if isinstance(port, int) else 443, str(hook.get("name", service.name))


def _pods_to_pods(
    engine: Engine, policies: Sequence[Policy], need: _Need, sources: Sequence[Pod], destinations: Sequence[Pod]
) -> Iterator[Finding]:
    decider = Decider(engine.universe.model, policies, engine.universe.options)
    senders = [members[0] for members in class_of(engine.universe, sources).values()]
    for receiver in [members[0] for members in class_of(engine.universe, destinations).values()]:
        for sender in senders:
            mine, theirs = sender.labels.get(_INSTANCE), receiver.labels.get(_INSTANCE)
            if sender.namespace != receiver.namespace and mine != theirs:
                continue  # another installation
            verdict = decider.decide(sender, receiver, "TCP", need.port)
            decision = verdict.decisive
            if not verdict.allowed and decision is not None:
                yield on(
                    decision.policy,
                    "cuts-cluster-traffic",
                    "error",
                    f"cuts {need.name}: {sender.full_name} -> {receiver.full_name} on TCP {need.port}",
                    f"allow {decision.direction} for it",
                )


def _outputs(policies: Sequence[Policy], universe: Universe, pods: Sequence[Pod]) -> Iterator[Finding]:
    for number, members in class_of(universe, pods).items():
        isolating = selecting(policies, universe, number, "egress")
        if not isolating:
            continue
        outward = any(
            matches_port(rule.ports, "TCP", port, None)
            and (rule.peers is None or any(isinstance(peer, (BlockPeer, DomainsPeer)) for peer in rule.peers))
            for rule in allowing(policies, universe, number, "egress")
            for port in (443, 80)
        )
        if not outward:
            yield on(
                isolating[0].full_name,
                "cuts-cluster-traffic",
                "error",
                f"cuts Falcosidekick's outputs: {members[0].full_name} reaches no address outside on TCP 443",
                "allow egress to the outputs' addresses",
                isolating[0].origin.source,
                isolating[0].origin.line,
            )


def _from_api_server(
    policies: Sequence[Policy],
    universe: Universe,
    what: str,
    pods: Sequence[Pod],
    port: Callable[[Pod], int],
    told: Collection[str] = (),
) -> Iterator[Finding]:
    """The API server is a node for the pods that it calls: only rules for everyone, addresses or nodes let it in."""
    for number, members in class_of(universe, pods).items():
        pod = members[0]
        if pod.host_network:
            continue
        isolating = selecting(policies, universe, number, "ingress")
        if not isolating or any(policy.full_name in told for policy in isolating):
            continue
        open_ = any(
            matches_port(rule.ports, "TCP", port(pod), pod)
            and (rule.peers is None or any(isinstance(peer, (BlockPeer, NodesPeer)) for peer in rule.peers))
            for rule in allowing(policies, universe, number, "ingress")
        )
        if not open_:
            yield on(
                isolating[0].full_name,
                "cuts-cluster-traffic",
                "error",
                f"cuts the API server's way {what}: {pod.full_name} lets in no node on TCP {port(pod)}",
                "allow ingress on that port from the nodes' addresses (an ipBlock), or from everyone",
                isolating[0].origin.source,
                isolating[0].origin.line,
            )
