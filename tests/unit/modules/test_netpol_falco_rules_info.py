"""netpol_falco_rules_info: rules of what a cluster has and of what is to come, and those that were made before."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from ..api_server import ApiServer, api_server
from ..module_runner import run_module
from ..netpol.lint.test_lint import pod, policy

CLOSED = policy("{podSelector: {matchLabels: {app: db}}}", name="closed")
LISTS = {
    "/api/v1/pods": [],
    "/api/v1/services": [],
    "/apis/networking.k8s.io/v1/networkpolicies": [CLOSED],
    "/api/v1/namespaces": [{"kind": "Namespace", "metadata": {"name": "prod"}}],
    "/api/v1/nodes": [],
    "/api/v1/replicationcontrollers": [],
    **{f"/apis/apps/v1/{name}": [] for name in ("deployments", "daemonsets", "statefulsets", "replicasets")},
    **{f"/apis/batch/v1/{name}": [] for name in ("jobs", "cronjobs")},
    **{f"/apis/networking.k8s.io/v1/{name}": [] for name in ("ingresses",)},
    **{f"/apis/admissionregistration.k8s.io/v1/{name}webhookconfigurations": [] for name in ("validating", "mutating")},
}
RULE = "Connection that policies deny into prod/Pod/db"
MAP = "/api/v1/namespaces/falco/configmaps/own"
KEPT = {"namespace": "falco", "config_maps": ["own", "none"]}


def listed(*items: dict[str, Any]) -> str:
    return json.dumps({"metadata": {}, "items": list(items)})


@pytest.fixture
def server() -> Iterator[ApiServer]:
    with api_server() as running:
        for path, items in LISTS.items():
            running.answer(path, listed(*items))
        running.answers["/api/v1/pods"] = []
        running.answer("/api/v1/pods", listed(pod("web", ip="10.244.0.2"), pod("db", ip="10.244.0.3")))
        yield running


def run(server: ApiServer, **options: object) -> dict[str, Any]:
    return run_module("netpol_falco_rules_info", {"host": server.url, "namespaces": ["prod"], **options})


def test_rules_are_made_of_the_cluster(server: ApiServer) -> None:
    result = run(server, priority="critical")
    assert [one["rule"] for one in result["rules"]] == [RULE]
    assert result["entries"] == yaml.safe_load(result["content"])
    assert [one["priority"] for one in result["entries"] if "rule" in one] == ["CRITICAL"]
    assert (result["changed"], result["stale"]) == (False, False)


def test_policies_that_are_to_come_stand_for_those_of_their_names(server: ApiServer) -> None:
    opened = policy("{podSelector: {matchLabels: {app: db}}, ingress: [{}]}", name="closed")
    assert run(server, definitions=[opened])["rules"] == []
    more = policy("{podSelector: {matchLabels: {app: web}}}", name="more")
    assert len(run(server, definitions=[more])["rules"]) == 2


def test_a_namespace_without_pods_has_nothing_to_watch_and_is_named(server: ApiServer) -> None:
    result = run(server, namespaces=["later"])
    assert (result["content"], result["entries"]) == ("", [])
    assert result["left_out"] == [{"workload": "later", "reason": "no pod runs in this namespace"}]


def test_what_was_made_before_is_kept_while_only_addresses_change(server: ApiServer) -> None:
    # From anywhere outside of the cluster, and so from no pod.
    outside = "{ipBlock: {cidr: 0.0.0.0/0, except: [10.0.0.0/8]}}"
    closed = policy(f"{{podSelector: {{matchLabels: {{app: db}}}}, ingress: [{{from: [{outside}]}}]}}")
    options: dict[str, object] = {"definitions": [closed], "pod_cidrs": ["10.0.0.0/8"]}
    server.answers["/apis/networking.k8s.io/v1/networkpolicies"] = [(200, listed())]
    made = run(server, **options)["entries"]
    others = [{"list": "shells", "items": ["sh"]}]
    server.answer(MAP, json.dumps({"data": {"zz-extra.yaml": yaml.safe_dump([*others, *made], sort_keys=False)}}))
    fresh = run(server, kept=KEPT, **options)
    assert (fresh["entries"], fresh["stale"]) == (made, False)
    server.answers["/api/v1/pods"] = []
    server.answer("/api/v1/pods", listed(pod("web", ip="10.244.0.9"), pod("db", ip="10.244.0.3")))
    assert run(server, **options)["entries"] != made
    later = run(server, kept=KEPT, **options)
    assert (later["entries"], later["stale"]) == (made, True)


@pytest.mark.parametrize("text", ["[]", "{", "- rule: another\n  tags: [falconet_policy]\n"])
def test_what_is_kept_and_is_on_something_else_is_not_taken(server: ApiServer, text: str) -> None:
    server.answer(MAP, json.dumps({"data": {"zz-extra.yaml": text}}))
    result = run(server, kept=KEPT)
    assert [one["rule"] for one in result["entries"] if "rule" in one] == [RULE]
    assert result["stale"] is False


def test_a_cluster_that_does_not_answer_is_told(server: ApiServer) -> None:
    server.answers["/api/v1/namespaces"] = [(403, '{"kind": "Status", "message": "no", "reason": "Forbidden"}')]
    result = run(server)
    assert result["failed"]
    assert "namespaces" in result["msg"]
