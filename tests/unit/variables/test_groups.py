"""Groups that the plays are for: an inventory without them is told, instead of skipped."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.filter.inventory_problems import cluster_nodes, inventory_problems
from ansible_collections.falconet.k8s.plugins.module_utils.variables.groups import problems_of_groups

GOOD: dict[str, list[str]] = {
    "all": ["production", "n1"],
    "ungrouped": [],
    "clusters": ["production"],
    "kube_nodes": ["n1"],
    "redis_nodes": ["n1"],
}


def changed(**groups: Any) -> dict[str, list[str]]:
    return {name: hosts for name, hosts in {**GOOD, **groups}.items() if hosts is not None}


def test_a_right_inventory_has_no_problem() -> None:
    assert problems_of_groups(GOOD, {"n1": "production"}) == []


def test_a_cluster_whose_machines_are_somebody_elses_is_right() -> None:
    assert problems_of_groups({"all": ["production"], "clusters": ["production"]}, {}) == []


@pytest.mark.parametrize(
    ("groups", "cluster_of", "told"),
    [
        (changed(clusters=None, cluster=["production"]), {}, "there is no group clusters, which has a host for each "
         "cluster; did you mean it by cluster?"),
        (changed(clusters=None), {}, "there is no group clusters, which has a host for each cluster; its groups are "
         "kube_nodes, redis_nodes."),
        (changed(clusters=[]), {}, "no host is in the group clusters"),
        ({"all": []}, {}, "its groups are none."),
        (changed(kube_nodes=None, kube_node=["n1"], redis_nodes=[]), {}, "did you mean it by kube_node?"),
        (GOOD, {"n1": "prodution"}, "kube_cluster of n1 is prodution, which is no host of the group clusters; did you "
         "mean production?"),
        (GOOD, {"n1": "x"}, "those are production."),
        (changed(redis_nodes=["n1", "n9"]), {}, "n9 of the group redis_nodes is not in the group kube_nodes."),
    ],
)  # fmt: skip
def test_each_problem_is_told(groups: dict[str, list[str]], cluster_of: dict[str, str], told: str) -> None:
    found = problems_of_groups(groups, cluster_of)
    assert len(found) == 1
    assert told in found[0]


def test_the_filter_reads_the_cluster_of_each_node() -> None:
    hostvars = {"n1": {"kube_cluster": "prodution"}, "production": {}}
    (told,) = inventory_problems(GOOD, hostvars)
    assert "did you mean production?" in told
    assert inventory_problems(GOOD, {"n1": {}, "production": {}}) == []


def test_machines_of_a_cluster_are_those_that_say_so() -> None:
    hostvars = {"n1": {"kube_cluster": "a"}, "n2": {}, "n3": {"kube_cluster": "b"}, "n4": {"kube_cluster": "a"}}
    groups = {"kube_nodes": ["n4", "n2", "n3", "n1"], "redis_nodes": ["n9"]}
    assert cluster_nodes("a", groups, hostvars) == ["n4", "n1"]
    assert cluster_nodes("a", {}, hostvars) == []
