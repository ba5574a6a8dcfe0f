"""Pods that nobody thought of, and pods of one workload that policies tell apart."""

from __future__ import annotations

from typing import Any

import pytest

from .test_lint import admin, findings, pod, policy
from .test_traffic import told

WEB = pod("web")
HOST: dict[str, Any] = {**pod("agent"), "spec": {"hostNetwork": True}}
OUT = "{podSelector: {}, policyTypes: [Egress], egress: [{}]}"


@pytest.mark.parametrize(
    ("manifests", "names"),
    [
        pytest.param([WEB, pod("db")], ["Pod/web, Pod/db"], id="of-one-namespace-together"),
        pytest.param([WEB, pod("db", "dev")], ["Pod/db", "Pod/web"], id="each-namespace-by-itself"),
        pytest.param([WEB, policy("{podSelector: {}, ingress: [{}]}")], [], id="selected-for-ingress"),
        pytest.param([WEB, policy(OUT)], [], id="selected-for-egress"),
        pytest.param([WEB, policy(OUT, namespace="dev")], ["Pod/web"], id="a-policy-elsewhere"),
        pytest.param([HOST], [], id="on-the-host-network"),
        pytest.param([WEB, admin("ingress: [{action: Deny, from: [{namespaces: {}}]}]", "a")], [], id="by-an-admin"),
    ],
)
def test_pods_that_no_policy_selects_are_told_for_each_namespace(
    manifests: list[dict[str, Any]], names: list[str]
) -> None:
    assert told("pods-without-policy", *manifests) == [
        f"no policy selects {one}: everyone reaches them, and they reach everyone" for one in names
    ]


def two(first: dict[str, str], second: dict[str, str], **more: Any) -> list[dict[str, Any]]:
    """Two pods of one Deployment."""
    return [pod("w-1", labels=first, owner="w", **more), pod("w-2", labels=second, owner="w", **more)]


BY_TRACK = policy("{podSelector: {matchLabels: {track: stable}}}")
OF_TRACK = policy("{podSelector: {}, egress: [{to: [{podSelector: {matchLabels: {track: stable}}}]}]}")
BY_HASH = policy("{podSelector: {matchLabels: {pod-template-hash: a}}}")
STABLE, CANARY, NEITHER = {"app": "w", "track": "stable"}, {"app": "w", "track": "canary"}, {"app": "w"}
SAID = "its pods w-1 and w-2 differ in the label track, which policies select by"


@pytest.mark.parametrize(
    ("pods", "rules", "expected"),
    [
        pytest.param(two(STABLE, CANARY), BY_TRACK, [SAID], id="by-a-subject"),
        pytest.param(two(STABLE, CANARY), OF_TRACK, [SAID], id="by-a-peer"),
        pytest.param(two(STABLE, NEITHER), BY_TRACK, [SAID], id="only-the-first-has-it"),
        pytest.param(two(NEITHER, STABLE), BY_TRACK, [SAID], id="only-the-second-has-it"),
        pytest.param(two(STABLE, STABLE), BY_TRACK, [], id="alike"),
        pytest.param(two(STABLE, CANARY), policy("{podSelector: {matchLabels: {app: w}}}"), [], id="not-mentioned"),
        pytest.param(
            two({"pod-template-hash": "a"}, {"pod-template-hash": "b"}), BY_HASH, [], id="of-each-pod-by-its-controller"
        ),
        pytest.param([*two(STABLE, CANARY), pod("w-3", labels=CANARY, owner="w")], BY_TRACK, [SAID], id="told-once"),
        pytest.param(
            [pod("w-1", labels=STABLE, owner="w"), pod("x-1", labels=CANARY, owner="x")], BY_TRACK, [], id="of-two"
        ),
        pytest.param([pod("w-1", labels=STABLE), pod("w-2", labels=CANARY)], BY_TRACK, [], id="of-no-workload"),
    ],
)
def test_pods_of_a_workload_that_policies_tell_apart(
    pods: list[dict[str, Any]], rules: dict[str, Any], expected: list[str]
) -> None:
    assert told("mixed-labels", *pods, rules) == expected


def test_a_pod_that_has_finished_differs_from_none() -> None:
    pods = two(STABLE, CANARY)
    assert told("mixed-labels", *pods, BY_TRACK) == [SAID]
    pods[1]["status"] = {"phase": "Succeeded"}
    assert told("mixed-labels", *pods, BY_TRACK) == []


def test_the_workload_is_what_is_told_apart() -> None:
    (found,) = [one for one in findings(*two(STABLE, CANARY), BY_TRACK) if one.code == "mixed-labels"]
    assert (found.item, found.severity) == ("prod/Deployment/w", "warning")
