# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of the ports of single rules against those that pods and Services have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...common.finding import Finding
from ...common.words import nearest
from ..decide.universe import Universe, bit_indices
from ..flows.ends import serves, target_intervals
from ..model.objects import PodsPeer, Policy, PortRule, Rule, Service
from .finding import about, names
from .hints import moved_ports


class PortChecks:
    """Looks at the ports of rules."""

    def __init__(self, universe: Universe) -> None:
        self.model = universe.model
        self.universe = universe
        self._declared: dict[int, set[tuple[str, int]]] = {}
        self._names: dict[int, set[tuple[str, str]]] = {}

    def check(self, policy: Policy, rule: Rule, direction: str, subject: int, where: str) -> Iterator[Finding]:
        """What is found of a rule's ports at the pods that it is about; C(subject) are the classes of the policy's."""
        targets = subject
        if direction == "egress":
            targets = 0
            for peer in rule.peers or ():
                if isinstance(peer, PodsPeer):
                    targets |= self.universe.pods(peer)
            if rule.peers is None:
                targets = self.universe.every_pod & ~self.universe.host
        if not targets:
            return
        for port in rule.ports or ():
            if port.name:
                here = {pair for number in bit_indices(targets) for pair in self._port_names(number)}
                others = sorted({protocol for name, protocol in here if name == port.name})
                if others and port.protocol not in ("", *others):
                    yield about(
                        policy,
                        "named-port-protocol",
                        "warning",
                        f"{where}: names port {port}, which is {' and '.join(others)} on the pods that it is about",
                        f"write protocol: {others[0]}",
                    )
                elif not others:
                    known = sorted({name for name, _protocol in here})
                    near = nearest(port.name, known)
                    hint = f"did you mean {near!r}?" if near else "named ports there: " + (", ".join(known) or "none")
                    yield about(
                        policy,
                        "named-port-missing",
                        "warning",
                        f"{where}: no pod that it is about has a port {port}",
                        hint,
                    )
            elif direction == "ingress" and port.last - port.first < 1000:
                classes = bit_indices(targets)
                declared = [self._ports_of(c) for c in classes]
                if all(declared) and not any(
                    protocol == port.protocol and port.first <= number <= port.last
                    for ports in declared
                    for protocol, number in ports
                ):
                    moved = self._moved(port, classes)
                    if moved is not None:
                        service, target = moved
                        yield about(
                            policy,
                            "service-port",
                            "warning",
                            f"{where}: {port} is the port of Service {service.namespace}/{service.name}, which leads to"
                            f" {target}; policies see the pod's port",
                            f"write port: {target}",
                        )
                        continue
                    if self._leads_to(port, classes):
                        continue
                    known_ports = sorted({f"{number}/{protocol}" for ports in declared for protocol, number in ports})
                    yield about(
                        policy,
                        "port-not-declared",
                        "warning",
                        f"{where}: no container that it selects declares port {port}",
                        f"they declare {names(known_ports)}",
                    )

    def _moved(self, port: PortRule, classes: Sequence[int]) -> tuple[Service, int] | None:
        """The Service that has a port and leads it to another of a pod."""
        for number in classes:
            for service, entry, target in moved_ports(self.model, self.universe.members[number][0]):
                if entry.protocol == port.protocol and port.first <= entry.number <= port.last:
                    return service, target
        return None

    def _leads_to(self, port: PortRule, classes: Sequence[int]) -> bool:
        """Whether a Service leads to a port that no container declares, as one that is set by an argument."""
        for number in classes:
            pod = self.universe.members[number][0]
            for service in self.model.services:
                for entry in service.ports if serves(service, pod) else ():
                    for protocol, target, _last in target_intervals(entry, pod):
                        if protocol == port.protocol and port.first <= target <= port.last:
                            return True
        return False

    def _ports_of(self, number: int) -> set[tuple[str, int]]:
        """What the pods of a class declare; nothing where one of them does not say."""
        found = self._declared.get(number)
        if found is None:
            members = self.universe.members[number]
            said = all(pod.ports for pod in members)
            found = {(port.protocol, port.number) for pod in members for port in pod.ports if said}
            self._declared[number] = found
        return found

    def _port_names(self, number: int) -> set[tuple[str, str]]:
        found = self._names.get(number)
        if found is None:
            found = {
                (port.name, port.protocol) for pod in self.universe.members[number] for port in pod.ports if port.name
            }
            self._names[number] = found
        return found
