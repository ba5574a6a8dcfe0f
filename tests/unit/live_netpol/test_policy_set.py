"""Policies as one change: planned, applied in the right order, pruned, remembered, kept and restored."""

from __future__ import annotations

import base64
import gzip
from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.kube.client import Client
from ansible_collections.falconet.k8s.plugins.module_utils.kube.errors import KubeError
from ansible_collections.falconet.k8s.plugins.module_utils.kube.surroundings import Surroundings
from ansible_collections.falconet.k8s.plugins.module_utils.live_netpol import options
from ansible_collections.falconet.k8s.plugins.module_utils.live_netpol.policy_set import SET_LABEL, PolicySet

from ..kube.cluster import fill, namespace, pod, policy
from ..kube.fake_api import FakeApi
from ..module_runner import run_module

POLICIES = "/apis/networking.k8s.io/v1/namespaces/a/networkpolicies"
JOURNAL = "/api/v1/namespaces/default/configmaps"


@pytest.fixture(autouse=True)
def cluster(api: FakeApi) -> None:
    fill(api, namespace("a"), namespace("b"))
    whole = "/apis/networking.k8s.io/v1/networkpolicies"

    def whole_list(method: str, path: str, query: dict[str, list[str]]) -> Any:
        """The list of the whole cluster, made of those of the namespaces, by label."""
        if method != "GET" or path != whole:
            return None
        _key, _equals, value = query.get("labelSelector", [""])[0].partition("=")
        items = [item for p, found in api.collections.items() if p.endswith("/networkpolicies") for item in found]
        wanted = [i for i in items if not value or (i["metadata"].get("labels") or {}).get(SET_LABEL) == value]
        return 200, {"items": wanted}

    api.faults = whole_list


def names(api: FakeApi) -> list[str]:
    return sorted(item["metadata"]["name"] for item in api.collections.get(POLICIES, []))


def change(client: Client, *definitions: dict[str, Any], owner: str = "one", prune: bool = True) -> list[str]:
    found = PolicySet(client, owner)
    planned = found.plan(list(definitions), prune)
    found.apply(planned)
    return [f"{step.action} {step.key[3]}" for step in planned.steps]


def test_policies_are_labelled_and_a_second_time_changes_nothing(api: FakeApi, client: Client) -> None:
    assert change(client, policy("a", "deny")) == ["create deny"]
    assert api.collections[POLICIES][0]["metadata"]["labels"][SET_LABEL] == "one"
    before = len([r for r in api.requests if r[0] == "PATCH" and "dryRun" not in r[2]])
    assert change(client, policy("a", "deny")) == ["none deny"]
    assert len([r for r in api.requests if r[0] == "PATCH" and "dryRun" not in r[2]]) == before


def test_only_policies_of_the_own_set_are_pruned(api: FakeApi, client: Client) -> None:
    api.collections[POLICIES] = [policy("a", "by-hand")]
    change(client, policy("a", "other"), owner="two")
    change(client, policy("a", "old"))
    assert change(client, policy("a", "new")) == ["create new", "delete old"]
    assert names(api) == ["by-hand", "new", "other"]


@pytest.mark.parametrize(
    "kept", ["AAAA", "H4sIAAAAAAAA/wMA", base64.b64encode(gzip.compress(b"[1]", mtime=0)).decode()]
)
def test_a_journal_that_somebody_broke_is_named(api: FakeApi, client: Client, kept: str) -> None:
    item = {"metadata": {"name": "falconet-policies-one", "namespace": "default"}, "binaryData": {"before": kept}}
    api.collections[JOURNAL] = [item]
    with pytest.raises(KubeError, match=r"ConfigMap default/falconet-policies-one.*cannot be read.*delete it"):
        PolicySet(client, "one").journal()


def test_new_permissions_come_before_old_ones_go(api: FakeApi, client: Client) -> None:
    change(client, policy("a", "old"))
    api.requests.clear()
    change(client, policy("a", "new"))
    order = [path.rpartition("/")[2] for path in writes(api)]
    assert order == ["falconet-policies-one", "new", "old"]


