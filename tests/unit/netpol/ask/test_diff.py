"""What a change does, told pair by pair, as products and in numbers."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.ask.diff import Change

from ..lint.test_lint import pod, policy
from .test_sides import diff, labelled, pairs

#: With addresses outside, which the other questions here leave out.
WORLD = {"outside": True}

PODS = [pod("web"), pod("api"), pod("db")]


def to_db(ports: str, name: str = "p") -> dict[str, Any]:
    return policy(f"{{podSelector: {{matchLabels: {{app: db}}}}, ingress: [{{ports: [{ports}]}}]}}", name)


@pytest.mark.parametrize(
    ("before", "after", "kind", "text"),
    [
        ((), (("TCP", "80"),), "gained", "a -> b: TCP 80"),
        ((("TCP", "80"),), (), "lost", "a -> b: TCP 80"),
        ((("TCP", "80"),), (("TCP", "80,443"), ("UDP", "all")), "changed", "a -> b: TCP 80 => TCP 80,443; UDP"),
        ((("all", "all"),), (("TCP", "80"),), "changed", "a -> b: all => TCP 80"),
    ],
    ids=["gained", "lost", "changed", "from-all"],
)
def test_a_change_is_told_in_a_line(before: Any, after: Any, kind: str, text: str) -> None:
    change = Change("a", "b", before, after)
    assert (change.kind, str(change)) == (kind, text)


def test_ports_that_change_are_told_with_those_before_and_after() -> None:
    result = diff([*PODS, to_db("{port: 80}")], [*PODS, to_db("{port: 80}, {port: 443}")])
    assert result["difference"]["gained"] == result["difference"]["lost"] == []
    assert result["difference"]["changed"] == [
        {
            "from": f"prod/Pod/{name}",
            "to": "prod/Pod/db",
            "before": [{"protocol": "TCP", "ports": "80"}],
            "after": [{"protocol": "TCP", "ports": "80,443"}],
        }
        for name in ("api", "web")
    ]
    assert "changed: prod/Pod/web -> prod/Pod/db: TCP 80 => TCP 80,443" in result["text"]
    assert {item["from"] for item in result["connections"]} == {"prod/Pod/api", "prod/Pod/web"}


def test_beyond_the_limit_pairs_are_counted_and_told_as_products() -> None:
    before, after = [*PODS, to_db("{port: 80}")], [*PODS, policy("{podSelector: {}, policyTypes: [Ingress]}")]
    listed = diff(before, after)
    result = diff(before, after, limit=1)
    assert (listed["truncated"], result["truncated"]) == (False, True)
    assert {k: result["summary"][k] for k in ("gained", "lost", "changed")} == {"gained": 0, "lost": 6, "changed": 0}
    assert result["text"] == ["gained: 0 pairs", "lost: 6 pairs", "changed: 0 pairs"]
    assert result["difference"] == {"gained": [], "lost": [], "changed": []}
    assert expanded(result["blocks"]) == {
        (item["from"], item["to"], str(item["before"]), str(item["after"])) for item in listed["difference"]["lost"]
    }


def expanded(blocks: list[dict[str, Any]]) -> set[tuple[str, str, str, str]]:
    """Every pair of the products but a lone pod and itself."""
    return {
        (source, destination, str(block["before"]), str(block["after"]))
        for block in blocks
        for source, destination in product(block["from"], block["to"])
        if source != destination
    }


@pytest.mark.parametrize("options", [{}, WORLD], ids=["pods", "world"])
def test_products_and_numbers_say_what_the_list_says(options: dict[str, Any]) -> None:
    """Of pairs that are gained, lost and changed, from sources that a policy isolates and from others."""
    quiet = policy("{podSelector: {matchLabels: {app: api}}, policyTypes: [Egress]}", "quiet")
    before = [*PODS, pod("old"), to_db("{port: 80}"), quiet]
    after = [*PODS, pod("new"), to_db("{port: 80}, {port: 443}")]
    listed, counted = diff(before, after, **options), diff(before, after, limit=0, **options)
    ends = {end for items in listed["difference"].values() for pair in pairs(items) for end in pair}
    assert ("0.0.0.0/0" in ends) == bool(options)
    assert all(listed["difference"].values())
    assert {kind: len(items) for kind, items in listed["difference"].items()} == {
        kind: counted["summary"][kind] for kind in ("gained", "lost", "changed")
    }
    assert expanded(counted["blocks"]) == {
        (item["from"], item["to"], str(item["before"]), str(item["after"]))
        for items in listed["difference"].values()
        for item in items
    }


def test_many_sources_of_which_each_has_ports_of_its_own() -> None:
    """These are compared one by one rather than set by set."""
    names = [f"app-{number}" for number in range(10)]

    def by_source(first: int) -> dict[str, Any]:
        rules = [
            {"from": [{"podSelector": {"matchLabels": {"app": name}}}], "ports": [{"port": first + number}]}
            for number, name in enumerate(names)
        ]
        found = policy("{podSelector: {matchLabels: {app: db}}}")
        found["spec"]["ingress"] = rules
        return found

    pods = [pod("db"), *(labelled(name, name) for name in names)]
    changed = diff([*pods, by_source(1000)], [*pods, by_source(2000)])["difference"]
    assert (changed["gained"], changed["lost"]) == ([], [])
    assert [(c["from"], c["before"][0]["ports"], c["after"][0]["ports"]) for c in changed["changed"]] == [
        (f"prod/Pod/{name}", str(1000 + number), str(2000 + number)) for number, name in enumerate(names)
    ]
    moved = diff([*pods, by_source(1000)], [*pods, by_source(1001)])["difference"]
    assert len(moved["changed"]) == len(names)
    fewer = by_source(1000)
    fewer["spec"]["ingress"].pop(0)
    for first, second, kind in ((by_source(1000), fewer, "lost"), (fewer, by_source(1000), "gained")):
        assert pairs(diff([*pods, first], [*pods, second])["difference"][kind]) == [("prod/Pod/app-0", "prod/Pod/db")]


def test_what_is_lost_and_gained_with_the_world_is_listed_by_its_addresses() -> None:
    closed = policy(
        "{podSelector: {matchLabels: {app: db}}, policyTypes: [Egress],"
        " egress: [{to: [{ipBlock: {cidr: 192.0.2.0/24}}, {ipBlock: {cidr: 198.51.100.0/24}}]}]}"
    )
    result = diff([pod("db")], [pod("db"), closed], **WORLD)
    lost = [("prod/Pod/db", "0.0.0.0-192.0.1.255"), ("prod/Pod/db", "192.0.3.0-198.51.99.255")]
    lost.append(("prod/Pod/db", "198.51.101.0-255.255.255.255"))
    assert pairs(result["difference"]["lost"]) == lost
    assert result["summary"]["lost"] == 3
    assert pairs(diff([pod("db"), closed], [pod("db")], **WORLD)["connections"]) == lost


def test_a_workload_of_two_pods_that_comes_or_goes_has_its_connection_to_itself() -> None:
    shop = [pod(name, owner="shop", labels={}) for name in ("a", "b")]
    for before, after, kind in (([], shop, "gained"), (shop, [], "lost")):
        result = diff([pod("db"), *before], [pod("db"), *after])
        assert ("prod/Deployment/shop", "prod/Deployment/shop") in pairs(result["difference"][kind])
        assert result["summary"][kind] == 3


def test_only_what_has_an_end_in_the_namespaces_is_listed() -> None:
    before = [pod("web"), pod("web", "dev"), pod("web", "ops")]
    after = [labelled("web", "www"), *before[1:], policy("{podSelector: {}, policyTypes: [Ingress]}", "p", "ops")]
    every, some = diff(before, after), diff(before, after, namespaces=("dev",))
    assert pairs(every["difference"]["lost"]) == [("dev/Pod/web", "ops/Pod/web"), ("prod/Pod/web", "ops/Pod/web")]
    assert pairs(some["difference"]["lost"]) == [("dev/Pod/web", "ops/Pod/web")]
    assert [item["name"] for item in every["relabelled"]] == ["prod/Pod/web"]
    assert some["relabelled"] == []
    assert diff(before, after, namespaces=("prod",))["relabelled"] == every["relabelled"]


def test_pods_that_have_finished_are_no_workload_that_goes() -> None:
    done = pod("job")
    done["status"] = {"phase": "Succeeded"}
    result = diff([*PODS, done], PODS)
    assert result["relabelled"] == []
    assert result["summary"]["lost"] == 0
