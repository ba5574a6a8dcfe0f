"""What the values say of themselves: names, ports, who isolates, where a pod's address may lie."""

from __future__ import annotations

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.errors import Problem
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.model.addresses import WHOLE, Range
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.model.left_out import OTHER_POLICY, LeftOut
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.model.objects import (
    NAMESPACED,
    BlockPeer,
    Model,
    Namespace,
    Node,
    Options,
    Origin,
    Pod,
    PodsPeer,
    Policy,
    PortRule,
    Rule,
    Service,
)
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.model.routes import Route
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.model.selectors import EVERYTHING

SUBJECT = PodsPeer(None, EVERYTHING, "prod")
TEN = Range(4, 10 << 24, (11 << 24) - 1)


@pytest.mark.parametrize(
    ("origin", "text"),
    [(Origin("a.yaml", 2, 7), "a.yaml:7"), (Origin("a.yaml", 1, None), "a.yaml"), (Origin(), "")],
    ids=["a-line", "no-line", "nowhere"],
)
def test_an_origin_is_told_with_its_line_where_it_has_one(origin: Origin, text: str) -> None:
    assert str(origin) == text


def test_a_pod_has_its_own_name_and_a_template_that_of_its_workload() -> None:
    pod = Pod("prod", "web-1", {}, "Deployment", "web")
    assert (pod.full_name, pod.workload_name) == ("prod/web-1", "prod/Deployment/web")
    template = Pod("prod", "web", {}, "Deployment", "web", template=True)
    assert template.full_name == "prod/Deployment/web"
    assert Pod("prod", "bare", {}).workload_name == "prod/Pod/bare"


def test_pods_are_equal_wherever_they_were_written() -> None:
    """Labels cannot be hashed, and the origin says nothing of the pod."""
    first = Pod("prod", "web", {"app": "web"}, origin=Origin("a.yaml", line=1))
    second = Pod("prod", "web", {"app": "web"}, origin=Origin("b.yaml", line=9))
    assert len({first, second}) == 1
    assert len({first, Pod("prod", "web", {"app": "other"})}) == 2


def test_what_is_not_said_of_a_pod() -> None:
    """It is one, on a network of its own, runs, and the first object of its text."""
    pod = Pod("prod", "web", {})
    assert (pod.replicas, pod.host_network, pod.template, pod.finished) == (1, False, False, False)
    assert pod.origin == Origin("", 1, None)


def test_what_is_not_said_of_a_policy() -> None:
    """It comes first, isolates nothing, and is the same policy wherever it was written."""
    policy = Policy("NetworkPolicy", "prod", "p", NAMESPACED, SUBJECT)
    assert policy == Policy("NetworkPolicy", "prod", "p", NAMESPACED, SUBJECT, 0, False, False)
    assert policy == Policy("NetworkPolicy", "prod", "p", NAMESPACED, SUBJECT, origin=Origin("b.yaml", line=9))
    assert Namespace("prod", {}) == Namespace("prod", {}, True, Origin("b.yaml", line=9))
    assert Service("prod", "web", {}) == Service("prod", "web", {}, origin=Origin("b.yaml", line=9))


def test_blocks_hold_pods_and_policies_leave_the_host_network_alone_where_nothing_is_chosen() -> None:
    assert Options() == Options(block_matches_pods=True, policies_select_host_network=False)


@pytest.mark.parametrize(
    ("port", "text"),
    [
        (PortRule("TCP"), "TCP"),
        (PortRule("TCP", 80, 80), "80/TCP"),
        (PortRule("UDP", 80, 90), "80-90/UDP"),
        (PortRule("TCP", 1, 65534), "1-65534/TCP"),
        (PortRule("TCP", 1, 65535), "TCP"),
        (PortRule("TCP", 0, 0, "http"), "http/TCP"),
        (PortRule("", 0, 0, "http"), "http"),
    ],
    ids=["all", "one", "a-range", "all-but-one", "from-first-to-last", "a-name", "a-name-of-any-protocol"],
)
def test_a_port_is_told_as_people_write_it(port: PortRule, text: str) -> None:
    assert str(port) == text


@pytest.mark.parametrize(
    ("block", "by_address", "without"),
    [
        (BlockPeer((TEN,), "10.0.0.0/8"), True, False),
        (BlockPeer((TEN,), "10.0.0.0/8", covers_pods=True), True, True),
        (BlockPeer((TEN,), "10.0.0.0/8", outside_only=True), False, False),
    ],
    ids=["an-ipblock", "networks", "cilium"],
)
def test_whether_a_block_holds_pods(block: BlockPeer, by_address: bool, without: bool) -> None:
    """For an ipBlock it is left to implementations."""
    assert block.matches_pods(Options(block_matches_pods=True)) is by_address
    assert block.matches_pods(Options(block_matches_pods=False)) is without


