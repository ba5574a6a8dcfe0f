"""The change that cuts a pod off: what it takes, whom it leaves alone, and what it cannot hold."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.ask.analysis import answer
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.ask.request import Request
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.isolate.names import LABEL, LABELS, identity
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.isolate.plan import (
    QuarantineError,
    Wanted,
    admin_policy,
    plan,
    restored,
    taken_away,
)
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.isolate.proof import Left, open_connections
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.read.manifests import Input, load
from hypothesis import assume, given

from .. import clusters

WANTED = Wanted("prod", "web-1")
ALLOW_ALL = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "NetworkPolicy",
    "metadata": {"name": "allow-all", "namespace": "prod"},
    "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"], "ingress": [{}], "egress": [{}]},
}


def pod(name: str, namespace: str = "prod", **spec: Any) -> dict[str, Any]:
    app = name.partition("-")[0]
    metadata: dict[str, Any] = {"name": name, "namespace": namespace, "labels": {"app": app, "hash": "1", "team": "x"}}
    metadata["ownerReferences"] = [{"kind": "ReplicaSet", "name": app, "controller": True}]
    status = {"podIPs": [{"ip": f"10.0.0.{sum(name.encode()) % 250}"}]}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": {"containers": [], **spec},
        "status": status,
    }


def cluster(*more: dict[str, Any]) -> list[dict[str, Any]]:
    named = {"kubernetes.io/metadata.name": "prod"}
    replicas = {"selector": {"matchLabels": {"app": "web", "hash": "1"}}, "template": {}}
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "prod", "labels": named}},
        {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "metadata": {"name": "web", "namespace": "prod"},
            "spec": replicas,
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "web", "namespace": "prod"},
            "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]},
        },
        pod("web-1"),
        pod("web-2"),
        pod("db-1"),
        *more,
    ]


def test_service_and_controller_let_the_pod_go_by_one_label() -> None:
    made = plan(cluster(), WANTED)
    assert made.removed == {"app": "web"}
    assert made.released == ("ReplicaSet web", "Service web")
    assert made.amended == ()
    assert made.pod["metadata"]["labels"] == {"hash": "1", "team": "x", LABEL: identity("prod", "web-1")}


def test_a_mere_deny_would_not_have_isolated_where_another_policy_allows_everything() -> None:
    objects = cluster(ALLOW_ALL)
    made = plan(objects, WANTED)
    labelled = copy.deepcopy(next(one for one in objects if one["metadata"]["name"] == "web-1"))
    labelled["metadata"]["labels"][LABEL] = WANTED.identity
    others = [one for one in objects if one["metadata"]["name"] != "web-1"]
    merely_denied = open_connections([*others, labelled, *made.policies], WANTED)
    assert {one.by for one in merely_denied} == {"NetworkPolicy prod/allow-all"}
    assert open_connections(made.overlay(objects), WANTED) == []
    (amended,) = made.amended
    assert amended["spec"]["podSelector"]["matchExpressions"] == [{"key": LABEL, "operator": "DoesNotExist"}]
    assert restored(amended) == ALLOW_ALL
    assert restored(ALLOW_ALL) is None


def test_without_leave_to_change_others_policies_what_stays_open_is_told() -> None:
    objects = cluster(ALLOW_ALL)
    made = plan(objects, WANTED, amend=False)
    assert made.amended == ()
    assert not all(one.asked for one in open_connections(made.overlay(objects), WANTED))


def test_what_is_asked_stays_open_and_nothing_else() -> None:
    wanted = Wanted("prod", "web-1", ("192.0.2.7/32",), dns=True)
    dns = pod("kubedns-1", "kube-system")
    dns["metadata"]["labels"] = {"k8s-app": "kube-dns"}
    system = {"name": "kube-system", "labels": {"kubernetes.io/metadata.name": "kube-system"}}
    objects = cluster(ALLOW_ALL, dns, {"apiVersion": "v1", "kind": "Namespace", "metadata": system})
    left = open_connections(plan(objects, wanted).overlay(objects), wanted)
    assert all(one.asked for one in left)
    assert {(one.direction, one.other) for one in left} == {
        ("egress", "192.0.2.7"),
        ("ingress", "192.0.2.7"),
        ("egress", "kube-system/kubedns-1"),
    }
    assert {one.ports for one in left if one.other == "kube-system/kubedns-1"} == {"TCP 53; UDP 53"}


ADMIN_ALLOW: dict[str, Any] = {
    "apiVersion": "policy.networking.k8s.io/v1alpha1",
    "kind": "AdminNetworkPolicy",
    "metadata": {"name": "monitoring"},
    "spec": {
        "priority": 5,
        "subject": {"namespaces": {}},
        "ingress": [{"name": "all", "action": "Allow", "from": [{"namespaces": {}}]}],
    },
}


@pytest.mark.parametrize(
    "admin",
    [
        ("policy.networking.k8s.io/v1alpha1", "AdminNetworkPolicy"),
        ("policy.networking.k8s.io/v1alpha2", "ClusterNetworkPolicy"),
    ],
)
def test_what_stands_above_networkpolicies_is_denied_there_or_told(admin: tuple[str, str]) -> None:
    objects = cluster(ADMIN_ALLOW)
    made = plan(objects, WANTED)
    assert made.amended == ()
    assert not all(one.asked for one in open_connections(made.overlay(objects), WANTED))
    assert (
        "AdminNetworkPolicy monitoring allows it whatever its labels are, and stands above NetworkPolicies"
        in made.unheld
    )
    above = plan(objects, Wanted("prod", "web-1", ("192.0.2.7/32",), dns=True), admin)
    assert load([Input("policies", objects=above.policies)]).problems == []
    if admin[1] == ADMIN_ALLOW["kind"]:
        assert open_connections(plan(objects, WANTED, admin).overlay(objects), WANTED) == []


def test_a_policy_that_an_admin_binds_to_a_label_lets_the_pod_go_by_it() -> None:
    bound = copy.deepcopy(ADMIN_ALLOW)
    bound["spec"]["subject"] = {"pods": {"namespaceSelector": {}, "podSelector": {"matchLabels": {"team": "x"}}}}
    objects = cluster(bound)
    made = plan(objects, WANTED)
    assert made.removed == {"app": "web", "team": "x"}
    assert open_connections(made.overlay(objects), WANTED) == []


@pytest.mark.parametrize("action", ["Deny", "Pass"])
def test_the_pod_keeps_labels_by_which_an_admin_allows_it_nothing(action: str) -> None:
    bound = copy.deepcopy(ADMIN_ALLOW)
    bound["spec"]["subject"] = {"pods": {"namespaceSelector": {}, "podSelector": {"matchLabels": {"team": "x"}}}}
    bound["spec"]["ingress"][0]["action"] = action
    assert plan(cluster(bound), WANTED).removed == {"app": "web"}


def test_the_pod_keeps_labels_by_which_a_baseline_allows_it_something() -> None:
    """The quarantine's own policy isolates, and a baseline holds only where none does."""
    bound = copy.deepcopy(ADMIN_ALLOW)
    bound.update(kind="BaselineAdminNetworkPolicy", metadata={"name": "default"})
    del bound["spec"]["priority"]
    bound["spec"]["subject"] = {"pods": {"namespaceSelector": {}, "podSelector": {"matchLabels": {"team": "x"}}}}
    assert plan(cluster(bound), WANTED).removed == {"app": "web"}


