"""The module netpol_analyze through its main(): questions in, plain data out."""

from __future__ import annotations

from typing import Any

from ..module_runner import run_module


def pod(name: str, namespace: str = "prod", **labels: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": labels or {"app": name}},
        "spec": {"containers": [{"name": "main", "ports": [{"name": "http", "containerPort": 8080}]}]},
    }


def policy(name: str, spec: dict[str, Any], namespace: str = "prod") -> dict[str, Any]:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": namespace},
        "spec": spec,
    }


PODS = [pod("frontend"), pod("backend")]
TO_BACKEND = policy(
    "backend",
    {
        "podSelector": {"matchLabels": {"app": "backend"}},
        "ingress": [{"from": [{"podSelector": {"matchLabels": {"app": "frontend"}}}], "ports": [{"port": "http"}]}],
    },
)
DENY = policy("default-deny", {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]})


def analyze(**args: Any) -> dict[str, Any]:
    return run_module("netpol_analyze", args)


def test_the_matrix_lists_what_is_allowed() -> None:
    result = analyze(resources=[*PODS, TO_BACKEND], by="pod", outside=False)
    assert result["connections"] == [
        {"from": "prod/frontend", "to": "prod/backend", "protocol": "TCP", "ports": "8080"},
        {"from": "prod/backend", "to": "prod/frontend", "protocol": "all", "ports": "all"},
    ]
    assert result["changed"] is False


def test_a_query_names_the_deciding_policy_and_rule() -> None:
    ask = {"question": "query", "from": {"workload": "frontend"}, "to": {"workload": "backend"}}
    allowed = analyze(resources=[*PODS, TO_BACKEND], **ask, ports=["http/TCP"])
    assert allowed["allowed"] is True
    assert allowed["verdicts"][0]["ingress"]["policy"] == "NetworkPolicy prod/backend"
    assert allowed["verdicts"][0]["ingress"]["rule"] == 0
    denied = analyze(resources=[*PODS, TO_BACKEND], **ask, ports=[22])
    assert denied["allowed"] is False
    assert denied["verdicts"][0]["policy"] == "NetworkPolicy prod/backend"


def test_a_default_deny_shows_the_flow_it_would_cut() -> None:
    result = run_module(
        "netpol_analyze",
        {
            "question": "diff",
            "before_resources": [*PODS, TO_BACKEND],
            "resources": [TO_BACKEND, DENY],
            "outside": False,
        },
        diff_mode=True,
    )
    assert result["difference"]["lost"][0]["from"] == "prod/Pod/backend"
    assert "lost: prod/Pod/frontend -> prod/Pod/backend: TCP 8080" in result["text"]
    assert result["diff"]["prepared"].count("lost: ") == 2


def test_a_flow_that_does_not_hold_fails_with_the_smallest_change() -> None:
    flow = {"name": "shop", "from": {"workload": "frontend"}, "to": {"workload": "backend"}, "ports": ["8080/TCP"]}
    result = analyze(question="assert", resources=[*PODS, TO_BACKEND, DENY], required_flows=[flow])
    assert result["failed"] is True
    assert "shop: prod/frontend -> prod/backend on TCP 8080 is required but denied" in result["msg"]
    change = result["violations"][0]["fix"]["changes"][0]
    assert change["direction"] == "egress"
    assert change["manifest"]["spec"]["podSelector"]["matchLabels"] == {"app": "frontend"}
    fixed = analyze(question="assert", resources=[*PODS, TO_BACKEND, DENY, change["manifest"]], required_flows=[flow])
    assert fixed["holds"] is True


def test_a_forbidden_flow_names_the_rule_that_allows_it() -> None:
    flow = {"name": "shop", "from": {"workload": "frontend"}, "to": {"workload": "backend"}}
    result = analyze(question="assert", resources=[*PODS, TO_BACKEND], forbidden_flows=[flow], fail_on_violation=False)
    assert result["violations"][0]["policy"] == "NetworkPolicy prod/backend"
    assert result["violations"][0]["rule"] == 0


def test_invalid_objects_fail_all_at_once_or_are_skipped() -> None:
    bad = policy("bad", {"podSelector": {}, "policyTypes": ["ingres"]})
    failed = analyze(resources=[*PODS, bad])
    assert failed["failed"] is True
    assert "spec.policyTypes[0]" in failed["msg"]
    assert "did you mean 'Ingress'" in failed["problems"][0]["hint"]
    skipped = analyze(resources=[*PODS, bad], on_invalid="skip")
    assert skipped["problems"][0]["object"] == "NetworkPolicy prod/bad"
    assert skipped["summary"]["policies"] == 0


def test_a_mistyped_flow_is_told_with_the_nearest_name() -> None:
    result = analyze(
        question="assert", resources=PODS, required_flows=[{"from": {"workload": "frontent"}, "to": {}, "ports": [80]}]
    )
    assert "required_flows[0].from" in result["msg"]
    assert "did you mean 'frontend'" in result["msg"]


def test_what_is_left_out_is_told_with_every_answer() -> None:
    istio = {"apiVersion": "security.istio.io/v1", "kind": "AuthorizationPolicy", "metadata": {"name": "c"}, "spec": {}}
    for question in ("matrix", "lint", "exposure"):
        result = analyze(resources=[*PODS, istio], question=question)
        assert result["not_analysed"] == [
            {"kind": "AuthorizationPolicy", "count": 1, "reason": "a policy of an API that is not analysed"}
        ]
        assert result["notes"] == ["not analysed: 1 AuthorizationPolicy"]
        if "text" in result:
            assert result["text"][-1] == "not analysed: 1 AuthorizationPolicy"


def test_a_pod_template_is_read_where_the_caller_says() -> None:
    metadata = {"podMetadata": {"labels": {"app": "p"}}}
    prometheus = {"apiVersion": "monitoring.coreos.com/v1", "kind": "Prometheus", "metadata": {"name": "p"}}
    result = analyze(resources=[{**prometheus, "spec": metadata}], pod_templates={"Prometheus": "spec"})
    assert result["members"] == ["default/Prometheus/p"]
