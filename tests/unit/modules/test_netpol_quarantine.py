"""netpol_quarantine through its real main(): held, held again, killed in the middle, changed by others, let go."""

from __future__ import annotations

import copy
import importlib
import json
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

import pytest
import yaml
from ansible_collections.falconet.k8s.plugins.module_utils.live_netpol import quarantine
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.isolate.names import LABEL, LABELS, UNTIL, identity

from ..kube.cluster import COLLECTIONS, namespace, policy
from ..kube.fake_api import Answer, FakeApi, serve
from ..module_runner import MODULES, run_module

PODS = "/api/v1/namespaces/prod/pods"
POLICIES = "/apis/networking.k8s.io/v1/namespaces/prod/networkpolicies"
OWN = f"quarantine-{identity('prod', 'web-1')}"
NOW = datetime(2026, 3, 1, 10, tzinfo=timezone.utc)


class Cluster(FakeApi):
    """Objects by namespace; a list of the whole cluster is that of the only one."""

    def answer(self, method: str, path: str, query: dict[str, list[str]], body: Any) -> Answer:
        group, _slash, plural = path.rpartition("/")
        whole = f"{group}/namespaces/prod/{plural}"
        return super().answer(
            method, whole if path in COLLECTIONS[1:] and whole in self.collections else path, query, body
        )


def pod(name: str) -> dict[str, Any]:
    owner = [{"kind": "ReplicaSet", "name": "web", "controller": True}]
    metadata = {"name": name, "namespace": "prod", "resourceVersion": "1", "labels": {"app": "web", "hash": "1"}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {**metadata, "ownerReferences": owner},
        "spec": {"nodeName": "n1", "containers": []},
        "status": {"phase": "Running", "podIPs": [{"ip": f"10.0.0.{name[-1]}"}]},
    }


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    fake = Cluster()
    fake.collections = {path: [] for path in COLLECTIONS}
    fake.collections[COLLECTIONS[0]] = [namespace("prod")]
    fake.collections[PODS] = [pod("web-1"), pod("web-2")]
    allow = policy("prod", "allow-all", policyTypes=["Ingress", "Egress"], ingress=[{}], egress=[{}])
    allow["metadata"]["resourceVersion"] = "1"
    fake.collections[POLICIES] = [allow]
    fake.collections["/api/v1/namespaces/prod/services"] = [
        {
            "metadata": {"name": "web", "namespace": "prod"},
            "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]},
        }
    ]
    monkeypatch.setattr(quarantine.Quarantine.__init__, "__defaults__", (lambda: NOW,))
    with serve(fake):
        yield fake


def act(api: Cluster, check_mode: bool = False, **args: Any) -> dict[str, Any]:
    whom = (
        {} if "alert" in args or args.get("state") in ("expired", "listed") else {"namespace": "prod", "pod": "web-1"}
    )
    return run_module("netpol_quarantine", {"host": api.url, **whom, **args}, check_mode=check_mode, diff_mode=True)


def the_pod(api: Cluster) -> dict[str, Any]:
    return next(one["metadata"] for one in api.collections[PODS] if one["metadata"]["name"] == "web-1")


def selector(api: Cluster) -> dict[str, Any]:
    found = next(one for one in api.collections[POLICIES] if one["metadata"]["name"] == "allow-all")
    return dict(found["spec"]["podSelector"])


def test_a_pod_is_held_although_a_policy_allows_everything_and_a_second_run_changes_nothing(api: Cluster) -> None:
    result = act(api, minutes=60, by="me", reason="a shell")
    assert not result.get("failed"), result["msg"]
    assert result["steps"] == [
        f"create NetworkPolicy {OWN}",
        "change NetworkPolicy allow-all: it no longer selects pods in quarantine",
        "change Pod web-1: without the labels app",
    ]
    assert (result["proven"], result["removed_labels"], result["until"]) == (
        True,
        {"app": "web"},
        "2026-03-01T11:00:00Z",
    )
    assert the_pod(api)["labels"] == {"hash": "1", LABEL: identity("prod", "web-1")}
    assert json.loads(the_pod(api)["annotations"][LABELS]) == {"app": "web"}
    assert selector(api) == {"matchExpressions": [{"key": LABEL, "operator": "DoesNotExist"}]}
    again = act(api, minutes=60, by="someone else")
    assert (again["changed"], again["steps"], again["until"]) == (False, [], "2026-03-01T11:00:00Z")


def test_check_mode_tells_the_same_and_changes_nothing(api: Cluster) -> None:
    before = copy.deepcopy(api.collections)
    result = act(api, check_mode=True)
    assert result["changed"] is True
    assert result["diff"]["prepared"].splitlines() == result["steps"]
    assert api.collections == before
    assert {method for method, _path, query, _body in api.requests if "dryRun" not in query} == {"GET"}


