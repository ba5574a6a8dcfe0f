"""Each request raises its rule, as the API server would record it and the collection's evaluator sees it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.k8s_audit.requests import (
    DONE,
    LABELS,
    REFUSED,
    Request,
    trigger_for,
)

from ..module_runner import run_module
from ..test_roles import ROOT

RULES = ROOT / "inventory" / "files" / "audit_rules"
MARK = "falconet-audit-abc123"


def recorded(request: Request, code: int) -> dict[str, Any]:
    """The audit event of a request, as far as rules look at it."""
    path, _, query = request.path.partition("?")
    parts = path.split("/")[2:]
    group, version, rest = ("", parts[0], parts[1:]) if path.startswith("/api/") else (parts[0], parts[1], parts[2:])
    namespace = rest[1] if rest[0] == "namespaces" and len(rest) > 2 else ""
    resource, *after = rest[2:] if namespace else rest
    body = request.body or {}
    name = after[0] if after else body.get("metadata", {}).get("name", "")
    verb = {"POST": "create", "PATCH": "patch", "DELETE": "delete", "GET": "get"}[request.method]
    target = {"resource": resource, "namespace": namespace, "name": name, "apiGroup": group, "apiVersion": version}
    return {
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": "Request",
        "auditID": "1",
        "stage": "ResponseComplete",
        "requestURI": f"{path}?{query}" if query else path,
        "verb": verb,
        "user": {"username": "kubernetes-admin", "groups": ["kubeadm:cluster-admins", "system:authenticated"]},
        "sourceIPs": ["192.0.2.10"],
        "objectRef": {**target, **({"subresource": after[1]} if len(after) > 1 else {})},
        "responseStatus": {"code": code},
        **({"requestObject": body} if body else {}),
        "stageTimestamp": "2026-03-01T10:00:01.000000Z",
    }


def alerts(tmp_path: Path, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    (tmp_path / "audit.log").write_text("".join(json.dumps(event) + "\n" for event in events))
    found = run_module(
        "falco_rules_replay",
        {"files": [str(RULES)], "events": str(tmp_path / "audit.log"), "rule_matching": "all", "keep": "alerts"},
    )
    assert not found.get("failed"), found
    return [alert for result in found["results"] for alert in result["alerts"]]


def test_every_rule_has_its_request_and_at_least_fifteen_leave_nothing() -> None:
    assert len(REFUSED) >= 15
    assert not set(REFUSED) & set(DONE)


def test_requests_raise_their_rules_with_the_mark_in_the_alert(tmp_path: Path) -> None:
    rules = [*REFUSED, *DONE]
    events = []
    for number, rule in enumerate(rules):
        trigger = trigger_for(rule, f"{MARK}-{number:02d}", "default")
        method = trigger.requests[-1].method
        code = (404 if method == "PATCH" or trigger.requests[-1].body is None else 422) if rule in REFUSED else 201
        events.append(recorded(trigger.requests[-1], 200 if rule in DONE and method != "POST" else code))
    found = alerts(tmp_path, events)
    for number, rule in enumerate(rules):
        mark = f"{MARK}-{number:02d}"
        assert any(one["rule"] == rule and mark in one["output"] for one in found), rule


@pytest.mark.parametrize("rule", DONE)
def test_what_is_made_is_labelled_and_taken_back(rule: str) -> None:
    trigger = trigger_for(rule, MARK, "default")
    [made] = [request for request in trigger.requests if request.method == "POST"]
    assert made.body["metadata"] == {"name": MARK, "labels": LABELS}
    gone = [request.path for request in (*trigger.requests, *trigger.undo) if request.method == "DELETE"]
    assert gone == [f"{made.path}/{MARK}"]


RBAC = "/apis/rbac.authorization.k8s.io/v1"


@pytest.mark.parametrize(
    ("rule", "path"),
    [
        ("K8s Deployment Created", "/apis/apps/v1/namespaces/shop/deployments"),
        ("K8s Service Created", "/api/v1/namespaces/shop/services"),
        ("K8s ConfigMap Created", "/api/v1/namespaces/shop/configmaps"),
        ("K8s Namespace Created", "/api/v1/namespaces"),
        ("K8s Serviceaccount Created", "/api/v1/namespaces/shop/serviceaccounts"),
        ("K8s Role Created", f"{RBAC}/namespaces/shop/roles"),
        ("K8s ClusterRole Created", f"{RBAC}/clusterroles"),
        ("K8s RoleBinding Created", f"{RBAC}/namespaces/shop/rolebindings"),
        ("K8s ClusterRoleBinding Created", f"{RBAC}/clusterrolebindings"),
        ("K8s Secret Created", "/api/v1/namespaces/shop/secrets"),
        ("Service Account Created in Kube Namespace", "/api/v1/namespaces/kube-system/serviceaccounts"),
        (
            "Ingress Object without TLS Certificate Created",
            "/apis/networking.k8s.io/v1/namespaces/shop/ingresses",
        ),
    ],
)
def test_what_is_made_is_made_where_its_kind_belongs(rule: str, path: str) -> None:
    made = trigger_for(rule, MARK, "shop")
    assert [(one.method, one.path) for one in made.requests] == [("POST", path)]
    assert [(one.method, one.path) for one in made.undo] == [("DELETE", f"{path}/{MARK}")]


def test_what_is_made_starts_nothing_and_gives_no_token() -> None:
    deployment = trigger_for("K8s Deployment Created", MARK, "shop").requests[0].body
    assert deployment["spec"]["replicas"] == 0
    account = trigger_for("K8s Serviceaccount Created", MARK, "shop").requests[0].body
    assert account["automountServiceAccountToken"] is False


def test_a_secret_is_made_read_and_taken_back() -> None:
    told = trigger_for("K8s Secret Get Successfully", MARK, "shop")
    path = "/api/v1/namespaces/shop/secrets"
    assert [(one.method, one.path) for one in told.requests] == [("POST", path), ("GET", f"{path}/{MARK}")]
    assert [(one.method, one.path) for one in told.undo] == [("DELETE", f"{path}/{MARK}")]


def test_an_unknown_rule_has_none() -> None:
    with pytest.raises(KeyError):
        trigger_for("Terminal shell in container", MARK, "default")