@pytest.mark.parametrize(
    ("asked", "rules"),
    [
        ({}, ["all"]),
        ({"dns": True}, ["dns", "all"]),
        ({"cidrs": ("192.0.2.7/32",), "dns": True}, ["asked", "dns", "all"]),
    ],
    ids=["nothing", "dns", "both"],
)
def test_a_policy_above_lets_through_what_is_asked_before_it_denies(asked: dict[str, Any], rules: list[str]) -> None:
    made = admin_policy(Wanted("prod", "web-1", **asked), "policy.networking.k8s.io/v1alpha1", "AdminNetworkPolicy")
    assert [one["name"] for one in made["spec"]["egress"]] == rules
    assert made["spec"]["priority"] == 0


def test_only_services_and_controllers_that_had_the_pod_are_told_to_let_it_go() -> None:
    allows: dict[str, Any] = copy.deepcopy(ALLOW_ALL)
    allows["spec"]["podSelector"] = {"matchLabels": {"app": "web"}}
    other = copy.deepcopy(cluster()[2])
    other["metadata"]["name"], other["spec"]["selector"] = "db", {"app": "db"}
    keeps = copy.deepcopy(cluster()[2])
    keeps["metadata"]["name"], keeps["spec"]["selector"] = "held", {LABEL: WANTED.identity}
    made = plan(cluster(allows, other, keeps), WANTED)
    assert made.released == ("ReplicaSet web", "Service web")
    assert made.amended == ()


def test_the_pod_keeps_labels_by_which_a_networkpolicy_only_isolates_it() -> None:
    denies = copy.deepcopy(ALLOW_ALL)
    denies["spec"] = {"podSelector": {"matchLabels": {"team": "x"}}, "policyTypes": ["Ingress", "Egress"]}
    assert plan(cluster(denies), WANTED).removed == {"app": "web"}


