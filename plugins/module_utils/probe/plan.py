# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a wish to single connections to try, and to what cannot be tried and why."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..kube.errors import KubeError
from ..netpol.decide.reference import decide
from ..netpol.decide.verdict import Verdict
from ..netpol.errors import FlowError, NetpolError
from ..netpol.flows.ends import find_service, intervals, select
from ..netpol.flows.vocabulary import Flow, parse_flow, parse_ports
from ..netpol.model.addresses import format_address, parse_block
from ..netpol.model.objects import Model
from ..netpol.model.objects import Pod as PolicyPod
from ..netpol.read.manifests import Input, load
from .conclude import told
from .model import Pod, Probe, pods_of
from .question import Wish


@dataclass(frozen=True)
class Gap:
    """Something that was wished and cannot be tried."""

    source: str
    target: str
    why: str
    flow: str = ""
    expected: bool | None = None

    def row(self) -> dict[str, Any]:
        return {
            "from": self.source,
            "to": self.target,
            "why": self.why,
            "flow": self.flow or None,
            "expected": told(self.expected),
        }


@dataclass
class Plan:
    """Connections to try, and gaps: what was wished for and cannot be tried."""

    probes: list[Probe] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)


def make_plan(snapshot: Sequence[dict[str, Any]], wish: Wish) -> Plan:
    """Find the connections that answer a wish.

    Raises:
        KubeError: flows contradict each other, or the policies of the cluster cannot be read.
    """
    try:
        return _Planner(snapshot, wish).plan()
    except NetpolError as error:
        raise KubeError(str(error)) from error


