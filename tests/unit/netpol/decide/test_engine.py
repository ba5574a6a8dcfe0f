"""The fast engine gives, for every connection, the verdict of the one-at-a-time reference."""

from __future__ import annotations

from typing import Any

from ansible_collections.falconet.k8s.plugins.module_utils.netpol.decide.engine import Engine
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.decide.reference import decide
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.decide.rows import add_union, gather, spread, width
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.decide.universe import Universe
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.decide.verdict import Endpoint
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.model.addresses import Range
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.model.objects import Model, Options, Policy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ..clusters import NUMBERS, PROTOCOLS, build, objects, objects_with_cilium

#: The ports where any policy of the random clusters can change its mind, and their neighbours.
PORTS = sorted({n + d for n in NUMBERS for d in (-1, 0, 1)} | {1})
PORTS = [port for port in PORTS if 1 <= port <= 65535]


def endpoints(universe: Universe) -> list[tuple[int, Endpoint]]:
    """One member of every class, two where there are two, so that a class also meets itself."""
    found: list[tuple[int, Endpoint]] = []
    for number, members in enumerate(universe.members):
        found += [(number, pod) for pod in members[:2]]
    for number, ranges in enumerate(universe.outside):
        first: Range = ranges[0]
        found.append((universe.pod_classes + number, Range(first.family, first.first, first.first)))
    return found


def disagreements(model: Model, policies: list[Policy], options: Options) -> list[str]:
    intervals = [(protocol, port, port) for protocol in PROTOCOLS for port in PORTS]
    universe = Universe(model, [policies], options, intervals)
    engine, possible = Engine(universe, policies), Engine(universe, policies, possible=True)
    found = []
    for to, destination in endpoints(universe):
        row, wide = engine.row(to), possible.row(to)
        for start, source in endpoints(universe):
            if source is destination or (isinstance(source, Range) and isinstance(destination, Range)):
                continue
            mask, may = (next((m for m, sources in r.items() if sources >> start & 1), 0) for r in (row, wide))
            for protocol in PROTOCOLS:
                for port in PORTS:
                    verdict = decide(model, policies, source, destination, protocol, port, options)
                    asked = universe.ports.mask(protocol, port, port)
                    fast = (bool(mask & asked), bool(may & ~mask & asked))
                    if fast != (verdict.allowed, verdict.undetermined) or mask & ~may:
                        found.append(f"{source} -> {destination} {protocol} {port}: fast {fast}, {verdict}")
    return found


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(objects(), st.builds(Options, st.booleans(), st.booleans()))
def test_the_engine_agrees_with_the_reference(manifests: list[dict[str, Any]], options: Options) -> None:
    model = build(manifests)
    assert disagreements(model, model.policies, options) == []


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(objects_with_cilium(), st.builds(Options, st.booleans(), st.booleans()))
def test_they_agree_on_policies_of_cilium_and_on_what_of_them_is_not_known(
    manifests: list[dict[str, Any]], options: Options
) -> None:
    model = build(manifests)
    assert disagreements(model, model.policies, options) == []


rows = st.dictionaries(st.integers(1, 255), st.integers(1, 2**20 - 1), max_size=20)


@given(rows)
def test_sets_made_disjoint_keep_every_sources_ports(row: dict[int, int]) -> None:
    split: dict[int, int] = {}
    for mask, sources in row.items():
        add_union(split, mask, sources)
    assert gather(spread(row)) == split
    assert width(split) == len(spread(row))


def test_many_policies_with_ports_of_their_own_are_decided_alike() -> None:
    pods = [
        {"kind": "Pod", "metadata": {"name": f"p{n}", "namespace": "one", "labels": {"app": f"a{n}"}}, "spec": {}}
        for n in range(24)
    ]

    def policy(number: int, direction: str, peer: dict[str, Any], port: int) -> dict[str, Any]:
        side = "from" if direction == "ingress" else "to"
        return {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": f"{direction}-{number}-{port}", "namespace": "one"},
            "spec": {
                "podSelector": {"matchLabels": {"app": f"a{number}"}} if direction == "egress" else {},
                "policyTypes": [direction.capitalize()],
                direction: [{side: [peer], "ports": [{"port": port, "endPort": port + 9}]}],
            },
        }

    everyone: dict[str, Any] = {"podSelector": {}}
    # The last two may go nowhere, though they may come in, the last one on the first ports of all as well.
    nobody: dict[str, Any] = {"podSelector": {"matchLabels": {"app": "none"}}}
    policies = [policy(n, "egress", everyone if n < 22 else nobody, 1000 + 7 * n) for n in range(24)]
    of_each = [(n, {"podSelector": {"matchLabels": {"app": f"a{n}"}}}) for n in range(4, 24)]
    policies += [policy(n, "ingress", peer, 998 + 7 * n) for n, peer in of_each]
    policies.append(policy(23, "ingress", of_each[-1][1], 1))
    model = build([*pods, *policies])
    universe = Universe(model, [model.policies])
    engine = Engine(universe, model.policies)
    edges = sorted({edge for _p, first, last in universe.ports.atoms() for edge in (first, last)})
    for to in (0, 5, 23):
        row = engine.row(to)
        assert len(row) > 8
        for start in range(24):
            if start == to:
                continue
            mask = next((mask for mask, sources in row.items() if sources >> start & 1), 0)
            allowed = {p for protocol, a, b in universe.ports.intervals(mask) for p in edges if a <= p <= b}
            ends = universe.members[start][0], universe.members[to][0]
            assert allowed == {p for p in edges if decide(model, model.policies, *ends, "TCP", p).allowed}
