"""Peers that match nothing, what they were probably meant for, and blocks that hold what one may not think."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.common.finding import Finding
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.lint.peers import told_elsewhere
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.read.manifests import Input, load

from .test_lint import NODE, admin, findings, pod, policy

WEB = pod("web")
FAR = pod("grafana", "monitoring")
MONITORING = {
    "apiVersion": "v1",
    "kind": "Namespace",
    "metadata": {"name": "monitoring", "labels": {"team": "ops"}},
}
OF_TEAM = {"namespaceSelector": {"matchLabels": {"team": "ops"}}}
OF_DEV = {"namespaceSelector": {"matchLabels": {"team": "dev"}}}
DEV = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "dev", "labels": {"team": "dev"}}}
GRAFANA = {"podSelector": {"matchLabels": {"app": "grafana"}}}
#: An operator makes pods of it that are not in the input.
OPERATED = {
    "apiVersion": "db.example.com/v1",
    "kind": "Postgres",
    "metadata": {"name": "db", "namespace": "prod"},
    "spec": {"replicas": 2},
}


def peers_found(*peers: object, beside: tuple[dict[str, object], ...] = ()) -> list[Finding]:
    rule = json.dumps({"podSelector": {"matchLabels": {"app": "web"}}, "ingress": [{"from": list(peers)}]})
    found = findings(WEB, FAR, MONITORING, *beside, policy(rule))
    return [f for f in found if f.code in ("either-selector", "peer-matches-nothing", "both-selectors")]


@pytest.mark.parametrize("peers", [(OF_TEAM, GRAFANA), (GRAFANA, OF_TEAM)])
def test_a_pod_selector_of_its_own_that_was_meant_for_the_namespaces_beside_it(peers: tuple[object, ...]) -> None:
    (found,) = peers_found(*peers)
    assert (found.code, found.severity, found.item) == ("either-selector", "warning", "NetworkPolicy prod/p")
    assert "opens all pods there" in found.message
    assert "one dash" in found.hint


@pytest.mark.parametrize(
    ("peers", "beside", "expected"),
    [
        ((OF_TEAM, GRAFANA), (pod("grafana"),), []),
        (({**OF_TEAM, **GRAFANA},), (), []),
        ((OF_TEAM, {"podSelector": {"matchLabels": {"app": "none"}}}), (), ["peer-matches-nothing"]),
        ((OF_TEAM, {"podSelector": {}}), (), []),
        ((GRAFANA,), (), ["peer-matches-nothing"]),
        (({**OF_TEAM, "podSelector": {"matchLabels": {"app": "grafana"}}}, GRAFANA), (), ["peer-matches-nothing"]),
        ((OF_TEAM, {"ipBlock": {"cidr": "192.0.2.0/24"}}, GRAFANA), (), ["peer-matches-nothing"]),
        ((OF_TEAM, {**OF_DEV, **GRAFANA}), (pod("api", "dev"), DEV), ["both-selectors"]),
        ((OF_TEAM, GRAFANA), (OPERATED,), []),
    ],
)
def test_what_is_right_or_something_else(
    peers: tuple[object, ...], beside: tuple[dict[str, object], ...], expected: list[str]
) -> None:
    assert [found.code for found in peers_found(*peers, beside=beside)] == expected


def test_every_pod_of_a_namespace_without_any_was_meant_for_no_other_namespace() -> None:
    rule = json.dumps({"podSelector": {}, "ingress": [{"from": [OF_TEAM, {"podSelector": {}}]}]})
    found = findings(WEB, FAR, MONITORING, policy(rule, namespace="empty"))
    assert "either-selector" not in {one.code for one in found}


HOST: dict[str, Any] = {**pod("agent", "ops", ip="10.0.0.9"), "spec": {"hostNetwork": True}}
OPS = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "ops", "labels": {"team": "ops"}}}
EMPTY = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "empty", "labels": {"team": "none"}}}
NONE = {"podSelector": {"matchLabels": {"app": "none"}}}


def of_peer(peer: object, *beside: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Codes, messages and hints of what is found of a peer, pods without a policy aside."""
    rule = json.dumps({"podSelector": {"matchLabels": {"app": "web"}}, "ingress": [{"from": [peer]}]})
    found = findings(WEB, *beside, policy(rule))
    return [(one.code, one.message, one.hint) for one in found if one.code != "pods-without-policy"]


