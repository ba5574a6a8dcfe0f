"""Whether a pod can come that some peers hold and others do not, against looking at every pod that could."""

from __future__ import annotations

from itertools import combinations

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.decide.regions import ANYONE, Regions
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.model.objects import (
    NAMESPACE_NAME_LABEL,
    Model,
    Namespace,
    PodsPeer,
)
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.model.selectors import (
    EVERYTHING,
    EXISTS,
    IN,
    NOT_IN,
    Requirement,
    Selector,
)

from ..lint.test_rules import OBJECTS, REQUIREMENTS

#: Some of each form: enough for every way in which two of them meet.
FEW = [one for one in REQUIREMENTS if one.key == "app" or one.values in ((), ("a",))]


def pods(*requirements: Requirement) -> PodsPeer:
    return PodsPeer(EVERYTHING, Selector(requirements))


@pytest.mark.parametrize("first", FEW, ids=str)
def test_a_pod_can_come_that_meets_one_requirement_and_misses_others(first: Requirement) -> None:
    regions = Regions(Model())
    for outside in [(), *combinations(FEW, 1), *combinations(FEW, 2)]:
        found = any(first.matches(one) and not any(other.matches(one) for other in outside) for one in OBJECTS)
        assert regions.exists(pods(first), [pods(other) for other in outside]) is found, outside


@pytest.mark.parametrize("first", FEW, ids=str)
def test_a_pod_can_come_that_meets_two_requirements_and_misses_both_of_another_peer(first: Requirement) -> None:
    regions = Regions(Model())
    for second, third in combinations(FEW, 2):
        inside = [one for one in OBJECTS if first.matches(one) and second.matches(one)]
        found = any(not (third.matches(one) and second.matches(one)) for one in inside)
        assert regions.exists(pods(first, second), [pods(third, second)]) is found, (second, third)


def named(operator: str, *names: str) -> Requirement:
    return Requirement(NAMESPACE_NAME_LABEL, operator, names)


OPS, DEV = Requirement("team", IN, ("ops",)), Requirement("team", IN, ("dev",))
ANY_TEAM, NOT_OPS = Requirement("team", EXISTS, ()), Requirement("team", NOT_IN, ("ops",))
PROD, NOT_PROD, NEW = named(IN, "prod"), named(NOT_IN, "prod"), named(IN, "new")


@pytest.mark.parametrize(
    ("inside", "outside", "exists"),
    [
        pytest.param([PROD], [], True, id="a-namespace-that-is-there"),
        pytest.param([PROD, OPS], [], True, id="with-a-label-that-it-has"),
        pytest.param([PROD, DEV], [], False, id="with-a-label-that-it-has-not"),
        pytest.param([PROD], [[OPS]], False, id="but-for-a-label-that-it-has"),
        pytest.param([PROD], [[DEV]], True, id="but-for-a-label-that-it-has-not"),
        pytest.param([PROD], [[NOT_OPS]], True, id="but-for-a-label-other-than-its-own"),
        pytest.param([PROD], [[ANY_TEAM]], False, id="but-for-a-key-that-it-has"),
        pytest.param([PROD], [[OPS, NOT_PROD]], True, id="but-for-what-others-are-too"),
        pytest.param([NEW], [[OPS]], True, id="a-new-one-may-have-no-label"),
        pytest.param([NEW, OPS], [[DEV]], True, id="a-new-one-may-have-any-label"),
        pytest.param([NEW, OPS], [[ANY_TEAM]], False, id="a-new-one-may-not-have-and-not-have-a-label"),
        pytest.param([OPS], [[PROD]], True, id="another-may-have-that-label"),
        pytest.param([OPS], [[NOT_PROD]], True, id="one-has-that-label"),
        pytest.param([DEV], [[NOT_PROD]], False, id="none-but-others-has-that-label"),
        pytest.param([DEV], [[NEW]], True, id="another-than-the-new-one-may-come"),
        pytest.param([], [[PROD], [NEW]], True, id="any-other"),
        pytest.param([], [[PROD], [NOT_PROD]], False, id="neither-one-nor-another"),
        pytest.param([], [[named(EXISTS)]], False, id="without-a-name"),
        pytest.param([NOT_PROD], [[named(NOT_IN, "prod", "new")]], True, id="the-new-one-alone"),
        pytest.param([PROD, NEW], [], False, id="of-two-names"),
    ],
)
def test_a_namespace_is_one_that_is_there_or_a_new_one(
    inside: list[Requirement], outside: list[list[Requirement]], exists: bool
) -> None:
    model = Model(namespaces={"prod": Namespace("prod", {NAMESPACE_NAME_LABEL: "prod", "team": "ops"})})
    peers = [PodsPeer(Selector(tuple(one)), EVERYTHING) for one in (inside, *outside)]
    assert Regions(model).exists(peers[0], peers[1:]) is exists


def test_the_own_namespace_of_a_peer_is_a_name_as_well() -> None:
    model = Model(namespaces={"prod": Namespace("prod", {NAMESPACE_NAME_LABEL: "prod", "team": "ops"})})
    own, ops = PodsPeer(None, EVERYTHING, "prod"), PodsPeer(Selector((OPS,)), EVERYTHING)
    assert not Regions(model).exists(own, [ops])
    assert Regions(model).exists(ops, [own])


def test_a_label_of_a_pod_is_none_of_its_namespace() -> None:
    regions = Regions(Model())
    assert regions.exists(PodsPeer(Selector((OPS,)), Selector((DEV,))))
    assert regions.exists(PodsPeer(Selector((OPS,)), EVERYTHING), [PodsPeer(EVERYTHING, Selector((OPS,)))])
    assert not regions.exists(PodsPeer(Selector((OPS,)), Selector((DEV,))), [PodsPeer(EVERYTHING, Selector((DEV,)))])


def test_nobody_is_left_beside_everyone() -> None:
    assert not Regions(Model()).exists(ANYONE, [ANYONE])
    assert not Regions(Model()).exists(pods(REQUIREMENTS[0]), [pods(REQUIREMENTS[1]), ANYONE])
