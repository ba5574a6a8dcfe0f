"""Reasons for every pair, and what is open beyond the pods that exist."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.ask.analysis import answer
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.ask.exposure_rules import PARTS
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.ask.request import Request
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.read.manifests import Input, load
from hypothesis import HealthCheck, given, settings

from ..clusters import build, objects
from ..lint.test_lint import pod, policy


def ask(question: str, *manifests: dict[str, Any], **options: Any) -> dict[str, Any]:
    return answer(Request(question, **options), load([Input("test", objects=list(manifests))]))


PODS = [pod("web"), pod("api"), pod("web", "dev")]


def spec(text: str) -> dict[str, Any]:
    return policy(text)


def exposed(result: dict[str, Any], workload: str, direction: str = "ingress") -> dict[str, Any]:
    found: dict[str, Any]
    (found,) = [i for i in result["exposure"] if (i["workload"], i["direction"]) == (workload, direction)]
    parts = {part: [{k: v for k, v in entry.items() if k != "rules"} for entry in found[part]] for part in PARTS}
    return {**found, **parts}


def test_without_policies_everything_is_exposed_to_everyone() -> None:
    found = exposed(ask("exposure", *PODS), "prod/Pod/web")
    assert found["protected"] is False
    assert found["cluster"] == [{"protocol": "all", "ports": "all"}]
    assert found["outside"] == [{"address": "0.0.0.0/0", "protocol": "all", "ports": "all"}]


def test_isolation_closes_and_rules_open_to_pods_that_may_come() -> None:
    manifest = spec(
        """
        podSelector: {matchLabels: {app: web}}
        ingress:
        - from: [{namespaceSelector: {matchLabels: {team: ops}}, podSelector: {matchLabels: {role: probe}}}]
          ports: [{port: 80}]
        - from: [{podSelector: {matchLabels: {app: future}}}]
        """
    )
    found = exposed(ask("exposure", *PODS, manifest), "prod/Pod/web")
    assert (found["protected"], found["cluster"], found["outside"]) == (True, [], [])
    assert found["selected"] == [
        {"namespaces": "name prod", "pods": "app=future", "protocol": "all", "ports": "all"},
        {"namespaces": "team=ops", "pods": "role=probe", "protocol": "TCP", "ports": "80"},
    ]


def test_open_to_every_namespace_is_not_open_to_the_world() -> None:
    manifest = spec("{podSelector: {}, ingress: [{from: [{namespaceSelector: {}}], ports: [{port: 80}]}]}")
    found = exposed(ask("exposure", *PODS, manifest), "prod/Pod/web")
    assert found["cluster"] == [{"protocol": "TCP", "ports": "80"}]
    assert (found["outside"], found["selected"]) == ([], [])


def test_a_negative_selector_does_not_count_as_everyone() -> None:
    manifest = spec(
        "{podSelector: {}, ingress: [{from: [{namespaceSelector: {}, podSelector:"
        " {matchExpressions: [{key: legacy, operator: DoesNotExist}]}}]}]}"
    )
    found = exposed(ask("exposure", *PODS, manifest), "prod/Pod/web")
    assert found["cluster"] == []
    assert {item["pods"] for item in found["selected"]} == {"!legacy"}


@pytest.mark.parametrize("denied", ["a", "b"])
def test_a_value_that_no_admin_policy_denies_stays_open(denied: str) -> None:
    manifest = spec(
        "{podSelector: {}, ingress: [{from: [{podSelector:"
        " {matchExpressions: [{key: env, operator: In, values: [a, b]}]}}]}]}"
    )
    admin = {
        "apiVersion": "policy.networking.k8s.io/v1alpha1",
        "kind": "AdminNetworkPolicy",
        "metadata": {"name": "deny"},
        "spec": {
            "priority": 1,
            "subject": {"namespaces": {}},
            "ingress": [
                {
                    "action": "Deny",
                    "from": [{"pods": {"namespaceSelector": {}, "podSelector": {"matchLabels": {"env": denied}}}}],
                }
            ],
        },
    }
    without = exposed(ask("exposure", *PODS, manifest), "prod/Pod/web")["selected"]
    assert [item["pods"] for item in without] == ["env in (a, b)"]
    found = exposed(ask("exposure", *PODS, manifest, admin), "prod/Pod/web")["selected"]
    assert [item["pods"] for item in found] == ["env=b" if denied == "a" else "env=a"]


def test_egress_to_a_block_is_exposure_to_the_outside() -> None:
    manifest = spec(
        "{podSelector: {}, policyTypes: [Egress],"
        " egress: [{to: [{ipBlock: {cidr: 192.0.2.0/24}}], ports: [{port: 443}]}]}"
    )
    found = exposed(ask("exposure", *PODS, manifest), "prod/Pod/web", "egress")
    assert found["outside"] == [{"address": "192.0.2.0/24", "protocol": "TCP", "ports": "443"}]


def test_exposure_is_told_in_sentences() -> None:
    lines = ask("exposure", *PODS, spec("{podSelector: {}, policyTypes: [Ingress, Egress]}"))["text"]
    assert "prod/Pod/api ingress: closed" in lines
    assert "dev/Pod/web ingress (no policy): from every pod of every namespace on all; from 0.0.0.0/0 on all" in lines


def test_every_pair_has_its_reasons() -> None:
    manifest = spec(
        "{podSelector: {matchLabels: {app: api}}, ingress: [{from: [{podSelector: {}}], ports: [{port: 80}]}]}"
    )
    result = ask("explain", *PODS, manifest, source={"pod": "web"}, destination={"namespace": "prod", "pod": "api"})
    told = {(i["from"], i["allowed"]): i for i in result["explanations"]}
    assert set(told) == {("prod/web", True), ("prod/web", False), ("dev/web", False)}
    assert told[("prod/web", True)]["connections"] == [{"protocol": "TCP", "ports": "80"}]
    assert told[("prod/web", True)]["ingress"]["rule"] == 0
    assert told[("dev/web", False)]["policy"] == "NetworkPolicy prod/p"
    assert any(line.startswith("prod/web -> prod/api on TCP 80: allowed: no policy selects") for line in result["text"])


def test_of_too_many_explanations_the_first_are_given_and_the_others_told() -> None:
    every = ask("explain", *PODS, outside=False)
    assert (len(every["explanations"]), every["truncated"], every["notes"]) == (6, False, [])
    some = ask("explain", *PODS, outside=False, limit=2)
    assert some["truncated"] is True
    assert some["explanations"] == every["explanations"][:2]
    assert some["notes"] == [
        "left out: the reasons of 4 pairs, from prod/api -> dev/web on; narrow them with from and to, or raise limit"
    ]
    assert some["text"][-1] == some["notes"][0]


DENY = policy("{podSelector: {}}", "deny")
IGNORED = policy("{podSelector: {}, policyTypes: [Egress], ingress: [{}], egress: [{}]}", "ignored")


def told(*manifests: dict[str, Any], **options: Any) -> dict[tuple[str, str], list[dict[str, Any]]]:
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for item in ask("explain", *manifests, **options)["explanations"]:
        found.setdefault((item["from"], item["to"]), []).append(item)
    return found


def test_a_denial_says_why_one_may_have_thought_otherwise_and_an_allowance_does_not() -> None:
    (denied,) = told(*PODS, DENY, IGNORED)[("prod/web", "prod/api")]
    assert [hint["code"] for hint in denied["hints"]] == ["ignored-rules"]
    (allowed,) = told(*PODS, policy("{podSelector: {}, ingress: [{}]}"), IGNORED)[("prod/web", "prod/api")]
    assert (allowed["allowed"], allowed["hints"]) == (True, [])


def test_ports_that_different_rules_allow_have_reasons_of_their_own() -> None:
    rules = spec("{podSelector: {matchLabels: {app: api}}, ingress: [{ports: [{port: 80}]}, {ports: [{port: 81}]}]}")
    found = told(*PODS, rules)[("prod/web", "prod/api")]
    assert [(item["allowed"], item["ingress"]["rule"]) for item in found] == [(False, None), (True, 0), (True, 1)]


def test_addresses_outside_are_explained_with_every_pod_and_not_with_each_other() -> None:
    names = {"prod/web", "prod/api", "0.0.0.0/0"}
    every = {(one, other) for one in names for other in names if one != other}
    assert set(told(*PODS[:2])) == every


@pytest.mark.parametrize("replicas", [1, 2])
def test_a_workload_of_several_pods_is_explained_with_itself(replicas: int) -> None:
    manifest = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "shop", "namespace": "prod"},
        "spec": {"replicas": replicas, "template": {"metadata": {}, "spec": {"containers": []}}},
    }
    name = "prod/Deployment/shop"
    assert ((name, name) in told(manifest, outside=False)) == (replicas > 1)


def test_a_port_that_a_rule_names_is_the_one_of_that_name() -> None:
    web = pod("web", ports=[{"name": "http", "containerPort": 8080}, {"name": "admin", "containerPort": 9090}])
    found = told(web, PODS[1], spec("{podSelector: {}, ingress: [{ports: [{port: http}]}]}"))[("prod/api", "prod/web")]
    assert [item["connections"] for item in found if item["allowed"]] == [[{"protocol": "TCP", "ports": "8080"}]]
    assert {c["ports"] for item in found if not item["allowed"] for c in item["connections"]} == {
        "1-8079,8081-65535",
        "all",
    }


def test_what_no_policy_decides_is_told_with_what_stands_above_them() -> None:
    web = {**pod("web"), "status": {"hostIP": "192.0.2.9"}}
    result = ask("explain", web, DENY, source={"ip": "192.0.2.9"}, destination={"pod": "web"})
    (item,) = result["explanations"]
    assert (item["allowed"], item["policy"], item["rule"], item["ingress"]) == (True, "", None, None)
    assert item["reason"].startswith("192.0.2.9 is the pod's own node")
    assert result["text"][0].endswith(item["reason"])


relaxed = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@relaxed
@given(objects())
def test_explanations_and_the_matrix_by_pod_allow_the_same(manifests: list[dict[str, Any]]) -> None:
    for item in manifests:
        if item["kind"] == "Pod":
            item["spec"]["hostNetwork"] = False
    model = build(manifests)
    listed = answer(Request("matrix", by="pod", outside=False), model)["connections"]
    explained = answer(Request("explain", outside=False), model)["explanations"]
    allowed: dict[tuple[str, str], set[str]] = {}
    for item in explained:
        if item["allowed"]:
            pair = (item["from"], item["to"])
            allowed.setdefault(pair, set()).update(c["protocol"] for c in item["connections"])
    matrix: dict[tuple[str, str], set[str]] = {}
    for item in listed:
        matrix.setdefault((item["from"], item["to"]), set()).add(item["protocol"])

    def spelled(found: dict[tuple[str, str], set[str]]) -> dict[tuple[str, str], set[str]]:
        every = {"TCP", "UDP", "SCTP"}
        return {pair: every if "all" in words else words for pair, words in found.items()}

    assert spelled(allowed) == spelled(matrix)