@pytest.mark.parametrize(
    ("peer", "beside", "code"),
    [
        pytest.param({**OF_TEAM, "podSelector": {}}, [HOST, OPS], "peer-matches-nothing", id="all-on-the-host-network"),
        pytest.param({**OF_TEAM, **NONE}, [HOST, OPS, FAR], "peer-matches-nothing", id="no-such-pod-anywhere"),
        pytest.param({"namespaceSelector": {}, **NONE}, [FAR], "peer-matches-nothing", id="no-such-pod"),
        pytest.param(
            {"namespaceSelector": {}, "podSelector": {"matchLabels": {"app": "agent"}}},
            [HOST, OPS],
            "host-network-peer",
            id="on-the-host-network-of-any",
        ),
        pytest.param(
            {"namespaceSelector": {"matchLabels": {"team": "none"}}, "podSelector": {"matchLabels": {"app": "web"}}},
            [EMPTY, NODE],
            "peer-matches-nothing",
            id="a-namespace-without-pods",
        ),
    ],
)
def test_what_a_peer_without_pods_was_taken_for(peer: object, beside: list[dict[str, Any]], code: str) -> None:
    assert [found[0] for found in of_peer(peer, *beside)] == [code]


@pytest.mark.parametrize(
    ("peer", "said", "hint"),
    [
        pytest.param(NONE, "pods with app=none in namespace prod", "", id="nothing-like-it"),
        pytest.param(
            {"podSelector": {"matchLabels": {"app": "wev"}}},
            "pods with app=wev in namespace prod",
            "did you mean app=web?",
            id="a-value-like-it",
        ),
        pytest.param(
            {"podSelector": {"matchLabels": {"app": "grafanna"}}},
            "pods with app=grafanna in namespace prod",
            "",
            id="a-value-of-another-namespace",
        ),
        pytest.param(
            {"namespaceSelector": {}, "podSelector": {"matchLabels": {"app": "grafanna"}}},
            "pods with app=grafanna in namespaces with everything",
            "did you mean app=grafana?",
            id="a-value-of-any-namespace",
        ),
        pytest.param(
            {"podSelector": {"matchLabels": {"apps": "web"}}},
            "pods with apps=web in namespace prod",
            "no pod there has the label apps, did you mean app?",
            id="a-key-like-it",
        ),
        pytest.param(
            {"podSelector": {"matchLabels": {"quite-other": "web"}}},
            "pods with quite-other=web in namespace prod",
            "no pod there has the label quite-other",
            id="no-key-like-it",
        ),
    ],
)
def test_what_exists_and_is_spelled_like_it_is_a_hint(peer: object, said: str, hint: str) -> None:
    assert of_peer(peer, FAR) == [("peer-matches-nothing", f"ingress rule 0: no pod matches {said}", hint)]