@pytest.mark.parametrize(("name", "removed"), [("prod", {"app": "web", "team": "x"}), ("dev", {"app": "web"})])
def test_the_pod_leaves_what_is_about_its_own_namespace(name: str, removed: dict[str, str]) -> None:
    bound = copy.deepcopy(ADMIN_ALLOW)
    namespaces = {"matchLabels": {"kubernetes.io/metadata.name": name}}
    bound["spec"]["subject"] = {
        "pods": {"namespaceSelector": namespaces, "podSelector": {"matchLabels": {"team": "x"}}}
    }
    assert plan(cluster(bound), WANTED).removed == removed


def test_policies_that_cannot_be_read_and_services_without_a_selector_do_not_stop_it() -> None:
    broken = {**ALLOW_ALL, "spec": {"podSelector": 5}}
    bare = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "bare", "namespace": "prod"}, "spec": {}}
    assert plan(cluster(broken, bare), WANTED).released == ("ReplicaSet web", "Service web")


@pytest.mark.parametrize(("kind", "name"), [("ReplicaSet", "other"), ("StatefulSet", "web"), ("Custom", "web")])
def test_the_pod_leaves_no_controller_but_its_own(kind: str, name: str) -> None:
    objects = cluster()
    stranger = copy.deepcopy(objects[1])
    stranger.update(kind=kind, metadata={"name": name, "namespace": "prod"})
    stranger["spec"]["selector"] = {"matchLabels": {"team": "x"}}
    made = plan([*objects, stranger], WANTED)
    assert (made.removed, made.released) == ({"app": "web"}, ("ReplicaSet web", "Service web"))


def test_a_selector_of_an_owner_that_is_no_controller_of_kubernetes_is_not_read() -> None:
    objects = owned("Custom")
    stranger = copy.deepcopy(objects[1])
    stranger.update(kind="Custom", metadata={"name": "web", "namespace": "prod"})
    stranger["spec"]["selector"] = {"matchLabels": {"team": "x"}}
    assert plan([*objects, stranger], WANTED).removed == {"app": "web"}


def test_a_networkpolicy_that_lets_the_pod_go_is_not_said_to_stand_above() -> None:
    assert "stands above" not in " | ".join(plan(cluster(ALLOW_ALL), WANTED).unheld)


def test_a_second_plan_leaves_the_quarantines_own_policy_as_it_is() -> None:
    wanted = Wanted("prod", "web-1", ("192.0.2.7/32",), dns=True)
    first = plan(cluster(), wanted)
    again = plan(first.overlay(cluster()), wanted)
    assert (again.policies, again.amended) == (first.policies, ())


def test_a_second_plan_on_the_held_pod_is_the_same_and_takes_labels_that_were_put_back() -> None:
    objects = cluster(ALLOW_ALL)
    first = plan(objects, WANTED)
    held = first.overlay(objects)
    again = plan(held, WANTED)
    assert (again.pod, again.removed, again.amended) == (first.pod, first.removed, ())
    put_back = copy.deepcopy(held)
    next(one for one in put_back if one["metadata"]["name"] == "web-1")["metadata"]["labels"]["app"] = "web"
    assert plan(put_back, WANTED).pod == first.pod


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"hostNetwork": True}, "prod/web-1 is on its node's network, where no NetworkPolicy holds it"),
        ({"phase": "Succeeded"}, "prod/web-1 has run to its end"),
        (None, "there is no pod prod/web-1"),
    ],
)
def test_a_pod_that_cannot_be_held_is_refused(change: dict[str, Any] | None, said: str) -> None:
    objects = cluster()
    held = next(one for one in objects if one["metadata"]["name"] == "web-1")
    if change is None:
        objects.remove(held)
    else:
        held["spec"].update({key: value for key, value in change.items() if key == "hostNetwork"})
        held["status"] = {key: value for key, value in change.items() if key == "phase"}
    with pytest.raises(QuarantineError, match=said):
        plan(objects, WANTED)


def owned(kind: str | None) -> list[dict[str, Any]]:
    objects = cluster()
    held = next(one for one in objects if one["metadata"]["name"] == "web-1")
    held["metadata"]["ownerReferences"] = [{"kind": kind, "name": "web", "controller": True}] if kind else []
    return objects