def test_what_stood_before_is_restored(api: FakeApi, client: Client) -> None:
    change(client, policy("a", "keep", policyTypes=["Ingress"]), policy("a", "gone"))
    PolicySet(client, "one").keep()
    change(client, policy("a", "keep", policyTypes=["Egress"]), policy("a", "new"))
    restored = PolicySet(client, "one").restore()
    assert {f"{s.action} {s.key[3]}" for s in restored.steps} == {"change keep", "create gone", "delete new"}
    assert names(api) == ["gone", "keep"]
    kept = next(item for item in api.collections[POLICIES] if item["metadata"]["name"] == "keep")
    assert kept["spec"]["policyTypes"] == ["Ingress"]
    assert api.collections[JOURNAL] == []


def test_a_killed_run_does_not_overwrite_what_stood_before_it(api: FakeApi, client: Client) -> None:
    change(client, policy("a", "first"))
    PolicySet(client, "one").keep()
    change(client, policy("a", "second"))  # killed here, neither kept nor restored
    change(client, policy("a", "third"))
    PolicySet(client, "one").restore()
    assert names(api) == ["first"]


def test_a_namespace_that_is_not_there_yet_may_be_declared(client: Client) -> None:
    assert change(client, namespace("c"), policy("c", "deny")) == ["create c", "create deny"]
    with pytest.raises(KubeError, match="there is no namespace d, and none of that name is declared"):
        change(client, policy("d", "deny"))


@pytest.mark.parametrize(
    ("definition", "message"),
    [
        ({"kind": "Secret", "apiVersion": "v1", "metadata": {"name": "x"}}, "Secret is no policy"),
        (policy("", "x"), "names no namespace"),
        ({"kind": "NetworkPolicy", "metadata": {}}, "metadata.name is missing"),
        ({"kind": "NetworkPolicy"}, "is no object"),
    ],
)
def test_definitions_that_are_no_policies_are_refused(client: Client, definition: Any, message: str) -> None:
    with pytest.raises(KubeError, match=message):
        change(client, definition)
    with pytest.raises(KubeError, match="declared twice"):
        change(client, policy("a", "x"), policy("a", "x"))


def apply(api: FakeApi, check: bool = False, **given: Any) -> dict[str, Any]:
    return run_module("netpol_apply", {"host": api.url, **given}, check_mode=check, diff_mode=True)


def writes(api: FakeApi) -> list[str]:
    """Paths of requests that store something."""
    return [
        path
        for method, path, query, _body in api.requests
        if method in ("POST", "PUT", "DELETE") or (method == "PATCH" and "dryRun" not in query)
    ]


def test_the_module_refuses_a_change_that_cuts_a_required_flow(api: FakeApi, client: Client) -> None:
    fill(api, pod("a", "client", "192.0.2.1"), pod("b", "server", "192.0.2.2"))
    flow = {"name": "needed", "from": {"namespace": "a"}, "to": {"namespace": "b"}, "ports": [80]}
    deny = policy("b", "deny", policyTypes=["Ingress"])
    result = apply(api, definitions=[deny], required_flows=[flow])
    assert result["failed"] is True
    assert result["changed"] is False
    assert "needed" in result["msg"]
    assert "/apis/networking.k8s.io/v1/namespaces/b/networkpolicies" not in api.collections
    assert not api.collections.get("/apis/coordination.k8s.io/v1/namespaces/default/leases")
    result = apply(api, definitions=[deny], forbidden_flows=[flow])
    assert result["changed"] is True
    assert {(c["from"], c["to"]) for c in result["connections"]["lost"]} >= {("a/Pod/client", "b/Pod/server")}
    assert "lost: a/Pod/client -> b/Pod/server" in result["diff"][0]["prepared"]
    assert result["pending"] is True
    assert apply(api, state="kept")["pending"] is False
    assert not api.collections["/apis/coordination.k8s.io/v1/namespaces/default/leases"]