@pytest.mark.parametrize(
    ("labels", "whole", "expected"),
    [
        pytest.param({"team": "opz"}, False, ("namespace-label-missing", "did you mean ops?"), id="a-value-like-it"),
        pytest.param({"teem": "ops"}, False, ("namespace-label-missing", "did you mean team?"), id="a-key-like-it"),
        pytest.param({"quite-other": "x"}, False, None, id="of-namespaces-that-may-be-elsewhere"),
        pytest.param({"quite-other": "x"}, True, ("namespace-label-missing", ""), id="of-none-in-the-whole-cluster"),
        pytest.param(
            {"name": "ops"},
            False,
            ("namespace-name-label", "write kubernetes.io/metadata.name: ops"),
            id="by-name",
        ),
        pytest.param({"name": "xyz"}, True, ("namespace-label-missing", ""), id="a-label-that-is-called-name"),
        pytest.param({"stage": "ops"}, True, ("namespace-label-missing", ""), id="a-value-that-is-a-namespaces-name"),
        pytest.param({"team": "none"}, False, None, id="a-namespace-whose-pods-may-be-elsewhere"),
        pytest.param({"team": "none"}, True, ("peer-matches-nothing", ""), id="a-namespace-without-pods"),
    ],
)
def test_labels_of_namespaces(labels: dict[str, str], whole: bool, expected: tuple[str, str] | None) -> None:
    beside = [OPS, EMPTY, pod("api", "ops"), *([NODE] if whole else [])]
    found = of_peer({"namespaceSelector": {"matchLabels": labels}}, *beside)
    assert [(code, hint) for code, _said, hint in found] == ([expected] if expected else [])


def test_peers_of_namespaces_that_are_elsewhere_are_a_note() -> None:
    elsewhere = {"from": [{"namespaceSelector": {"matchLabels": {"z": "y"}}}, {"ipBlock": {"cidr": "192.0.2.0/24"}}]}
    here: dict[str, Any] = {"from": [{"podSelector": {}}, {"namespaceSelector": {}}]}
    out = {"to": [{"namespaceSelector": {"matchLabels": {"a": "b"}}}]}
    rules = policy(json.dumps({"podSelector": {}, "ingress": [elsewhere, here, {}], "egress": [out]}))
    said = "policies name namespaces of which the input has no pods, so nothing is said of these peers: a=b; z=y"
    assert told_elsewhere(load([Input("test", objects=[WEB, rules])])) == [said]
    assert told_elsewhere(load([Input("test", objects=[WEB, rules, NODE])])) == []
    assert told_elsewhere(load([Input("test", objects=[rules])])) == []
    assert told_elsewhere(load([Input("test", objects=[WEB])])) == []


@pytest.mark.parametrize(("labels", "missing"), [({"zone": "a"}, False), ({"zone": "b"}, True)])
def test_nodes_that_are_not_there(labels: dict[str, str], missing: bool) -> None:
    node = {**NODE, "metadata": {"name": "node", "labels": {"zone": "a"}}}
    peer = json.dumps({"nodes": {"matchLabels": labels}})
    found = findings(node, WEB, admin(f"egress: [{{action: Allow, to: [{peer}]}}]", "a"))
    assert [one.message for one in found if one.code == "peer-matches-nothing"] == (
        ["egress rule 0: no Node in the input has zone=b"] if missing else []
    )


def test_a_policy_is_not_about_the_host_network_because_there_are_pods_on_it() -> None:
    host = {**HOST, "metadata": {**HOST["metadata"], "namespace": "prod"}}
    nothing = policy("{podSelector: {matchLabels: {app: none}}}")
    assert [
        one.code for one in findings(WEB, host, nothing) if one.item.startswith("N") and one.item != "Namespace prod"
    ] == ["selects-nothing"]


@pytest.mark.parametrize(
    ("manifest", "code"),
    [
        pytest.param(pod("api", ip="10.0.0.2"), "ip-block-covers-pods", id="in-it"),
        pytest.param(pod("api", ip="192.0.2.1"), None, id="beside-it"),
        pytest.param(pod("api", ip="::a00:2"), None, id="of-the-other-family"),
        pytest.param(HOST, None, id="of-a-node"),
        pytest.param(pod("api"), "address-unknown", id="that-it-may-get"),
    ],
)
def test_a_block_holds_addresses_of_pods(manifest: dict[str, Any], code: str | None) -> None:
    rule = policy("{podSelector: {matchLabels: {app: web}}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]}")
    found = findings(pod("web", ip="192.0.2.9"), manifest, rule)
    assert [one.code for one in found if one.item == "NetworkPolicy prod/p"] == ([code] if code else [])
    assert all("10.0.0.0/8" in one.message and "api" in one.message for one in found if one.code == code)