def test_what_it_cannot_hold_and_what_does_not_start_is_told() -> None:
    told = " | ".join(plan(owned("StatefulSet"), WANTED).unheld)
    assert "connections that are open already may stay" in told
    assert "its node itself, with its kubelet" in told
    objects = cluster()
    next(one for one in objects if one["metadata"]["name"] == "web-1")["spec"]["nodeName"] = "worker-1"
    assert "worker-1 itself, with its kubelet" in " | ".join(plan(objects, WANTED).unheld)
    assert "StatefulSet web starts no replacement while a pod of this name is there" in told
    assert "no controller owns the pod" in " | ".join(plan(owned(None), WANTED).unheld)
    assert "Custom web keeps the pod, so nothing starts in its place" in " | ".join(
        plan(owned("Custom"), WANTED).unheld
    )


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ('{"app": "web"}', {"app": "web"}),
        ('{"app": 1}', {"app": "1"}),
        ("", {}),
        ('{"app": ', {}),
        ('["app"]', {}),
        ("[" * 100_000, {}),
    ],
    ids=["labels", "a-number", "empty", "cut-off", "a-list", "too-deep"],
)
def test_labels_that_a_quarantine_took_are_read_from_an_annotation_that_anybody_may_break(
    text: str, labels: dict[str, str]
) -> None:
    held = plan(cluster(), WANTED).pod
    assert taken_away(held) == {"app": "web"}
    held["metadata"]["annotations"][LABELS] = text
    assert taken_away(held) == labels


def test_a_policys_own_expressions_stay_when_it_is_restored() -> None:
    before: dict[str, Any] = copy.deepcopy(ALLOW_ALL)
    before["spec"]["podSelector"] = {"matchExpressions": [{"key": "free", "operator": "DoesNotExist"}]}
    (amended,) = plan(cluster(before), WANTED).amended
    assert restored(amended) == before


def test_a_selector_that_asks_for_no_label_keeps_the_pod_and_that_is_told() -> None:
    objects = cluster()
    objects[1]["spec"]["selector"] = {"matchExpressions": [{"key": "other", "operator": "DoesNotExist"}]}
    made = plan(objects, WANTED)
    told = made.unheld
    assert made.released == ("Service web",)
    assert "ReplicaSet web keeps the pod: its selector asks for no label that the pod could give up" in told
    assert "Service web" not in " | ".join(told)


def test_nothing_is_proven_of_a_pod_that_is_not_there() -> None:
    with pytest.raises(QuarantineError, match="there is no pod prod/web-9"):
        open_connections(cluster(), Wanted("prod", "web-9"))


def test_what_may_be_open_to_a_pod_without_an_address_counts_as_open() -> None:
    wanted = Wanted("prod", "web-1", ("192.0.2.0/24",))
    late = pod("late-1")
    late["status"] = {}
    objects = cluster(late)
    left = open_connections(plan(objects, wanted).overlay(objects), wanted)
    assert {(one.direction, one.other) for one in left} == {
        ("ingress", "192.0.2.0/24"),
        ("egress", "192.0.2.0/24"),
        ("ingress", "prod/late-1"),
        ("egress", "prod/late-1"),
    }


def test_what_is_between_the_pod_and_its_own_node_does_not_count() -> None:
    node = pod("agent-1", hostNetwork=True, nodeName="n")
    objects = cluster(node)
    next(one for one in objects if one["metadata"]["name"] == "web-1")["spec"]["nodeName"] = "n"
    assert open_connections(plan(objects, WANTED).overlay(objects), WANTED) == []


def test_what_stays_open_is_told_with_who_allows_it() -> None:
    assert str(Left("ingress", "a/b", "TCP 80", "", False)) == "ingress from a/b on TCP 80"
    assert str(Left("egress", "a/b", "TCP 80", "X y", True)) == "egress to a/b on TCP 80, by X y"


def reaching(objects: list[Any], but: str) -> set[tuple[str, ...]]:
    """All connections between others."""
    model = load([Input("snapshot", objects=objects)], "skip")
    found = answer(Request("matrix", by="pod"), model)["connections"]
    return {tuple(one.values()) for one in found if but not in (one["from"], one["to"])}


@given(clusters.objects(cluster_scoped=False))
def test_whatever_policies_there_are_the_pod_is_cut_off_and_others_are_left_alone(
    objects: list[dict[str, Any]],
) -> None:
    found = [one for one in objects if one["kind"] == "Pod" and not one["spec"].get("hostNetwork")]
    assume(found)
    metadata = found[0]["metadata"]
    wanted = Wanted(metadata["namespace"], metadata["name"])
    after = plan(objects, wanted).overlay(objects)
    assert open_connections(after, wanted) == []
    name = f"{metadata['namespace']}/{metadata['name']}"
    assert reaching(after, name) == reaching(objects, name)
