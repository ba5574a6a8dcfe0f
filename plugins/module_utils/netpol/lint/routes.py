# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Routes from outside (Ingress, Gateway API, OpenShift) whose backends policies cut off.

A request comes to a pod from the controller's pods, whoever sent it. Controllers are known by the labels that their
charts and operators give them; where none is in the input, any pod of another namespace and any node may be one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ...common.finding import Finding
from ..decide.reference import Decider
from ..flows.ends import serves, target_intervals
from ..model.objects import ALLOW, Model, Pod, PodsPeer, Policy, Service, ServicePort
from ..model.routes import Backend, Route
from .finding import names, on
from .parts import matches_port, opening

_OPENSHIFT = "ingresscontroller.operator.openshift.io/deployment-ingresscontroller"
#: Labels, whatever their value, and values of C(app.kubernetes.io/name) that pods of controllers have.
_LABELS = (_OPENSHIFT, "gateway.networking.k8s.io/gateway-name", "gateway.envoyproxy.io/owning-gateway-name")
_NAMES = (
    "contour",
    "haproxy-ingress",
    "ingress-nginx",
    "istio-ingressgateway",
    "kong",
    "kubernetes-ingress",
    "nginx-gateway-fabric",
    "nginx-ingress",
    "traefik",
)


class Lead(NamedTuple):
    """One route to one workload.

    Attributes:
        route: the route.
        service: the Service that it leads to.
        pod: a pod behind that.
        protocol: TCP, UDP or SCTP.
        port: the pod's port.
        source: the controller's full name, empty when none is in the input.
        allowed: whether some controller may come in.
        policy: full name of a policy that cuts it.
        reason: for people, why it is cut.
    """

    route: Route
    service: Service
    pod: Pod
    protocol: str
    port: int
    source: str
    allowed: bool
    policy: str = ""
    reason: str = ""

    def as_dict(self) -> dict[str, object]:
        return {
            "route": self.route.full_name,
            "service": f"{self.service.namespace}/{self.service.name}",
            "from": self.source,
            "to": self.pod.workload_name,
            "protocol": self.protocol,
            "ports": str(self.port),
            "allowed": self.allowed,
            "policy": self.policy,
            "reason": self.reason,
        }

    def __str__(self) -> str:
        word = "open" if self.allowed else f"cut: {self.reason}"
        return f"{self.route.full_name} -> {self.pod.workload_name} on {self.protocol} {self.port}: {word}"


def is_controller(pod: Pod, route: Route) -> bool:
    """Whether a pod is one through which requests of a route come."""
    if route.kind == "Route":
        return _OPENSHIFT in pod.labels
    return (
        any(label in pod.labels for label in _LABELS)
        or pod.labels.get("app.kubernetes.io/name") in _NAMES
        or pod.labels.get("istio") == "ingressgateway"
    )


def routed(model: Model, pod: Pod) -> Iterator[tuple[Route, Service]]:
    """Routes that lead to a pod, and by which Service."""
    for route in model.routes:
        for backend in route.backends:
            for service in model.services:
                if (service.namespace, service.name) == backend[:2] and serves(service, pod):
                    yield route, service


def leads(decider: Decider) -> Iterator[Lead]:
    """Every route to every workload behind it."""
    model = decider.model
    services = {(service.namespace, service.name): service for service in model.services}
    for route in model.routes:
        controllers = [pod for pod in model.running if is_controller(pod, route)]
        told: set[tuple[str, str, int]] = set()
        for backend in route.backends:
            service = services.get((backend.namespace, backend.service))
            if service is None:
                continue
            for pod in model.running:
                for entry in _entries(service, backend) if serves(service, pod) else ():
                    for protocol, port, _last in target_intervals(entry, pod):
                        key = (pod.workload_name, protocol, port)
                        if key not in told:
                            told.add(key)
                            yield _lead(decider, Lead(route, service, pod, protocol, port, "", True), controllers)


def _entries(service: Service, backend: Backend) -> list[ServicePort]:
    """Ports of a Service that a route asks for; OpenShift's may name the pod's port instead."""
    if backend.port is None:
        return list(service.ports)
    return [entry for entry in service.ports if str(backend.port) in (entry.name, str(entry.number), str(entry.target))]


def _lead(decider: Decider, lead: Lead, controllers: Sequence[Pod]) -> Lead:
    if not controllers:
        return _of_stranger(decider, lead)
    cut = lead
    for controller in controllers:
        verdict = decider.decide(controller, lead.pod, lead.protocol, lead.port)
        if verdict.allowed or verdict.undetermined:
            return lead._replace(source=controller.full_name)
        decision = verdict.decisive
        if decision is not None:
            cut = lead._replace(
                source=controller.full_name, allowed=False, policy=decision.policy, reason=decision.reason
            )
    return cut


def _of_stranger(decider: Decider, lead: Lead) -> Lead:
    """Whether somebody who is not in the input might come in."""
    selecting = decider.selecting(lead.pod, "ingress")
    isolating = [policy for policy in selecting if policy.isolates_ingress]
    if not isolating:
        return lead
    for policy in opening(selecting):
        for rule in policy.ingress:
            if (
                rule.action == ALLOW
                and matches_port(rule.ports, lead.protocol, lead.port, lead.pod)
                and (rule.peers is None or any(_may_be_stranger(decider, peer) for peer in rule.peers))
            ):
                return lead
    isolate = "isolates" if len(isolating) == 1 else "isolate"
    reason = (
        f"{names([policy.full_name for policy in isolating])} {isolate} {lead.pod.full_name} for ingress, and no rule"
        f" lets in anybody from outside its namespace on {lead.protocol} {lead.port}"
    )
    return lead._replace(allowed=False, policy=isolating[0].full_name, reason=reason)


def _may_be_stranger(decider: Decider, peer: object) -> bool:
    """Whether a peer may be about pods that are not in the input, or nodes; one whose pods are there is about those."""
    if not isinstance(peer, PodsPeer) or peer.namespaces is not None:
        return True
    return not any(decider.selects(peer, pod) for pod in decider.model.running)


def check_routes(decider: Decider, policies: Sequence[Policy]) -> Iterator[Finding]:
    """Findings C(cuts-route)."""
    by_name = {policy.full_name: policy for policy in policies}
    for lead in leads(decider):
        if not lead.allowed:
            who = lead.source or "any controller that is not in the input"
            origin = by_name[lead.policy].origin if lead.policy in by_name else None
            yield on(
                lead.policy,
                "cuts-route",
                "warning",
                f"cuts {lead.route.full_name} off: {lead.pod.workload_name} does not let in {who} on {lead.protocol}"
                f" {lead.port}",
                "allow ingress from the controller's pods, or its nodes where it is on the host network",
                origin.source if origin else "",
                origin.line if origin else None,
            )
