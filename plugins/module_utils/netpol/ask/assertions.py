# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Required and forbidden flows against the policies: each violation with what decides it and the smallest change."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

from ...common.words import nearest
from ..decide.engine import Engine
from ..decide.reference import Decider, decide
from ..decide.universe import Universe
from ..decide.verdict import Decision, Endpoint, Verdict
from ..errors import FlowError, NoPodError
from ..flows.ends import Ends, intervals, select, select_destination
from ..flows.vocabulary import Flow
from ..lint.hints import Hint, Hints, with_hints
from ..model.addresses import blocks, format_block, format_range
from ..model.objects import Model, Options, Pod, Policy
from ..model.ports import Interval, describe, summary


@dataclass(frozen=True)
class Violation:
    """A flow that does not hold.

    Attributes:
        flow: the flow's name, or what it says.
        kind: C(required) or C(forbidden).
        path: where the flow was written.
        source: name of the first source for which it fails.
        destination: name of the first destination.
        protocol: protocol of the first port that fails.
        ports: all ports that fail for this pair, for people.
        pairs: how many pairs of sources and destinations fail.
        verdict: why, for this pair and the first port.
        fix: the smallest change that would satisfy the flow.
        hints: why one may have thought that it is allowed.
    """

    flow: str
    kind: str
    path: str
    source: str
    destination: str
    protocol: str
    ports: str
    pairs: int
    verdict: Verdict
    fix: dict[str, Any]
    hints: tuple[Hint, ...] = ()

    @property
    def message(self) -> str:
        wanted = "is required but denied" if self.kind == "required" else "is forbidden but allowed"
        if self.verdict.undetermined:
            wanted = (
                f"is {self.kind}, and that it {'can' if self.kind == 'required' else 'cannot'} connect is not certain"
            )
        decision = self.verdict.decisive
        reason = decision.reason if decision else self.verdict.note
        reason = with_hints(reason, self.hints)
        more = f" ({self.pairs} pairs in all)" if self.pairs > 1 else ""
        return (
            f"{self.flow}: {self.source} -> {self.destination} on {self.ports} {wanted}{more}: {reason}. "
            f"{self.fix.get('text', '')}".rstrip()
        )

    def as_dict(self) -> dict[str, Any]:
        decision = self.verdict.decisive
        return {
            "flow": self.flow,
            "kind": self.kind,
            "path": self.path,
            "from": self.source,
            "to": self.destination,
            "ports": self.ports,
            "pairs": self.pairs,
            "policy": decision.policy if decision else "",
            "rule": decision.rule if decision else None,
            "direction": decision.direction if decision else "",
            "verdict": self.verdict.as_dict(),
            "fix": self.fix,
            "hints": [hint.as_dict() for hint in self.hints],
            "message": self.message,
        }


def check(
    model: Model,
    policies: Sequence[Policy],
    required: Sequence[Flow],
    forbidden: Sequence[Flow],
    options: Options,
) -> list[Violation]:
    """Violations of the flows, in their order.

    Args:
        model: what there is.
        policies: the policies in force.
        required: each source must reach each destination on every port.
        forbidden: no source may reach any destination on any port.
        options: answers to what is left to implementations.

    Raises:
        FlowError: when a flow names something that does not exist.
    """
    plans = [("required", flow, *_ends(model, flow)) for flow in required]
    plans += [("forbidden", flow, *_ends(model, flow)) for flow in forbidden]
    wanted: list[Interval] = []
    for _kind, flow, _sources, destinations in plans:
        for pod in (*destinations.pods, None):
            wanted.extend(intervals(model, flow, pod))
    universe = Universe(model, [policies], options, wanted)
    engine = Engine(universe, policies)
    # What is forbidden must not even be possible, whatever addresses pods get.
    engines = {"required": engine, "forbidden": engine}
    if not engine.is_determined:
        engines["forbidden"] = Engine(universe, policies, possible=True)
    index = {id(pod): number for number, members in enumerate(universe.members) for pod in members}
    violations: list[Violation] = []
    for kind, flow, sources, destinations in plans:
        checker = _Checker(model, policies, options, universe, engines[kind], index)
        violation = checker.check(kind, flow, sources, destinations)
        if violation is not None:
            violations.append(violation)
    return violations


def _ends(model: Model, flow: Flow) -> tuple[Ends, Ends]:
    sources, destinations = select(model, flow.source), select_destination(model, flow.destination)
    if sources.block is not None and destinations.block is not None:
        raise FlowError(flow.path, "both ends are outside", "policies are about pods")
    _see_ports(flow, destinations)
    return sources, destinations


