"""Two selectors as two peers where one peer was meant, and the like that is right as it stands."""

from __future__ import annotations

import json

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.common.finding import Finding

from .test_lint import findings, pod, policy

WEB = pod("web")
FAR = pod("grafana", "monitoring")
MONITORING = {
    "apiVersion": "v1",
    "kind": "Namespace",
    "metadata": {"name": "monitoring", "labels": {"team": "ops"}},
}
OF_TEAM = {"namespaceSelector": {"matchLabels": {"team": "ops"}}}
GRAFANA = {"podSelector": {"matchLabels": {"app": "grafana"}}}


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
    ],
)
def test_what_is_right_or_something_else(
    peers: tuple[object, ...], beside: tuple[dict[str, object], ...], expected: list[str]
) -> None:
    assert [found.code for found in peers_found(*peers, beside=beside)] == expected
