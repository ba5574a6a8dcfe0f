# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All checks of policies; every finding has a stable code, docs/network-policy-semantics.md lists them.

Each subject has a file: single peers, single ports, rules against each other, pods, traffic that clusters live on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...common.finding import Finding
from ..decide.engine import Engine
from ..decide.reference import Decider
from ..decide.universe import Universe
from ..errors import Cause, Problem
from ..flows.ends import unknown_endpoints
from ..model.objects import DENY, Model, Options, Policy
from .dns import check_dns, dns_intervals
from .finding import MAX_NAMES, about, names, on
from .hints import single_family
from .peers import PeerChecks
from .pods import check_pods
from .ports import PortChecks
from .routes import check_routes
from .rules import check_rules
from .traffic import check_traffic


def lint(model: Model, policies: Sequence[Policy], options: Options) -> list[Finding]:
    """Findings, sorted by severity, then object.

    Args:
        model: what there is.
        policies: the policies in force.
        options: answers to what is left to implementations.
    """
    found: list[Finding] = []
    found.extend(_problems(model))
    if policies and not model.pods:
        # That each policy selects nothing would be said of every one of them.
        said = f"the input has {len(policies)} policies and no pod or workload: what they do cannot be told"
        found.append(on("input", "no-workloads", "warning", said, "add the workloads to the input", "", None))
        return _sorted(found)
    universe = Universe(model, [policies], options, dns_intervals(model))
    engine = Engine(universe, policies)
    peers, ports = PeerChecks(universe), PortChecks(universe)
    for policy in policies:
        found.extend(_policy(policy, universe, peers, ports))
    found.extend(check_rules(policies, universe))
    found.extend(check_pods(engine))
    found.extend(check_dns(policies, engine))
    found.extend(check_routes(Decider(model, policies, options), policies) if model.routes else ())
    # Where a policy opens a Service's port instead of the pod's, that is the one thing to say.
    moved = {finding.item for finding in found if finding.code == "service-port"}
    found.extend(check_traffic(model, policies, engine, moved))
    found.extend(_services(model))
    return _sorted(found)


def _problems(model: Model) -> Iterator[Finding]:
    """What the reader warned about. A file that repeats many objects of others is told once."""
    replaced: dict[str, list[Problem]] = {}
    for problem in model.problems:
        if problem.severity != "warning":
            continue
        if problem.cause is Cause.UNKNOWN_FIELD:
            said = f"{problem.path}: {problem.message}"
            place = problem.source, problem.line
            yield on(problem.object, "unknown-field", "error", said, problem.hint, *place)
        else:
            replaced.setdefault(problem.source, []).append(problem)
    for problems in replaced.values():
        several = len(problems) > MAX_NAMES
        for problem in problems[:1] if several else problems:
            said = f"{problem.path}: {problem.message}"
            if several:
                listed = names(list(dict.fromkeys(one.object for one in problems)))
                said = f"{len(problems)} objects of this file replace others of the same name ({listed}): {said}"
            yield on(problem.object, "duplicate-object", "error", said, problem.hint, problem.source, problem.line)


def _services(model: Model) -> Iterator[Finding]:
    for service in model.services:
        if service.selector is None and not model.endpoints.get(service.key):
            yield on(
                f"Service {service.namespace}/{service.name}",
                "service-without-selector",
                "info",
                unknown_endpoints(service),
                "add its EndpointSlice to the input",
                service.origin.source,
                service.origin.line,
            )


def _sorted(found: list[Finding]) -> list[Finding]:
    order = {"error": 0, "warning": 1, "info": 2}
    return sorted(dict.fromkeys(found), key=lambda f: (order[f.severity], f.item, f.code, f.message))


def _policy(policy: Policy, universe: Universe, peers: PeerChecks, ports: PortChecks) -> Iterator[Finding]:
    subject = universe.pods(policy.subject)
    if not subject:
        on_host = peers.on_host(policy.subject)
        if on_host:
            said = f"selects only pods on the host network ({names(on_host)}), for which policies do not hold"
            yield about(policy, "host-network-subject", "warning", said, "guard nodes by their firewall")
        elif not peers.may_be_operated(policy.subject):
            said = f"selects no pod ({peers.told(policy.subject)})"
            yield about(policy, "selects-nothing", "warning", said, peers.near(policy.subject))
    for direction in policy.ignored:
        yield about(
            policy,
            "ignored-rules",
            "warning",
            f"its {direction} rules are not in force: policyTypes has no {direction.capitalize()}",
            f"add {direction.capitalize()} to policyTypes, or remove the rules",
        )
    yield from _families(policy, universe)
    for direction in ("ingress", "egress"):
        for rule in policy.rules(direction):
            where = f"{direction} rule {rule.index}"
            apart = peers.apart(rule.peers or ())
            for peer in rule.peers or ():
                for found in [apart[peer]] if peer in apart else peers.of(peer):
                    yield about(policy, found.code, found.severity, f"{where}: {found.message}", found.hint)
            if rule.ports and subject:
                yield from ports.check(policy, rule, direction, subject, where)


def _families(policy: Policy, universe: Universe) -> Iterator[Finding]:
    """The world of one family opened, where pods have addresses of both."""
    if universe.model.assumed_families != {4, 6}:
        return
    for direction in ("ingress", "egress"):
        rules = [rule for rule in policy.rules(direction) if rule.action != DENY]
        family = single_family([peer for rule in rules for peer in rule.peers or ()])
        if family and not any(rule.peers is None for rule in rules):
            yield about(
                policy,
                "one-family",
                "warning",
                f"{direction} opens the addresses of IPv{family} and none of IPv{10 - family}, and pods have both",
                f"add a block of IPv{10 - family} ({'::/0' if family == 4 else '0.0.0.0/0'}) if both are meant",
            )