class _Planner:
    def __init__(self, snapshot: Sequence[dict[str, Any]], wish: Wish) -> None:
        self.wish = wish
        self.model: Model = load([Input("cluster", objects=list(snapshot))], on_invalid="skip")
        self.live = {(pod.namespace, pod.name): pod for pod in pods_of(snapshot)}
        self.policy_pods = {(pod.namespace, pod.name): pod for pod in self.model.pods if not pod.template}
        self.services = {
            (item["metadata"].get("namespace"), item["metadata"]["name"]): item
            for item in snapshot
            if item.get("kind") == "Service"
        }
        self.chosen = self._choose()
        self.found: dict[tuple[Any, ...], Probe] = {}
        self.gaps: dict[Gap, None] = {}

    def plan(self) -> Plan:
        for flows, expected in ((self.wish.required, True), (self.wish.forbidden, False), (self.wish.observed, None)):
            for flow in flows:
                self._flow(flow, expected)
        self._matrix()
        if self.wish.namespaces:
            self._all_pairs()
        return Plan([self._decided(probe) for probe in self.found.values()], list(self.gaps))

    # Who takes part

    def _choose(self) -> set[tuple[str, str]]:
        """Pods that take part when a workload has more of them than wanted: spread over nodes, steady by name."""
        limit = self.wish.pods_per_workload
        if not limit:
            return set(self.live)
        taken: dict[tuple[str, str], list[Pod]] = {}
        for pod in sorted(self.live.values(), key=lambda pod: (bool(pod.why_not()), pod.name)):
            taken.setdefault((pod.namespace, pod.workload), []).append(pod)
        chosen: set[tuple[str, str]] = set()
        for pods in taken.values():
            seen: dict[str, int] = {}
            spread = []
            for pod in pods:
                seen[pod.node] = seen.get(pod.node, 0) + 1
                spread.append((bool(pod.why_not()), seen[pod.node], pod.name, pod))
            chosen.update((pod.namespace, pod.name) for *_order, pod in sorted(spread, key=lambda s: s[:3])[:limit])
        return chosen

    def _live(self, pods: Iterable[PolicyPod]) -> list[Pod]:
        keys = ((pod.namespace, pod.name) for pod in pods if not pod.template)
        return [self.live[key] for key in keys if key in self.live and key in self.chosen]

    # Flows

    def _flow(self, flow: Flow, expected: bool | None) -> None:
        if flow.source.block is not None:
            self._gap(flow, expected, "connections from addresses outside cannot be tried from inside the cluster")
            return
        try:
            sources = self._live(select(self.model, flow.source).pods)
            target = select(self.model, flow.destination)
        except FlowError as error:
            self._gap(flow, expected, str(error))
            return
        if not sources:
            self._gap(flow, expected, "no pod of the source runs")
        for source in sources:
            if self._unable(source, str(flow.destination), flow, expected):
                continue
            if target.block is not None:
                self._outside(source, flow, expected)
            elif flow.destination.service and self._service(source, flow, expected):
                continue
            else:
                self._pods(source, flow, self._live(target.pods), expected)

    def _pods(self, source: Pod, flow: Flow, targets: list[Pod], expected: bool | None) -> None:
        if not targets:
            self._gap(flow, expected, "no pod of the destination runs")
        for target in targets:
            if target.key == source.key:
                continue
            ports = self._ports(flow, target)
            if not ports:
                self._gap(flow, expected, f"{target.key} declares no port that the flow names; give ports", source)
            for protocol, port in ports:
                self._add(source, target, protocol, port, expected, str(flow))

    def _ports(self, flow: Flow, target: Pod) -> list[tuple[str, int]]:
        """Single ports of a flow at a target: those that are named, and of ranges those that the target declares."""
        policy_pod = self.policy_pods.get((target.namespace, target.name))
        found: dict[tuple[str, int], None] = {}
        for protocol, first, last in intervals(self.model, flow, policy_pod):
            if first == last:
                found[protocol, first] = None
            else:
                found.update({(p, n): None for n, p in target.ports if p == protocol and first <= n <= last})
        return list(found)

    def _outside(self, source: Pod, flow: Flow, expected: bool | None) -> None:
        block = flow.destination.block
        if block is None or block.first != block.last:
            self._gap(flow, expected, "a whole block is not tried; name single addresses by ip", source)
            return
        if flow.ports is None:
            self._gap(flow, expected, "addresses outside declare no ports; give ports", source)
            return
        address = format_address(block.family, block.first)
        for protocol, first, last in intervals(self.model, flow, None):
            if first != last:
                self._gap(flow, expected, f"{first}-{last} of an address outside are not tried one by one", source)
            elif not source.address(block.family):
                self._gap(flow, expected, f"{source.key} has no IPv{block.family} address", source)
            else:
                self._put(Probe(source, protocol, address, first, address, expected=expected, flow=str(flow)))

    def _service(self, source: Pod, flow: Flow, expected: bool | None) -> bool:
        """Probes by the Service's own address; False if it has none and its pods are called directly."""
        service = find_service(self.model, flow.destination)
        spec = (self.services.get((service.namespace, service.name)) or {}).get("spec") or {}
        addresses = [a for a in spec.get("clusterIPs") or [spec.get("clusterIP") or "None"] if a not in ("None", "")]
        backends = self._live(pod for pod in select(self.model, flow.destination).pods)
        backends = [pod for pod in backends if pod.ready] or backends
        if not addresses and not self.wish.by_name:
            return False
        name = f"service {service.namespace}/{service.name}"
        hosts = [f"{service.name}.{service.namespace}.svc"] if self.wish.by_name else addresses
        for entry in service.ports:
            if flow.ports is not None and not any(
                port.protocol == entry.protocol
                and (port.name == entry.name if port.name else port.first <= entry.number <= port.last)
                for port in flow.ports
            ):
                continue
            single = replace(flow, ports=tuple(parse_ports([f"{entry.number}/{entry.protocol}"], flow.path) or ()))
            controls = tuple((pod, protocol, port) for pod in backends for protocol, port in self._ports(single, pod))
            for host in hosts:
                family = 6 if ":" in host else 4
                if not self.wish.by_name and (not source.address(family) or family not in self.wish.families):
                    continue
                # A headless Service is only a name: the port that arrives is the pod's.
                port = entry.number if addresses else next((c[2] for c in controls), entry.number)
                self._put(
                    Probe(
                        source,
                        entry.protocol,
                        host,
                        port,
                        name,
                        controls=controls,
                        expected=expected,
                        flow=str(flow),
                    )
                )
        return True

    # Matrices

    def _all_pairs(self) -> None:
        missing = [name for name in self.wish.namespaces if name not in self.model.namespaces]
        if missing:
            raise KubeError(f"namespaces: there is no namespace {missing[0]}", "kubectl get namespaces lists them.")
        wanted = set(self.wish.namespaces)
        pods = [pod for key, pod in sorted(self.live.items()) if pod.namespace in wanted and key in self.chosen]
        flow = replace(parse_flow({}), ports=self.wish.ports)
        ports = {target.key: self._ports(flow, target) for target in pods if not target.host_network}
        for source in pods:
            if self._unable(source, "", None, None):
                continue
            for target in pods:
                if target.key != source.key:
                    for protocol, port in ports.get(target.key, ()):
                        self._add(source, target, protocol, port, None, "")

    def _matrix(self) -> None:
        for cell in self.wish.matrix:
            sources, targets = self._workload(cell.source), self._workload(cell.target)
            if not sources or not targets:
                gone = cell.target if sources else cell.source
                why = f"no pod of {gone} runs"
                self.gaps[Gap(cell.source, cell.target, why, cell.where, cell.allowed)] = None
            for source in sources:
                if self._unable(source, cell.target, None, cell.allowed):
                    continue
                for target in targets:
                    if target.key != source.key:
                        self._add(source, target, cell.protocol, cell.port, cell.allowed, cell.where)

    def _workload(self, name: str) -> list[Pod]:
        """Pods of C(namespace/Kind/name)."""
        namespace, _slash, workload = name.partition("/")
        return [
            pod
            for key, pod in sorted(self.live.items())
            if pod.namespace == namespace and pod.workload == workload and key in self.chosen
        ]

    # Collecting

    def _add(self, source: Pod, target: Pod, protocol: str, port: int, expected: bool | None, flow: str) -> None:
        if not target.running or not target.addresses:
            self.gaps[Gap(source.key, target.key, f"{target.key} does not run", flow, expected)] = None
            return
        families = [f for f in self.wish.families if source.address(f) and target.address(f)]
        if not families:
            self.gaps[Gap(source.key, target.key, "they have no address family in common", flow, expected)] = None
        # Behind a sidecar everything seems to listen, so the sidecar proves no server.
        controls = () if target.mesh or target.host_network else ((target, protocol, port),)
        for family in families:
            self._put(
                Probe(source, protocol, target.address(family), port, target.key, target, controls, expected, flow)
            )

    def _put(self, probe: Probe) -> None:
        key = (probe.source, probe.protocol, probe.host, probe.port)
        known = self.found.get(key)
        if known is None or (known.expected is None and probe.expected is not None):
            self.found[key] = probe
        elif probe.expected is not None and known.expected != probe.expected:
            raise KubeError(
                f"{known.flow} and {probe.flow} contradict each other: {probe.source.key} to {probe.target} "
                f"on {probe.port}/{probe.protocol} is required and forbidden"
            )

    def _unable(self, source: Pod, target: str, flow: Flow | None, expected: bool | None) -> bool:
        why = source.why_not()
        if why:
            self.gaps[Gap(source.key, target or "every pod", why, str(flow) if flow else "", expected)] = None
        return bool(why)

    def _gap(self, flow: Flow, expected: bool | None, why: str, source: Pod | None = None) -> None:
        start = source.key if source else str(flow.source)
        self.gaps[Gap(start, str(flow.destination), why, str(flow), expected)] = None

    # What the policies say

    def _decided(self, probe: Probe) -> Probe:
        """The probe with the policies that decide, and with their verdict as expectation where that is wished."""
        verdicts = self._verdicts(probe)
        if not verdicts:
            return probe
        allowed = {verdict.allowed for verdict in verdicts}
        decision = next((v.decisive for v in verdicts if v.decisive), None)
        because = decision.reason if decision else verdicts[0].note
        expected = probe.expected
        # A Service some of whose pods are open and some closed may answer either way.
        by_policies = next(iter(allowed)) if len(allowed) == 1 else None
        if expected is None and self.wish.analysis:
            expected = by_policies
        return replace(probe, because=because, by_policies=by_policies, expected=expected)

    def _verdicts(self, probe: Probe) -> list[Verdict]:
        source = self.policy_pods.get((probe.source.namespace, probe.source.name))
        if source is None:
            return []
        ends = [(probe.target_pod, probe.protocol, probe.port)] if probe.target_pod else list(probe.controls)
        found = []
        for pod, protocol, port in ends:
            target = self.policy_pods.get((pod.namespace, pod.name)) if pod else None
            if target is not None:
                found.append(decide(self.model, self.model.policies, source, target, protocol, port))
        if not ends:
            block = parse_block(probe.host)
            if block is not None:
                found.append(decide(self.model, self.model.policies, source, block, probe.protocol, probe.port))
        return found