def test_a_policy_says_of_each_direction_its_rules_and_whether_it_isolates() -> None:
    rules = (Rule(0), Rule(1))
    policy = Policy("NetworkPolicy", "prod", "p", NAMESPACED, SUBJECT, isolates_egress=True, ingress=rules)
    assert (policy.rules("ingress"), policy.rules("egress")) == (rules, ())
    assert (policy.isolates("ingress"), policy.isolates("egress")) == (False, True)
    assert policy.full_name == "NetworkPolicy prod/p"
    assert Policy("AdminNetworkPolicy", "", "a", "admin", SUBJECT).full_name == "AdminNetworkPolicy a"


def test_a_rule_that_was_read_as_several_is_told_by_none_of_them() -> None:
    parts = (Rule(0), Rule(1), Rule(1, unsure="fromServices"))
    policy = Policy("CiliumNetworkPolicy", "prod", "c", NAMESPACED, SUBJECT, ingress=parts)
    assert policy.in_parts("ingress") == {1}
    assert not policy.in_parts("egress")


def test_policies_of_one_priority_stand_by_name() -> None:
    order = [
        Policy("AdminNetworkPolicy", "", name, "admin", SUBJECT, priority)
        for name, priority in (("b", 5), ("a", 5), ("z", 1))
    ]
    assert [policy.name for policy in sorted(order, key=lambda policy: policy.order)] == ["z", "a", "b"]


def test_pods_that_have_run_to_their_end_take_no_part() -> None:
    model = Model(pods=[Pod("prod", "web", {}), Pod("prod", "job", {}, finished=True)])
    assert [pod.name for pod in model.running] == ["web"]


@pytest.mark.parametrize(
    ("model", "whole"),
    [
        (Model(), False),
        (Model(nodes=[Node("n", {})]), True),
        (Model(namespaces={name: Namespace(name, {}) for name in ("default", "kube-system", "prod")}), True),
        (Model(namespaces={name: Namespace(name, {}) for name in ("default", "kube-system")}), True),
        (Model(namespaces={name: Namespace(name, {}) for name in ("default", "prod")}), False),
        (Model(namespaces={name: Namespace(name, {}, False) for name in ("default", "kube-system")}), False),
    ],
    ids=[
        "nothing",
        "a-node",
        "what-every-cluster-has",
        "nothing-else",
        "namespaces-of-ones-own",
        "namespaces-that-are-implied",
    ],
)
def test_an_input_seems_to_be_a_whole_cluster(model: Model, whole: bool) -> None:
    assert model.is_whole is whole


@pytest.mark.parametrize(
    ("pods", "ranges", "families"),
    [
        ([], (), {4}),
        ([], (WHOLE[6],), {6}),
        ([Pod("prod", "web", {}, addresses=((4, 1), (6, 1)))], (WHOLE[6],), {4, 6}),
    ],
    ids=["ipv4-where-nothing-is-known", "those-of-the-ranges", "those-of-other-pods-first"],
)
def test_families_that_a_pod_without_an_address_is_taken_to_have(
    pods: list[Pod], ranges: tuple[Range, ...], families: set[int]
) -> None:
    assert Model(pods=pods, pod_ranges=ranges).assumed_families == families


def test_an_address_that_is_not_known_lies_in_the_ranges_of_pods_or_nodes_or_anywhere() -> None:
    node = Node("n", {}, addresses=((4, 7), (6, 9)))
    model = Model(nodes=[node], pod_ranges=(TEN,))
    assert model.possible_addresses(4, on_host=False) == (TEN,)
    assert model.possible_addresses(6, on_host=False) == (WHOLE[6],)
    assert model.possible_addresses(4, on_host=True) == (Range(4, 7, 7),)
    assert model.possible_addresses(0, on_host=False) == (TEN,)
    assert Model().possible_addresses(0, on_host=True) == (WHOLE[4],)


def test_notes_count_what_the_answers_leave_out() -> None:
    model = Model(not_analysed=[LeftOut("CalicoTier", 2, OTHER_POLICY)], skipped={"of another API": 3, "empty": 1})
    assert model.notes == ["not analysed: 2 CalicoTier", "skipped: 1 empty, 3 of another API"]
    assert Model().notes == []
    assert model.not_analysed[0].as_dict() == {"kind": "CalicoTier", "count": 2, "reason": OTHER_POLICY}


def test_a_namespace_that_an_object_implies_has_its_name_as_a_label() -> None:
    model = Model(namespaces={"prod": Namespace("prod", {"team": "ops"})})
    assert model.namespace_labels("prod") == {"team": "ops"}
    assert model.namespace_labels("dev") == {"kubernetes.io/metadata.name": "dev"}


def test_a_route_is_named_by_its_kind() -> None:
    assert Route("Ingress", "prod", "web", ()).full_name == "Ingress prod/web"


def test_errors_are_the_problems_that_are_no_warnings() -> None:
    found = [Problem(severity, "a.yaml", 1, 3, "", "", "text") for severity in ("warning", "error")]
    assert Model(problems=found).errors == found[1:]
