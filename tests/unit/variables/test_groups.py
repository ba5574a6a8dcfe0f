"""Groups that the plays are for: an inventory without them is told, instead of skipped."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.filter.inventory_problems import (
    cluster_nodes,
    failed_clusters,
    inventory_problems,
    max_fail_percentage,
    nodes_by_cluster,
)
from ansible_collections.falconet.k8s.plugins.module_utils.variables.groups import (
    problems_of_groups,
    redis_nodes_of,
)

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
        (changed(clusters=[]), {}, "no host is in the group clusters, which has a host for each cluster; its groups "
         "are clusters, kube_nodes, redis_nodes."),
        # Of a cluster that is named nothing can be said where there is none.
        (changed(clusters=None), {"n1": "production"}, "there is no group clusters"),
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


def test_where_no_machine_is_known_none_for_redis_is_missing() -> None:
    assert problems_of_groups(changed(kube_nodes=[], redis_nodes=["n9"]), {}) == []


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
    assert nodes_by_cluster(groups, hostvars) == {"a": ["n4", "n1"], "b": ["n3"]}
    assert nodes_by_cluster({}, hostvars) == {}


def test_machines_for_redis_are_the_clusters_own_and_those_that_say_of_none_that_they_are() -> None:
    groups = {"kube_nodes": ["n1", "n2", "n3", "n4"], "redis_nodes": ["n3", "n2", "n1"]}
    assert redis_nodes_of(groups, {"n1": "a", "n2": "b", "n4": "a"}, "a") == ["n3", "n1"]
    assert redis_nodes_of({"kube_nodes": ["n1"]}, {"n1": "a"}, "a") == []


def test_the_variables_of_a_machine_are_put_together_once() -> None:
    """Ansible does that each time that a host is named in hostvars; with 1,000 machines it counts."""

    asked = []

    class Counting(dict[str, Any]):
        def __getitem__(self, host: str) -> Any:
            asked.append(host)
            return super().__getitem__(host)

    hostvars = Counting(n1={"kube_cluster": "a"}, n2={})
    cluster_nodes("a", {"kube_nodes": ["n1", "n2"]}, hostvars)
    assert asked == ["n1", "n2"]
    nodes_by_cluster({"kube_nodes": ["n1", "n2"]}, hostvars)
    assert asked == ["n1", "n2"] * 2


def test_what_failed_is_known_by_its_cluster() -> None:
    groups = {"clusters": ["a", "b", "c"], "kube_nodes": ["a1", "a2", "b1", "n"]}
    hostvars: dict[str, dict[str, Any]] = {
        "a1": {"kube_cluster": "a"}, "a2": {"kube_cluster": "a"}, "b1": {"kube_cluster": "b"}, "n": {}, "c": {},
    }  # fmt: skip
    assert failed_clusters([], {}, {}, {}) == {}
    failed = failed_clusters(["a2", "a1", "c", "n"], groups, hostvars, {})
    assert failed == {"a": ["a1", "a2"], "c": ["c"]}
    assert failed_clusters(["a", "b1"], groups, hostvars, failed) == {**failed, "b": ["b1"]}


def test_with_one_cluster_none_may_fail_and_with_several_all_unless_told() -> None:
    assert max_fail_percentage({"clusters": ["a"]}) == max_fail_percentage({}) == 0
    assert max_fail_percentage({"clusters": ["a", "b"]}) == 100
    assert max_fail_percentage({"clusters": ["a", "b"]}, 0) == 0
    assert max_fail_percentage({"clusters": ["a"]}, "20") == "20"