def _see_ports(flow: Flow, destinations: Ends) -> None:
    """Refuse a port's name that nothing has there: nothing could be said of it, and any assertion would hold."""
    names = [] if flow.destination.service else [port.name for port in flow.ports or () if port.name]
    if names and destinations.block is not None:
        raise FlowError(f"{flow.path}.ports", f"an address outside has no port called {names[0]!r}", "give its number")
    known = {port.name for pod in destinations.pods for port in pod.ports if port.name}
    for name in names:
        if name not in known:
            near = nearest(name, known)
            hint = f"did you mean {near!r}?" if near else f"it has {', '.join(sorted(known)) or 'none with a name'}"
            raise NoPodError(f"{flow.path}.ports", f"{flow.destination} has no port called {name!r}", hint)


class _Checker:
    """Looks at one flow class by class and keeps the first pair that fails, counting the others."""

    def __init__(
        self,
        model: Model,
        policies: Sequence[Policy],
        options: Options,
        universe: Universe,
        engine: Engine,
        index: dict[int, int],
    ) -> None:
        self.model = model
        self.policies = policies
        self.options = options
        self.universe = universe
        self.engine = engine
        self.index = index

    def check(self, kind: str, flow: Flow, sources: Ends, destinations: Ends) -> Violation | None:
        source_classes = self._classes(sources)
        first: tuple[Endpoint, Endpoint, int] | None = None
        pairs = 0
        for number, wanted, receivers in self._targets(kind, flow, destinations):
            for mask, senders in self._by_mask(self.engine.row(number), source_classes):
                failing = wanted & ~mask if kind == "required" else wanted & mask
                if not failing:
                    continue
                for sender, target in self._pairs(senders, receivers):
                    pairs += 1
                    if first is None:
                        first = (sender, target, failing)
        if first is None:
            return None
        return self._violation(kind, flow, first, pairs, destinations.note)

    def _targets(self, kind: str, flow: Flow, ends: Ends) -> Iterator[tuple[int, int, list[Endpoint]]]:
        """Classes of destinations, each in parts for which the flow means the same ports, with these."""
        for number, receivers in self._classes(ends).items():
            by_ports: dict[int, list[Endpoint]] = {}
            for receiver in receivers:
                wanted = 0
                for interval in intervals(self.model, flow, receiver if isinstance(receiver, Pod) else None):
                    wanted |= self.universe.ports.mask(*interval)
                if not wanted and kind == "required":
                    raise FlowError(
                        f"{flow.path}.ports",
                        f"{_name(receiver)} has no such named port",
                        "give the number, or declare it",
                    )
                by_ports.setdefault(wanted, []).append(receiver)
            for wanted, alike in by_ports.items():
                yield number, wanted, alike

    def _by_mask(self, row: dict[int, int], classes: dict[int, list[Endpoint]]) -> Iterator[tuple[int, list[Endpoint]]]:
        for number, members in classes.items():
            for mask, sources in row.items():
                if sources >> number & 1:
                    yield mask, members
                    break
            else:
                yield 0, members

    def _pairs(self, senders: list[Endpoint], receivers: list[Endpoint]) -> Iterator[tuple[Endpoint, Endpoint]]:
        """Pairs that policies have a say in: not a pod and itself, not a pod and its own node."""
        for sender in senders:
            for receiver in receivers:
                if sender is receiver and not (isinstance(sender, Pod) and sender.replicas > 1):
                    continue
                if isinstance(sender, Pod) and isinstance(receiver, Pod):
                    on_node = sender.host_network or receiver.host_network
                    if on_node and sender.node and sender.node == receiver.node:
                        continue
                yield sender, receiver

    def _classes(self, ends: Ends) -> dict[int, list[Endpoint]]:
        found: dict[int, list[Endpoint]] = {}
        for pod in ends.pods:
            found.setdefault(self.index[id(pod)], []).append(pod)
        for block in ends.blocks:
            for number, part in self.universe.outside_parts(block):
                found.setdefault(number, []).append(part)
        return found

    def _violation(
        self, kind: str, flow: Flow, first: tuple[Endpoint, Endpoint, int], pairs: int, note: str
    ) -> Violation:
        source, destination, failing = first
        found = self.universe.ports.intervals(failing)
        protocol, port, _last = found[0]
        verdict = decide(self.model, self.policies, source, destination, protocol, port, self.options)
        decision = verdict.decisive
        said: list[Hint] = []
        if kind == "required" and decision is not None:
            decider = Decider(self.model, self.policies, self.options)
            said = Hints(decider).of_ports(source, destination, found, decision)
        if note:
            said.append(Hint("service-without-selector", note))
        return Violation(
            flow=str(flow),
            kind=kind,
            path=flow.path,
            source=_name(source),
            destination=_name(destination),
            protocol=protocol,
            ports=summary(describe(found)),
            pairs=pairs,
            verdict=verdict,
            fix=suggest_fix(self.policies, kind, source, destination, found, verdict, self.options),
            hints=tuple(said),
        )


def _name(endpoint: Endpoint) -> str:
    return endpoint.full_name if isinstance(endpoint, Pod) else format_range(endpoint)


