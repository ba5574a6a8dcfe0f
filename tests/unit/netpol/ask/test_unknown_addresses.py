"""Pods that have no address yet: what blocks hold whatever address they get, and what cannot be told."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.ask.analysis import answer
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.ask.request import Request
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.decide import tiers
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.errors import NetpolError
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.read.manifests import Input, load

from ..lint.test_lint import policy

FLOW = {"from": {"workload": "api"}, "to": {"workload": "web"}, "ports": [80]}
WHOLE = policy("{podSelector: {matchLabels: {app: web}}, ingress: [{from: [{ipBlock: {cidr: 0.0.0.0/0}}]}]}")
HOLE = policy(
    """
    podSelector: {matchLabels: {app: web}}
    ingress: [{from: [{ipBlock: {cidr: 0.0.0.0/0, except: [10.0.0.0/8]}}]}]
    """
)


def deployment(name: str) -> dict[str, Any]:
    template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": []}}
    metadata = {"name": name, "namespace": "prod"}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": {"template": template}}


def ask(question: str, *manifests: dict[str, Any], pod_cidrs: Any = (), **options: Any) -> dict[str, Any]:
    given = [deployment("web"), deployment("api"), *manifests]
    return answer(Request(question, **options), load([Input("test", objects=given)], pod_cidrs=pod_cidrs))


def query(*manifests: dict[str, Any], pod_cidrs: tuple[str, ...] = ()) -> dict[str, Any]:
    ends = {"source": FLOW["from"], "destination": FLOW["to"], "ports": FLOW["ports"]}
    (verdict,) = ask("query", *manifests, pod_cidrs=pod_cidrs, **ends)["verdicts"]
    found: dict[str, Any] = verdict
    return found


def test_a_block_of_a_whole_family_lets_in_a_pod_without_an_address_where_implementations_match_pods() -> None:
    verdict = query(WHOLE)
    assert (verdict["allowed"], verdict["undetermined"], verdict["implementation_defined"]) == (True, False, True)


def test_a_block_with_a_hole_is_undetermined_and_says_so() -> None:
    verdict = query(HOLE)
    assert (verdict["allowed"], verdict["undetermined"], verdict["policy"]) == (False, True, "NetworkPolicy prod/p")
    assert verdict["reason"].startswith("undetermined: the address of prod/Deployment/api is not known")
    assert "allowed by NetworkPolicy prod/p, ingress rule 0 or NetworkPolicy prod/p isolates" in verdict["reason"]


@pytest.mark.parametrize(("cidr", "allowed"), [("10.244.0.0/16", False), ("172.16.0.0/12", True)])
def test_the_range_of_pods_decides(cidr: str, allowed: bool) -> None:
    verdict = query(HOLE, pod_cidrs=(cidr,))
    assert (verdict["allowed"], verdict["undetermined"]) == (allowed, False)


def test_the_range_of_nodes_is_left_aside_where_a_pod_has_an_address_outside_it() -> None:
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"}, "spec": {"podCIDR": "10.244.0.0/24"}}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "prod"}, "spec": {}}
    assert query(HOLE, node)["undetermined"] is False
    assert query(HOLE, node, {**pod, "status": {"podIP": "10.244.0.9"}})["undetermined"] is False
    assert query(HOLE, node, {**pod, "status": {"podIP": "192.168.3.9"}})["undetermined"] is True


def test_a_matrix_lists_what_is_undetermined_apart() -> None:
    found = ask("matrix", HOLE)
    line = {"from": "prod/Deployment/api", "to": "prod/Deployment/web", "protocol": "all", "ports": "all"}
    assert line not in found["connections"]
    assert found["undetermined"] == [line]
    assert found["summary"]["undetermined"] == 1
    assert found["notes"] == [
        "undetermined: 1 pairs depend on addresses that pods do not have yet; they count as denied, and pod_cidrs says"
        " where they will lie"
    ]
    assert ask("matrix", WHOLE)["undetermined"] == []
    assert line in ask("matrix", WHOLE)["connections"]


def test_neither_what_is_required_nor_what_is_forbidden_holds_by_a_guess() -> None:
    for kind, said in (("required", "that it can connect is not certain"), ("forbidden", "that it cannot connect")):
        (violation,) = ask("assert", HOLE, **{f"{kind}_flows": [FLOW]})["violations"]
        assert said in violation["message"]
        assert "pod_cidrs" in violation["fix"]["text"]
    assert ask("assert", HOLE, forbidden_flows=[FLOW], pod_cidrs=("10.244.0.0/16",))["holds"] is True


def test_explanations_and_ranges_of_ports_tell_it_too() -> None:
    ends = {"source": FLOW["from"], "destination": FLOW["to"]}
    assert ": undetermined: " in ask("explain", HOLE, **ends)["text"][0]
    (verdict,) = ask("query", HOLE, **ends)["verdicts"]
    assert (verdict["ports"], verdict["undetermined"]) == ("1-65535", True)


def test_lint_says_which_pods_a_block_holds_or_may_hold() -> None:
    codes = {f["code"]: f["message"] for f in ask("lint", WHOLE)["findings"]}
    assert "prod/Deployment/web, prod/Deployment/api" in codes["ip-block-covers-pods"]
    codes = {f["code"]: f["message"] for f in ask("lint", HOLE)["findings"]}
    assert "cannot be told" in codes["address-unknown"]


def test_a_range_that_is_none_is_refused() -> None:
    with pytest.raises(NetpolError, match=r"pod_cidrs\[0\]: '10.244' is no block"):
        ask("matrix", pod_cidrs=("10.244",))


def test_two_rules_that_are_the_whole_together_allow_and_say_so() -> None:
    halves = "[{from: [{ipBlock: {cidr: 0.0.0.0/1}}]}, {from: [{ipBlock: {cidr: 128.0.0.0/1}}]}]"
    verdict = query(policy(f"{{podSelector: {{matchLabels: {{app: web}}}}, ingress: {halves}}}"))
    assert (verdict["allowed"], verdict["undetermined"], verdict["implementation_defined"]) == (True, False, True)
    assert "whatever address prod/Deployment/api gets: " in verdict["reason"]
    assert "ingress rule 0 or allowed by NetworkPolicy prod/p, ingress rule 1" in verdict["reason"]


def test_where_too_many_places_would_be_compared_the_answer_is_left_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiers, "_MANY", 1)
    halves = "[{from: [{ipBlock: {cidr: 0.0.0.0/1}}]}, {from: [{ipBlock: {cidr: 128.0.0.0/1}}]}]"
    rules = f"{{podSelector: {{matchLabels: {{app: web}}}}, ingress: {halves}}}"
    wanted = {"from": "prod/Deployment/api", "to": "prod/Deployment/web", "protocol": "all", "ports": "all"}
    admin = {
        "apiVersion": "policy.networking.k8s.io/v1alpha1",
        "kind": "AdminNetworkPolicy",
        "metadata": {"name": "half"},
        "spec": {
            "priority": 1,
            "subject": {"namespaces": {}},
            "egress": [
                {"action": "Deny", "to": [{"networks": [f"{first}.0.0.0/{size}"]}]}
                for first, size in ((0, 1), (128, 1))
            ],
        },
    }
    for given in ([policy(rules)], [admin]):
        found = ask("matrix", *given)
        assert wanted not in found["connections"]
        assert wanted in found["undetermined"]
