"""What a policy records: the rules one by one, and many requests at once against the slow reference."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.audit.decide import Recorder
from ansible_collections.falconet.k8s.plugins.module_utils.audit.kubernetes import METHODS, RESOURCES, VERBS
from ansible_collections.falconet.k8s.plugins.module_utils.audit.model import (
    GroupResources,
    Level,
    Policy,
    Request,
    Rule,
)
from ansible_collections.falconet.k8s.plugins.module_utils.audit.reference import decide, matches
from ansible_collections.falconet.k8s.plugins.module_utils.audit.region import ANY_PATH, ANY_RESOURCE, Region
from ansible_collections.falconet.k8s.plugins.module_utils.audit.sets import (
    ALL,
    OPERATORS,
    Check,
    Groups,
    Words,
    but,
    like,
    only,
)
from hypothesis import given
from hypothesis import strategies as st

PODS = Request("create", "alice", frozenset(("people",)), "", "prod", "", "pods", "exec", "web")


def of(*patterns: str, group: str = "", names: tuple[str, ...] = ()) -> Rule:
    return Rule(Level.METADATA, resources=(GroupResources(group, patterns, names),))


@pytest.mark.parametrize(
    ("rule", "matched"),
    [
        (Rule(Level.NONE), True),
        (Rule(Level.NONE, users=("alice",)), True),
        (Rule(Level.NONE, users=("bob",)), False),
        (Rule(Level.NONE, user_groups=("other", "people")), True),
        (Rule(Level.NONE, user_groups=("other",)), False),
        (Rule(Level.NONE, verbs=("get", "create")), True),
        (Rule(Level.NONE, verbs=("get",)), False),
        (Rule(Level.NONE, namespaces=("prod",)), True),
        (Rule(Level.NONE, namespaces=("",)), False),
        (Rule(Level.NONE, urls=("*",)), False),
        (of("pods"), False),
        (of("pods/exec"), True),
        (of("pods/*"), True),
        (of("*/exec"), True),
        (of("*/log"), False),
        (of("*/*"), False),
        (of("*"), True),
        (of(), True),
        (of("*", group="apps"), False),
        (of("pods/exec", names=("web",)), True),
        (of("pods/exec", names=("db",)), False),
    ],
)
def test_a_rule_matches_as_the_api_server_has_it(rule: Rule, matched: bool) -> None:
    assert matches(rule, PODS) is matched


def test_a_star_for_subresources_is_for_none_as_well() -> None:
    assert matches(of("pods/*"), PODS._replace(subresource=""))
    assert not matches(of("*/exec"), PODS._replace(subresource=""))


@pytest.mark.parametrize(
    ("url", "path", "matched"),
    [
        ("/healthz", "/healthz", True),
        ("/healthz", "/healthz/etcd", False),
        ("/healthz*", "/healthz/etcd", True),
        ("*", "/x", True),
        ("/api*", "/version", False),
    ],
)
def test_a_star_at_the_end_of_a_path_stands_for_anything(url: str, path: str, matched: bool) -> None:
    assert matches(Rule(Level.NONE, urls=(url,)), Request("get", path=path)) is matched


def test_the_first_rule_decides_and_its_stages_are_added_to_those_of_the_policy() -> None:
    rules = (Rule(Level.REQUEST, verbs=("create",), omit_stages=("Panic",)), Rule(Level.NONE))
    policy = Policy(rules, ("RequestReceived",))
    assert decide(policy, PODS) == (Level.REQUEST, frozenset(("Panic", "RequestReceived")), 0)
    assert decide(policy, PODS._replace(verb="get")) == (Level.NONE, frozenset(("RequestReceived",)), 1)
    assert decide(Policy(rules[:1]), PODS._replace(verb="get")) == (Level.NONE, frozenset(), None)


CHECKS = [
    Check(operator, text, holds)
    for operator in sorted(OPERATORS)
    for text in ("a", "ab", "b", "A")
    for holds in (True, False)
]
SHORT = ["".join(letters) for length in range(4) for letters in product("abA", repeat=length)]


@pytest.mark.parametrize("one", CHECKS, ids=str)
def test_two_checks_are_against_each_other_only_where_no_word_passes_both(one: Check) -> None:
    for two in CHECKS:
        both = any(one.of(word) and two.of(word) for word in SHORT)
        assert not (both and one.against(two)), two
        if one.operator == two.operator == "startswith" or one == two._replace(holds=not two.holds):
            assert one.against(two) is not both, two
        assert Words(tests=frozenset((one, two))).empty is one.against(two)


CLUSTERS_OWN = (
    "apiservices certificatesigningrequests clusterrolebindings clusterroles clustertrustbundles componentstatuses "
    "csidrivers csinodes customresourcedefinitions flowschemas ingressclasses ipaddresses "
    "mutatingwebhookconfigurations namespaces nodes persistentvolumes priorityclasses prioritylevelconfigurations "
    "runtimeclasses selfsubjectaccessreviews selfsubjectreviews selfsubjectrulesreviews servicecidrs storageclasses "
    "subjectaccessreviews tokenreviews validatingadmissionpolicies validatingadmissionpolicybindings "
    "validatingwebhookconfigurations volumeattachments"
)


def test_what_is_in_no_namespace_is_what_kubectl_api_resources_says() -> None:
    assert sorted(name for name, one in RESOURCES.items() if not one.namespaced) == CLUSTERS_OWN.split()


def some(words: list[str]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(words), max_size=2, unique=True).map(tuple)


USERS = ["", "alice", "bob", "system:anonymous", "system:node:a", "system:serviceaccount:prod:x"]
GROUPS_OF = {
    "system:anonymous": ["system:unauthenticated"],
    "system:node:a": ["system:nodes"],
    "system:serviceaccount:prod:x": ["system:serviceaccounts", "system:serviceaccounts:prod"],
}
OWN_GROUPS = ["people", "admins"]
GROUPS = [
    *OWN_GROUPS,
    "system:nodes",
    "system:unauthenticated",
    "system:serviceaccounts",
    "system:serviceaccounts:prod",
]
PATTERNS = ["*", "pods", "pods/*", "pods/exec", "*/exec", "*/*", "pods/", "*/", "deployments", "exec"]
PATHS = ["/", "/healthz", "/healthz/etcd", "/api", "/version"]
URLS = ["*", "/", "/healthz", "/healthz*", "/api*", "/version"]
STAGES = ["RequestReceived", "ResponseStarted", "ResponseComplete", "Panic"]
NAMESPACES, NAMES = ["", "prod", "dev"], ["", "web", "db"]
ENTRIES = st.builds(GroupResources, st.sampled_from(["", "apps"]), some(PATTERNS), some(NAMES[1:]))


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    parts: dict[str, Any] = {
        "namespaces": draw(some(NAMESPACES)),
        "resources": draw(st.lists(ENTRIES, max_size=2).map(tuple)),
    }
    if draw(st.booleans()):
        parts = {"urls": draw(some(URLS))}
    verbs = draw(some(["get", "create", "watch", "post"]))
    asked = (draw(some(USERS[1:])), draw(some(GROUPS)), verbs)
    return Rule(draw(st.sampled_from(Level)), *asked, omit_stages=draw(some(STAGES)), **parts)


@st.composite
def requests(draw: st.DrawFn) -> Request:
    user = draw(st.sampled_from(USERS))
    groups = frozenset((*GROUPS_OF.get(user, ()), *draw(some(OWN_GROUPS))))
    if draw(st.booleans()):
        return Request(draw(st.sampled_from(METHODS)), user, groups, draw(st.sampled_from(PATHS)))
    return Request(
        draw(st.sampled_from(VERBS)), user, groups, "", draw(st.sampled_from(NAMESPACES)),
        draw(st.sampled_from(["", "apps"])), draw(st.sampled_from(["pods", "deployments", "exec", "*"])),
        draw(st.sampled_from(["", "exec", "log"])), draw(st.sampled_from(NAMES)),
    )  # fmt: skip


def words(known: list[str]) -> st.SearchStrategy[Words]:
    named = st.lists(st.sampled_from(known), max_size=3)
    start = st.builds(like, st.just("startswith"), st.sampled_from(known), st.booleans())
    return st.one_of(st.just(ALL), named.map(only), named.map(but), start, st.builds(Words.also, named.map(but), start))


@st.composite
def regions(draw: st.DrawFn) -> Region:
    some_groups = st.frozensets(st.sampled_from(GROUPS), min_size=1, max_size=2)
    groups = Groups(
        draw(st.frozensets(some_groups, max_size=2)), draw(st.frozensets(st.sampled_from(GROUPS), max_size=2))
    )
    if draw(st.booleans()):
        return ANY_PATH._replace(user=draw(words(USERS)), groups=groups, path=draw(words(PATHS)))
    return ANY_RESOURCE._replace(
        user=draw(words(USERS)), groups=groups, namespace=draw(words(NAMESPACES)),
        resource=draw(words(["pods", "deployments"])), subresource=draw(words(["", "exec"])), name=draw(words(NAMES)),
    )  # fmt: skip


POLICIES = st.builds(Policy, st.lists(rules(), max_size=5).map(tuple), some(STAGES))


@given(POLICIES, regions(), st.lists(requests(), min_size=1, max_size=20))
def test_every_request_of_a_region_is_in_one_piece_which_says_what_the_reference_says(
    policy: Policy, region: Region, asked: list[Request]
) -> None:
    pieces = Recorder(policy).pieces(region)
    for request in asked:
        within = [piece for piece in pieces if piece.region.has(request)]
        if region.has(request):
            assert [(piece.level, piece.omitted, piece.rule) for piece in within] == [decide(policy, request)]
        else:
            assert within == []


@given(POLICIES, requests())
def test_all_requests_are_in_one_piece(policy: Policy, request: Request) -> None:
    within = [piece for piece in Recorder(policy).everything() if piece.region.has(request)]
    assert [(piece.level, piece.omitted, piece.rule) for piece in within] == [decide(policy, request)]


@given(regions(), regions(), requests())
def test_regions_are_sets(one: Region, other: Region, request: Request) -> None:
    both = one.also(other)
    assert (both is not None and both.has(request)) is (one.has(request) and other.has(request))
    left = [region for region in one.without(other) if region.has(request)]
    assert len(left) == (one.has(request) and not other.has(request))