def test_released_is_as_it_was_and_a_second_time_changes_nothing(api: Cluster) -> None:
    before = copy.deepcopy(api.collections)
    act(api)
    result = act(api, state="released")
    assert [step.split(":")[0] for step in result["steps"]] == [
        "change Pod web-1",
        f"delete NetworkPolicy {OWN}",
        "change NetworkPolicy allow-all",
    ]
    assert the_pod(api)["labels"] == {"app": "web", "hash": "1"}
    assert the_pod(api)["annotations"] == {}
    assert [one["spec"] for one in api.collections[POLICIES]] == [{**before[POLICIES][0]["spec"], "podSelector": {}}]
    assert act(api, state="released")["changed"] is False


def test_a_policy_selects_every_pod_again_only_when_the_last_one_is_released(api: Cluster) -> None:
    act(api)
    act(api, namespace="prod", pod="web-2")
    assert "allow-all" not in " ".join(act(api, state="released")["steps"])
    assert "allow-all" in " ".join(act(api, state="released", namespace="prod", pod="web-2")["steps"])


def test_a_run_that_is_killed_before_the_pod_changes_leaves_it_as_it_was_and_the_next_one_goes_on(api: Cluster) -> None:
    def away(method: str, path: str, _query: dict[str, list[str]]) -> Answer | None:
        return (500, {"message": "gone"}) if method == "PATCH" and path.startswith(PODS) else None

    api.faults = away
    assert act(api)["failed"] is True
    assert the_pod(api)["labels"] == {"app": "web", "hash": "1"}
    api.faults = None
    result = act(api)
    assert result["steps"] == ["change Pod web-1: without the labels app"]
    assert result["proven"] is True


def test_a_pod_that_somebody_changes_in_between_is_looked_at_again(api: Cluster) -> None:
    times: list[int] = []

    def meddle(method: str, path: str, _query: dict[str, list[str]]) -> Answer | None:
        if method == "PATCH" and path.startswith(PODS) and not times:
            times.append(1)
            the_pod(api)["labels"]["team"] = "x"
            the_pod(api)["resourceVersion"] = "7"
        return None

    api.faults = meddle
    result = act(api)
    assert result["proven"] is True
    assert the_pod(api)["labels"] == {"hash": "1", "team": "x", LABEL: identity("prod", "web-1")}


def test_labels_that_an_operator_puts_back_are_taken_again(api: Cluster) -> None:
    act(api)
    the_pod(api)["labels"]["app"] = "web"
    assert act(api, state="listed")["quarantines"][0]["slipped"] == ["app"]
    result = act(api)
    assert result["steps"] == ["change Pod web-1: without the labels app"]
    assert act(api, state="listed")["quarantines"][0]["slipped"] == []


@pytest.mark.parametrize("broken", ["[", "[1]", "{" * 2000, '{"a":' * 2000], ids=lambda text: text[:4])
def test_a_broken_annotation_hides_no_pod_that_is_held(api: Cluster, broken: str) -> None:
    act(api)
    the_pod(api)["annotations"][LABELS] = broken
    (row,) = act(api, state="listed")["quarantines"]
    assert (row["pod"], row["labels"]) == ("web-1", {})


def test_an_alert_names_the_pod_and_its_rule_is_kept(api: Cluster) -> None:
    fields = {"k8s.ns.name": "prod", "k8s.pod.name": "web-1"}
    assert not act(api, alert={"rule": "Terminal\nshell", "output_fields": fields}).get("failed")
    (row,) = act(api, state="listed")["quarantines"]
    assert (row["pod"], row["alert"], row["expired"], row["labels"]) == (
        "web-1",
        "Terminal shell",
        False,
        {"app": "web"},
    )


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ({"alert": {"output_fields": {"k8s.ns.name": "prod"}}}, "the alert's k8s.pod.name is not given"),
        ({"alert": {}}, "the alert's k8s.ns.name is not given"),
        (
            {"alert": {"output_fields": {"k8s.ns.name": "prod", "k8s.pod.name": "{{ 7*7 }}"}}},
            "the alert's k8s.pod.name is no name of Kubernetes: '{{ 7*7 }}'",
        ),
        ({"pod": "../secrets/x"}, "pod is no name of Kubernetes"),
        ({"namespace": "kube-system"}, "pods of kube-system are never held"),
        ({"namespace": "falco"}, "pods of falco are never held"),
        ({"minutes": 0}, "minutes: at least 1"),
        ({"allow_cidrs": ["10.0.0.5/33"]}, "allow_cidrs[0]: '10.0.0.5/33' is no block such as 10.0.0.5/32"),
        ({"pod": "nobody"}, "there is no pod prod/nobody"),
    ],
)
def test_what_cannot_be_held_is_refused_before_anything_changes(api: Cluster, args: dict[str, Any], said: str) -> None:
    result = act(api, **args)
    assert result["failed"] is True
    assert said in result["msg"]
    assert {method for method, *_rest in api.requests} <= {"GET"}


