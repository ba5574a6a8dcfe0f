"""Matrices and differences: grouped, counted, compact and listed forms all say the same."""

from __future__ import annotations

from itertools import product
from typing import Any, cast

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.ask import diff
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.decide.engine import Engine
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.decide.matrix import Groups, Matrix
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.decide.universe import (
    Universe,
    bit_indices,
    from_indices,
)
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.errors import NetpolError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ..clusters import build, objects
from ..lint.test_lint import pod, policy

relaxed = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
Pairs = dict[tuple[str, str], set[tuple[str, int, int]]]


def matrix(manifests: list[dict[str, Any]], by: str) -> Matrix:
    model = build(manifests)
    universe = Universe(model, [model.policies])
    return Matrix(Engine(universe, model.policies), Groups(universe, by, "app"))


def pairs(found: Matrix) -> Pairs:
    """Atoms of ports for each listed pair."""
    result: Pairs = {}
    atoms = list(found.ports.atoms())
    for destination, sources, mask in found.pairs():
        inside = {atom for atom in atoms if mask & found.ports.mask(*atom)}
        for source in sources:
            result.setdefault((source, destination), set()).update(inside)
    return result


@relaxed
@given(objects(), st.sampled_from(["workload", "namespace", "label"]))
def test_a_group_may_do_what_any_two_of_its_pods_may(manifests: list[dict[str, Any]], by: str) -> None:
    pods = matrix(manifests, "pod")
    group = {}
    for members in pods.engine.universe.members:
        for one in members:
            label = f"app={one.labels['app']}" if "app" in one.labels else "!app"
            group[one.full_name] = {"workload": one.workload_name, "namespace": one.namespace, "label": label}[by]
    expected: Pairs = {}
    for (source, destination), ports in pairs(pods).items():
        if source in group and destination in group:
            expected.setdefault((group[source], group[destination]), set()).update(ports)
    found = {
        pair: ports
        for pair, ports in pairs(matrix(manifests, by)).items()
        if not any(c in pair[0] + pair[1] for c in ".:")
    }
    assert found == expected


@relaxed
@given(objects(), st.sampled_from(["pod", "workload", "namespace", "label"]))
def test_counted_compact_and_listed_agree(manifests: list[dict[str, Any]], by: str) -> None:
    found = matrix(manifests, by)
    listed = list(found.connections())
    assert found.count() == len(listed)
    alone = {name for name, single in zip(found.groups.names, found.groups.single) if single}
    expanded: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for item in found.compact():
        sources, destinations = cast("list[str]", item["from"]), cast("list[str]", item["to"])
        for source, destination in product(sources, destinations):
            if source != destination or source not in alone:
                expanded.setdefault((source, destination), set()).add((str(item["protocol"]), str(item["ports"])))
    wanted: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for line in listed:
        wanted.setdefault((line.source, line.destination), set()).add((line.protocol, line.ports))
    inside = set(found.groups.names)
    assert {p: t for p, t in expanded.items() if set(p) <= inside} == {
        p: t for p, t in wanted.items() if set(p) <= inside
    }


@relaxed
@given(objects(), st.integers(0, 3), st.sampled_from(["pod", "workload", "namespace"]))
def test_a_difference_is_what_differs(manifests: list[dict[str, Any]], cut: int, by: str) -> None:
    model = build(manifests)
    before, after = model.policies[:cut], model.policies
    universe = Universe(model, [before, after])
    groups = Groups(universe, by)
    old, new = Matrix(Engine(universe, before), groups), Matrix(Engine(universe, after), groups)
    inside = set(groups.names)

    def texts(one: Matrix) -> dict[tuple[str, str], tuple[tuple[str, str], ...]]:
        return {
            (source, destination): one.ports.texts(mask)
            for destination, sources, mask in one.pairs()
            for source in sources
            if {source, destination} <= inside
        }

    left, right = texts(old), texts(new)
    expected = {
        pair: (left.get(pair, ()), right.get(pair, ())) for pair in {*left, *right} if left.get(pair) != right.get(pair)
    }
    listed = diff.changes(old, new)
    found = {(c.source, c.destination): (c.before, c.after) for c in listed if {c.source, c.destination} <= inside}
    assert found == expected
    counted = diff.count(Matrix(old.engine, groups, outside=False), Matrix(new.engine, groups, outside=False))
    kinds = [change.kind for change in listed if {change.source, change.destination} <= inside]
    assert counted == {kind: kinds.count(kind) for kind in ("gained", "lost", "changed")}


@given(st.lists(st.integers(0, 300)))
def test_sets_of_bits_keep_their_members(numbers: list[int]) -> None:
    assert bit_indices(from_indices(numbers)) == sorted(set(numbers))


@pytest.mark.parametrize(("by", "label"), [("pods", None), ("label", None)])
def test_an_unknown_grouping_is_refused(by: str, label: str | None) -> None:
    universe = Universe(build([]), [[]])
    with pytest.raises(NetpolError):
        Groups(universe, by, label)


CLOSED = policy("{podSelector: {}}", "closed")
IN_DB = policy("{podSelector: {matchLabels: {app: db}}, ingress: [{from: [{podSelector: {matchLabels: {app: web}}}]}]}")
IN_WEB = policy(
    "{podSelector: {matchLabels: {app: web}}, ingress: [{from: [{podSelector: {matchLabels: {app: web}}}]}]}", "w"
)


@pytest.mark.parametrize(
    ("manifests", "lines"),
    [
        pytest.param([pod("web"), pod("db"), CLOSED], [], id="none"),
        pytest.param(
            [pod("web"), pod("db"), CLOSED, IN_DB], [("prod", "prod", "all", "all")], id="between-two-classes"
        ),
        pytest.param([pod("web"), CLOSED, IN_WEB], [], id="a-pod-and-itself"),
        pytest.param(
            [pod("web"), pod("w2", labels={"app": "web"}), CLOSED, IN_WEB],
            [("prod", "prod", "all", "all")],
            id="within-one-class",
        ),
        pytest.param([pod("web"), pod("db"), CLOSED, IN_WEB], [], id="a-pod-and-itself-beside-another"),
    ],
)
def test_a_namespace_reaches_itself_by_two_of_its_pods(
    manifests: list[dict[str, Any]], lines: list[tuple[str, ...]]
) -> None:
    model = build(manifests)
    universe = Universe(model, [model.policies])
    found = Matrix(Engine(universe, model.policies), Groups(universe, "namespace"), outside=False)
    assert [tuple(one) for one in found.connections()] == lines
    assert found.count() == len(lines)
