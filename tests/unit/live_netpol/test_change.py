"""What is told of connections that a change gives and takes, be they few or very many."""

from __future__ import annotations

import json
from typing import Any

from ansible_collections.falconet.k8s.plugins.module_utils.live_netpol.change import LISTED, compare, nothing

from ..kube.cluster import namespace, pod, policy

DENY = policy("shop", "deny", policyTypes=["Ingress"])


def shop(pods: int) -> list[dict[str, Any]]:
    return [
        namespace("shop"),
        *(pod("shop", f"p{number:03}", f"192.0.2.{number}", (8080,)) for number in range(pods)),
    ]


def denied(pods: int) -> dict[str, Any]:
    before = shop(pods)
    return compare(before, [*before, DENY])


def test_few_connections_are_listed_one_by_one() -> None:
    told = denied(2)
    assert not told["truncated"]
    pairs = [(one["from"], one["to"]) for one in told["lost"]]
    assert ("shop/Pod/p000", "shop/Pod/p001") in pairs
    assert told["summary"]["lost"] == len(pairs)
    assert "lost: shop/Pod/p000 -> shop/Pod/p001: all" in told["text"]


def test_very_many_are_told_together_with_their_number() -> None:
    told = denied(40)
    assert told["truncated"]
    assert told["lost"] == told["gained"] == told["changed"] == []
    assert told["summary"]["lost"] > LISTED
    assert f"lost: {told['summary']['lost']} pairs" in told["text"]
    sources = "shop/Pod/p000, shop/Pod/p001, shop/Pod/p002 and 37 more"
    assert [line for line in told["text"] if line.startswith("lost: shop") and f"-> {sources}: all" in line]


def test_what_is_told_of_very_many_does_not_grow_with_them() -> None:
    few, many = (len(json.dumps(denied(pods))) for pods in (40, 160))
    assert many < few + 50


def test_what_is_told_of_no_change_has_the_same_keys() -> None:
    before = shop(2)
    assert compare(before, before) == nothing()
