"""What an engine says of one direction, and of a row without some policies and rules, is what a smaller one says."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.decide.engine import Dropped, Engine
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.decide.rows import Row, intersect
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.decide.universe import Universe

from ..clusters import build
from ..lint.test_lint import admin, pod, policy
from ..read.test_cilium import cilium

BLOCK = "{ipBlock: {cidr: 10.0.0.0/30}}"
CLUSTER: list[dict[str, Any]] = [
    pod("web", ip="10.0.0.1"),
    pod("db", ip="10.0.0.5"),
    pod("new"),
    policy("{podSelector: {}, policyTypes: [Ingress]}", "closed"),
    policy(
        f"{{podSelector: {{matchLabels: {{app: db}}}}, ingress: [{{from: [{BLOCK}]}}, {{ports: [{{port: 53}}]}}]}}",
        "in",
    ),
    policy(
        "{podSelector: {matchLabels: {app: web}}, egress: [{ports: [{port: 53}]}, {to: [{podSelector: {}}]}]}", "out"
    ),
    admin(
        "egress: [{action: Deny, to: [{networks: [10.0.0.4/30]}], ports: [{portNumber: {protocol: TCP, port: 80}}]}]",
        "a",
    ),
]


def narrowed(row: Row, among: int) -> Row:
    return {mask: sources & among for mask, sources in row.items() if sources & among}


def test_a_row_without_something_is_that_of_an_engine_that_never_had_it() -> None:
    model = build(CLUSTER)
    universe = Universe(model, [model.policies])
    engine = Engine(universe, model.policies)
    tried = 0
    for one in model.policies:
        smaller = [(Dropped().also(one), [other for other in model.policies if other is not one])]
        for direction in ("ingress", "egress"):
            for rule in one.rules(direction):
                kept: dict[str, Any] = {direction: tuple(other for other in one.rules(direction) if other is not rule)}
                changed = [replace(other, **kept) if other is one else other for other in model.policies]
                smaller.append((Dropped().also(one, rule), changed))
        for dropped, policies in smaller:
            other = Engine(universe, policies)
            for destination in range(universe.size):
                for among in (universe.everyone, 1, 1 << universe.pod_classes, 0):
                    expected = narrowed(other.row(destination), among)
                    assert narrowed(engine.row_without(destination, dropped, among), among) == expected
                    tried += expected != narrowed(engine.row(destination), among)
    assert tried > 5


def test_several_things_are_left_out_together() -> None:
    model = build(CLUSTER)
    universe = Universe(model, [model.policies])
    closed, inward, out, above = model.policies
    dropped = Dropped().also(closed).also(inward, inward.ingress[0]).also(out).also(above, above.egress[0])
    other = Engine(universe, [replace(inward, ingress=inward.ingress[1:])])
    engine = Engine(universe, model.policies)
    for destination in range(universe.size):
        assert engine.row_without(destination, dropped, universe.everyone) == other.row(destination)


def test_both_directions_make_a_row() -> None:
    model = build(CLUSTER)
    universe = Universe(model, [model.policies])
    engine = Engine(universe, model.policies)
    differ = 0
    for destination in range(universe.size):
        ingress, egress = (engine.one_way(destination, one) for one in ("ingress", "egress"))
        assert intersect(ingress, egress) == engine.row(destination)
        assert engine.one_way(destination, "ingress") == ingress
        differ += ingress != egress
    assert differ


def test_who_is_isolated() -> None:
    model = build(CLUSTER)
    universe = Universe(model, [model.policies])
    web = next(number for number, members in enumerate(universe.members) if members[0].name == "web")
    engine = Engine(universe, model.policies)
    assert engine.isolated("ingress") == universe.every_pod
    assert engine.isolated("egress") == 1 << web
    of_others = [one for one in model.policies if one.name != "closed" and one.name != "out"]
    assert Engine(universe, of_others).isolated("egress") == 0
    assert not Engine(universe, of_others).isolated("ingress") >> web & 1


HTTP = "{endpointSelector: {}, ingress: [{toPorts: [{ports: [{port: '80'}], rules: {http: [{method: GET}]}}]}]}"


@pytest.mark.parametrize(
    ("manifests", "determined"),
    [
        pytest.param([pod("web")], True, id="nothing"),
        pytest.param(
            [pod("web"), policy("{podSelector: {}, ingress: [{from: [{podSelector: {}}]}]}")], True, id="labels"
        ),
        pytest.param(
            [pod("web"), policy(f"{{podSelector: {{}}, ingress: [{{from: [{BLOCK}]}}]}}")], False, id="an-address"
        ),
        pytest.param(
            [pod("web", ip="10.0.0.1"), policy(f"{{podSelector: {{}}, ingress: [{{from: [{BLOCK}]}}]}}")],
            True,
            id="an-address-that-is-known",
        ),
        pytest.param([pod("web"), cilium(HTTP)], False, id="what-is-not-analysed"),
    ],
)
def test_what_depends_on_something_that_is_not_known(manifests: list[dict[str, Any]], determined: bool) -> None:
    model = build(manifests)
    assert Engine(Universe(model, [model.policies]), model.policies).is_determined is determined