def test_policies_of_other_apis_take_part_and_what_is_not_analysed_is_told(
    api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    def other(version: str, kind: str, spec: dict[str, Any]) -> dict[str, Any]:
        return {"apiVersion": version, "kind": kind, "metadata": {"name": "other", "namespace": "b"}, "spec": spec}

    everyone = {"endpointSelector": {}, "ingressDeny": [{"fromEntities": ["all"]}]}
    deny = other("cilium.io/v2", "CiliumNetworkPolicy", everyone)
    mesh = other("security.istio.io/v1", "AuthorizationPolicy", {})
    found = Surroundings([deny, mesh], ["Node"])
    monkeypatch.setattr(options, "take_policies", lambda _client: found)
    fill(api, pod("a", "client", "192.0.2.1"), pod("b", "server", "192.0.2.2"))
    flow = {"name": "needed", "from": {"namespace": "a"}, "to": {"namespace": "b"}, "ports": [80]}
    result = apply(api, state="planned", required_flows=[flow], on_violation="report")
    assert [one["policy"] for one in result["violations"]] == ["CiliumNetworkPolicy b/other"]
    assert result["notes"] == [
        "not analysed: 1 AuthorizationPolicy",
        "skipped: 1 list of Node without the right to read it",
    ]


def test_check_mode_and_planning_write_nothing(api: FakeApi) -> None:
    for given in ({"check": True}, {"state": "planned"}, {"check": True, "state": "restored"}):
        result = apply(api, definitions=[policy("a", "deny")], **given)
        assert not result.get("failed"), result
        assert result["changed"] is (given == {"check": True})
    assert writes(api) == []


def test_flows_whose_pods_do_not_run_yet_are_told_apart(api: FakeApi) -> None:
    result = apply(api, state="planned", required_flows=[{"from": {"namespace": "a"}, "to": {"namespace": "b"}}])
    assert [flow["kind"] for flow in result["idle_flows"]] == ["required"]
    assert result["violations"] == []


def test_flows_of_what_does_not_exist_fail_where_that_is_asked_for(api: FakeApi) -> None:
    fill(api, pod("a", "client", "192.0.2.1"), pod("b", "server", "192.0.2.2"))
    flow = {"name": "visitor", "from": {"namespace": "c"}, "to": {"namespace": "b"}, "ports": [80]}
    result = apply(api, state="planned", on_idle="fail", forbidden_flows=[{**flow, "from": {"namespace": "aa"}}])
    assert result["failed"] is True
    assert "nothing was changed" in result["msg"]
    assert "forbidden flow 'visitor': forbidden_flows[0].from: no pod matches namespace aa" in result["msg"]
    assert "there is no namespace 'aa'" in result["msg"]
    # Of two namespaces, one.
    result = apply(api, state="planned", on_idle="fail", forbidden_flows=[{**flow, "from": {"namespace": ["a", "aa"]}}])
    assert "there is no namespace 'aa'" in result["msg"]
    # A port that nobody has: nothing passes there in any case.
    result = apply(api, state="planned", on_idle="fail", forbidden_flows=[{**flow, "from": {}, "ports": ["htpp"]}])
    assert "has no port called 'htpp'" in result["msg"]


def test_flows_of_what_another_step_brings_are_no_mistake_before_it(api: FakeApi) -> None:
    fill(api, pod("b", "server", "192.0.2.2"))
    flow = {"from": {"namespace": "falco", "workload": "ui"}, "to": {"namespace": "b"}, "ports": [80]}
    asked: dict[str, Any] = {
        "state": "planned",
        "on_idle": "fail",
        "later_namespaces": ["falco"],
        "required_flows": [flow],
    }
    assert not apply(api, **asked).get("failed")
    fill(api, namespace("falco"), pod("falco", "falco-1", "192.0.2.3"))
    assert "there is no workload 'ui'" in apply(api, **asked)["msg"]


def test_a_namespace_without_pods_is_no_mistake(api: FakeApi) -> None:
    fill(api, namespace("c"), pod("b", "server", "192.0.2.2"))
    flow = {"from": {"namespace": "c"}, "to": {"namespace": "b"}, "ports": [80]}
    result = apply(api, state="planned", on_idle="fail", forbidden_flows=[flow])
    assert not result.get("failed"), result
    assert [one["empty"] for one in result["idle_flows"]] == [True]


def test_policies_that_the_server_would_refuse_never_reach_it(api: FakeApi) -> None:
    result = apply(api, definitions=[policy("a", "bad", policyTypes=["Sideways"])])
    assert result["failed"] is True
    assert "policyTypes" in result["msg"]
    assert not [r for r in api.requests if r[0] == "PATCH"]