def suggest_fix(
    policies: Sequence[Policy],
    kind: str,
    source: Endpoint,
    destination: Endpoint,
    failing: Sequence[Interval],
    verdict: Verdict,
    options: Options,
) -> dict[str, Any]:
    """The smallest change that makes one flow hold, as data and as a sentence.

    For a required flow: one rule for each direction that denies, in the policy that denies (NetworkPolicies are
    additive, so a rule in any policy that selects the pod would do). For a forbidden flow: the rule that allows it,
    or, where nothing isolates, the policy to write; a firewall where policies hold for neither end.
    """
    decisions = [d for d in (verdict.egress, verdict.ingress) if d is not None]
    changes: list[dict[str, Any]] = []
    if kind == "required":
        for decision in decisions:
            if decision.allowed:
                continue
            changes.append(_allow(policies, decision, source, destination, failing))
    elif decisions:
        unsure = [d for d in decisions if d.undetermined]
        changes.append(_forbid(unsure or decisions, source, destination, options))
    text = " and ".join(change["text"] for change in changes)
    if verdict.undetermined:
        text += " or say with pod_cidrs where pods get their addresses"
    return {"changes": changes, "text": f"Smallest change: {text}." if text else ""}


def _allow(
    policies: Sequence[Policy],
    decision: Decision,
    source: Endpoint,
    destination: Endpoint,
    failing: Sequence[Interval],
) -> dict[str, Any]:
    if decision.tier != "namespaced":
        return {
            "direction": decision.direction,
            "policy": decision.policy,
            "rule": decision.rule,
            "text": f"put an Allow rule for it before rule {decision.rule} of {decision.policy}",
        }
    side = "to" if decision.direction == "egress" else "from"
    pod, other = (destination, source) if decision.direction == "ingress" else (source, destination)
    pod = cast("Pod", pod)  # policies decide at pods alone
    rule = {side: peers_for(other, pod.namespace), "ports": [_port(interval) for interval in failing]}
    target = f"{decision.direction} rule {side} {_name(other)} on {summary(describe(failing))}"
    isolating = [
        policy for policy in policies if policy.full_name in decision.considered and policy.isolates(decision.direction)
    ]
    # Policies are additive: the rule belongs where it opens the fewest pods, never in one that selects them all.
    best = max(isolating, key=lambda policy: len(policy.subject.pods.requirements))
    if best.subject.pods.requirements:
        text = f"add to {best.full_name} an {target}"
        return {"direction": decision.direction, "policy": best.full_name, "rule": rule, "text": text}
    name = f"allow-{pod.workload}-{decision.direction}"
    return {
        "direction": decision.direction,
        "policy": "",
        "rule": rule,
        "manifest": {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": name, "namespace": pod.namespace},
            "spec": {
                "podSelector": {"matchLabels": dict(pod.labels)},
                "policyTypes": [decision.direction.capitalize()],
                decision.direction: [rule],
            },
        },
        "text": f"add a NetworkPolicy for {pod.full_name} with an {target}",
    }


def _forbid(decisions: Sequence[Decision], source: Endpoint, destination: Endpoint, options: Options) -> dict[str, Any]:
    for decision in reversed(decisions):
        if decision.policy:
            return {
                "direction": decision.direction,
                "policy": decision.policy,
                "rule": decision.rule,
                "text": f"narrow or remove {decision.direction} rule {decision.rule} of {decision.policy}",
            }
    for direction, pod in (("ingress", destination), ("egress", source)):
        if isinstance(pod, Pod) and (options.policies_select_host_network or not pod.host_network):
            selects = {"podSelector": {"matchLabels": dict(pod.labels)}, "policyTypes": [direction.capitalize()]}
            return {
                "direction": direction,
                "policy": "",
                "rule": None,
                "manifest": {
                    "apiVersion": "networking.k8s.io/v1",
                    "kind": "NetworkPolicy",
                    "metadata": {"name": f"deny-{direction}", "namespace": pod.namespace},
                    "spec": selects,
                },
                "text": f"isolate {pod.full_name} for {direction} with a NetworkPolicy that selects it",
            }
    text = "guard the nodes by their firewall, since policies do not hold for pods on the host network"
    return {"direction": "", "policy": "", "rule": None, "text": text}


def peers_for(endpoint: Endpoint, namespace: str) -> list[dict[str, Any]]:
    """The NetworkPolicy peers that are just this endpoint, seen from a policy in a namespace."""
    if not isinstance(endpoint, Pod):
        return [{"ipBlock": {"cidr": format_block(block)}} for block in blocks(endpoint)]
    peer: dict[str, Any] = {"podSelector": {"matchLabels": dict(endpoint.labels)}}
    if endpoint.namespace != namespace:
        peer["namespaceSelector"] = {"matchLabels": {"kubernetes.io/metadata.name": endpoint.namespace}}
    return [peer]


def _port(interval: Interval) -> dict[str, Any]:
    protocol, first, last = interval
    port: dict[str, Any] = {"protocol": protocol}
    if (first, last) != (1, 65535):
        port["port"] = first
        if last != first:
            port["endPort"] = last
    return port