def test_nothing_is_changed_where_a_connection_would_stay_open(api: Cluster) -> None:
    group = "policy.networking.k8s.io"
    admin = f"/apis/{group}/v1alpha1/adminnetworkpolicies"
    api.collections[admin] = [
        {
            "metadata": {"name": "monitoring"},
            "spec": {
                "priority": 0,
                "subject": {"namespaces": {}},
                "ingress": [{"name": "all", "action": "Allow", "from": [{"namespaces": {}}]}],
            },
        }
    ]

    def discovery(method: str, path: str, _query: dict[str, list[str]]) -> Answer | None:
        if path == f"/apis/{group}":
            return 200, {"versions": [{"version": "v1alpha1"}], "preferredVersion": {"version": "v1alpha1"}}
        if path == f"/apis/{group}/v1alpha1":
            found = {"name": "adminnetworkpolicies", "kind": "AdminNetworkPolicy", "namespaced": False}
            return 200, {"resources": [found]}
        return None

    api.faults = discovery
    before = copy.deepcopy(api.collections)
    result = act(api, admin_policy=False)
    assert "nothing was changed, because the pod would still have connections" in result["msg"]
    assert "AdminNetworkPolicy monitoring" in result["msg"]
    assert api.collections == before
    api.collections[admin][0]["spec"]["priority"] = 1
    result = act(api)
    assert f"create AdminNetworkPolicy {OWN}" in result["steps"]
    assert result["proven"] is True
    assert f"delete AdminNetworkPolicy {OWN}" in act(api, state="released")["steps"]


def test_what_is_over_is_released_and_what_gone_pods_left_is_tidied(api: Cluster) -> None:
    act(api, minutes=60)
    act(api, namespace="prod", pod="web-2")
    api.collections[PODS] = [one for one in api.collections[PODS] if one["metadata"]["name"] != "web-2"]
    result = act(api, state="expired")
    assert [one["pod"] for one in result["quarantines"]] == ["web-2"]
    assert [step.split(":")[0] for step in result["steps"]] == [
        f"delete NetworkPolicy quarantine-{identity('prod', 'web-2')}"
    ]
    the_pod(api)["annotations"][UNTIL] = "2026-03-01T09:00:00Z"
    result = act(api, state="expired", check_mode=True)
    assert [one["pod"] for one in result["quarantines"]] == ["web-1"]
    assert LABEL in the_pod(api)["labels"]
    act(api, state="expired")
    assert the_pod(api)["labels"] == {"app": "web", "hash": "1"}
    assert act(api, state="expired")["changed"] is False


def test_what_is_asked_stays_open_and_is_told(api: Cluster) -> None:
    result = act(api, allow_cidrs=["192.0.2.7/32"])
    assert {line.split(" on ")[0] for line in result["open_connections"]} == {
        "egress to 192.0.2.7",
        "ingress from 192.0.2.7",
    }
    assert result["forbidden_flows"] == []


def test_missing_rights_are_named(api: Cluster) -> None:
    def forbidden(method: str, path: str, _query: dict[str, list[str]]) -> Answer | None:
        message = {"kind": "Status", "reason": "Forbidden", "message": f"cannot {method} {path}"}
        return (403, message) if method == "PATCH" and path.startswith(PODS) else None

    api.faults = forbidden
    result = act(api)
    assert result["failed"] is True
    assert "pods" in result["msg"]


def test_results_are_as_documented(api: Cluster) -> None:
    returned = yaml.safe_load(importlib.import_module(f"{MODULES}.netpol_quarantine").RETURN)
    by_state: dict[str, set[str]] = {
        "held": {"steps"},
        "released": {"steps"},
        "expired": {"steps"},
        "listed": {"steps"},
    }
    for name, entry in returned.items():
        for state in by_state:
            if state in entry["returned"]:
                by_state[state].add(name)
    for state, names in by_state.items():
        assert set(act(api, state=state)) - {"changed", "invocation", "diff"} == names


def test_all_pods_of_a_workload_are_held_at_once(api: Cluster) -> None:
    sets = "/apis/apps/v1/namespaces/prod/replicasets"
    owner = {"kind": "Deployment", "name": "web", "controller": True}
    api.collections[sets] = [{"metadata": {"name": "web", "namespace": "prod", "ownerReferences": [owner]}}]
    result = run_module(
        "netpol_quarantine", {"host": api.url, "namespace": "prod", "workload": "Deployment/web", "minutes": 5}
    )
    assert not result.get("failed"), result["msg"]
    assert (result["pods"], result["proven"], result["changed"]) == (["web-1", "web-2"], True, True)
    assert len(result["forbidden_flows"]) == 4
    assert all(LABEL in one["metadata"]["labels"] for one in api.collections[PODS])
    again = run_module("netpol_quarantine", {"host": api.url, "namespace": "prod", "workload": "Deployment/web"})
    assert again["changed"] is False


@pytest.mark.parametrize(
    ("workload", "said"),
    [
        ("Deployment/none", "Deployment prod/none owns no pod"),
        ("web", "workload: kind and name such as Deployment/frontend"),
        ("Deployment/../x", "workload: kind and name such as Deployment/frontend"),
    ],
)
def test_a_workload_that_is_none_is_told(api: Cluster, workload: str, said: str) -> None:
    api.collections["/apis/apps/v1/namespaces/prod/replicasets"] = []
    result = run_module("netpol_quarantine", {"host": api.url, "namespace": "prod", "workload": workload})
    assert said in result["msg"]
