"""The fast engine gives, for every connection, the verdict of the one-at-a-time reference."""

from __future__ import annotations

from typing import Any

from ansible_collections.falconet.k8s.plugins.module_utils.netpol.addresses import Range
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.engine import Engine
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.model import Model, Options, Policy
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.reference import Endpoint, decide
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.universe import Universe
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .clusters import NUMBERS, PROTOCOLS, build, objects

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
    engine = Engine(universe, policies)
    found = []
    for to, destination in endpoints(universe):
        row = engine.row(to)
        for start, source in endpoints(universe):
            if source is destination or (isinstance(source, Range) and isinstance(destination, Range)):
                continue
            mask = next((mask for mask, sources in row.items() if sources >> start & 1), 0)
            for protocol in PROTOCOLS:
                for port in PORTS:
                    verdict = decide(model, policies, source, destination, protocol, port, options)
                    fast = bool(mask & universe.ports.mask(protocol, port, port))
                    if fast != verdict.allowed:
                        found.append(f"{source} -> {destination} {protocol} {port}: fast {fast}, {verdict}")
    return found


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(objects(), st.builds(Options, st.booleans(), st.booleans()))
def test_the_engine_agrees_with_the_reference(manifests: list[dict[str, Any]], options: Options) -> None:
    model = build(manifests)
    assert disagreements(model, model.policies, options) == []
