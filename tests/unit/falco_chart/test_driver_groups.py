"""Groups of nodes with another driver: a release each, on their own nodes, and no node with two Falcos or none."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.problems import FalcoChartError
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.values import (
    build_driver_releases,
    build_values,
)
from hypothesis import given
from hypothesis import strategies as st

OLD = {"name": "old", "driver": "kmod", "nodes": ["w1", "w2"]}
EDGE = {"name": "edge", "driver": "auto", "node_labels": {"pool": "edge"}}
NODES = {
    "w1": {"kubernetes.io/hostname": "w1"},
    "w2": {"kubernetes.io/hostname": "w2"},
    "w3": {"kubernetes.io/hostname": "w3", "pool": "edge"},
    "w4": {"kubernetes.io/hostname": "w4", "pool": "core"},
}


def admits(values: dict[str, Any], labels: dict[str, str]) -> bool:
    """Whether the scheduler may place a pod there, as Kubernetes reads a node affinity: a missing label is not in."""
    required = values["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    return any(
        all((labels.get(e["key"]) in e["values"]) == (e["operator"] == "In") for e in term["matchExpressions"])
        for term in required["nodeSelectorTerms"]
    )


def test_a_group_is_a_release_that_sends_to_the_first_ones_falcosidekick() -> None:
    variables = {"driver_groups": [OLD], "outputs": {"slack": {"webhookurl": "https://hooks.example/planted"}}}
    (release,) = build_driver_releases(variables)
    values = release["values"]
    assert release["name"] == "falco-old"
    assert values["driver"]["kind"] == "kmod"
    assert values["falcosidekick"] == {"enabled": False}
    assert values["falco"]["http_output"]["url"] == "http://falco-falcosidekick:2801"
    assert values["controller"]["labels"] == {"falconet.k8s/falco": "falco"}
    assert build_values(variables)["driver"]["kind"] == "modern_ebpf"
    assert "planted" not in repr([release, build_values(variables)])


def test_a_group_follows_what_the_first_release_does() -> None:
    tls = {"sidekick_tls": "mutual", "sidekick_tls_secret": "s", "sidekick_tls_client_secret": "c"}
    (release,) = build_driver_releases({"driver_groups": [OLD], **tls, "own_rules_config_maps": ["a"]})
    assert release["values"]["falco"]["http_output"]["url"] == "https://falco-falcosidekick:2801"
    assert release["values"]["certs"] == {"existingSecret": "s", "existingClientSecret": "c"}
    assert release["values"]["mounts"]["volumes"][0]["projected"]["sources"][0]["configMap"]["name"] == "a"
    away = {"sidekick_enabled": False, "sidekick_url": "http://alerts.example"}
    (release,) = build_driver_releases({"driver_groups": [OLD], **away})
    assert release["values"]["falco"]["http_output"]["url"] == "http://alerts.example"
    extra = {"falco": {"priority": "info"}, "falcosidekick": {"priorityClassName": "a"}}
    (release,) = build_driver_releases({"driver_groups": [OLD], "extra_values": extra})
    assert release["values"]["falco"]["priority"] == "info"
    assert release["values"]["falcosidekick"] == {"enabled": False}


def test_other_affinity_is_kept() -> None:
    pods: dict[str, Any] = {
        "podAntiAffinity": {"x": []},
        "nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": []},
    }
    variables = {"driver_groups": [OLD], "affinity": pods}
    for values in (build_values(variables), build_driver_releases(variables)[0]["values"]):
        assert values["affinity"]["podAntiAffinity"] == {"x": []}
        assert "preferredDuringSchedulingIgnoredDuringExecution" in values["affinity"]["nodeAffinity"]


@given(
    st.dictionaries(st.sampled_from(["w1", "w2", "w3", "w4"]), st.sampled_from(["", "edge", "core"]), min_size=1),
    st.sampled_from([[OLD], [EDGE], [OLD, EDGE]]),
)
def test_every_node_has_exactly_one_falco(pools: dict[str, str], groups: list[dict[str, Any]]) -> None:
    nodes = {name: {"kubernetes.io/hostname": name, **({"pool": pool} if pool else {})} for name, pool in pools.items()}
    variables = {"driver_groups": groups, "nodes": nodes}
    try:
        releases = [build_values(variables), *(release["values"] for release in build_driver_releases(variables))]
    except FalcoChartError:
        return  # a node that is missing, or in two groups
    for labels in nodes.values():
        assert sum(admits(values, labels) for values in releases) == 1


@pytest.mark.parametrize(
    ("groups", "told"),
    [
        (["old"], "falco_driver_groups[0]: must be a mapping with name, driver and nodes, not a string."),
        ([{**OLD, "node": ["w1"]}], "falco_driver_groups[0].node: is unknown. Did you mean nodes?"),
        ([{**OLD, "nodes": "w1"}], "falco_driver_groups[0].nodes: must be of type list, not a string."),
        ([{**OLD, "driver": "ebpf"}], "driver: must be one of modern_ebpf, kmod, auto, not 'ebpf'."),
        ([{**OLD, "name": "Old"}], "must be at most 20 small letters"),
        ([{**OLD, "name": "rules"}], "rules is the name of an object of the first release."),
        ([OLD, {**OLD, "nodes": ["w3"]}], "falco_driver_groups[1].name: old is the name of another group."),
        ([{**OLD, "nodes": []}], "needs nodes (their names) or node_labels (one label), one of them."),
        ([{**OLD, "node_labels": {"a": "b"}}], "needs nodes (their names) or node_labels (one label), one of them."),
        ([{**EDGE, "node_labels": {"a": "b", "c": "d"}}], "node_labels: must be one label."),
        ([{**OLD, "nodes": ["w9"]}], "falco_driver_groups.old: w9 is no node of this cluster."),
        ([{**EDGE, "node_labels": {"pool": "none"}}], "falco_driver_groups.edge: no node has the label pool=none."),
        ([{**OLD, "nodes": ["w3"]}, EDGE], "falco_driver_groups.edge: w3 is a node of the group old, too."),
    ],
)
def test_what_cannot_work_is_told(groups: list[Any], told: str) -> None:
    with pytest.raises(FalcoChartError) as error:
        build_values({"driver_groups": groups, "nodes": NODES})
    assert told in str(error.value)


def test_of_nodes_by_name_only_those_that_are_missing_are_told() -> None:
    with pytest.raises(FalcoChartError) as error:
        build_values({"driver_groups": [{**OLD, "nodes": ["w9"]}], "nodes": NODES})
    assert [problem.message for problem in error.value.problems] == ["w9 is no node of this cluster."]


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"driver": "none"}, "falco_driver is none"),
        (
            {"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"a": 1}}}},
            "falco_affinity.nodeAffinity: cannot be combined with falco_driver_groups.",
        ),
    ],
)
def test_what_cannot_be_combined_is_told(variables: dict[str, Any], told: str) -> None:
    with pytest.raises(FalcoChartError) as error:
        build_values({"driver_groups": [OLD], **variables})
    assert told in str(error.value)


def test_the_first_releases_name_and_driver_are_not_given_to_a_group() -> None:
    extra = {"fullnameOverride": "falco", "driver": {"kind": "modern_ebpf", "sysfsMountPath": "/sys"}}
    (release,) = build_driver_releases({"driver_groups": [OLD], "extra_values": extra})
    assert "fullnameOverride" not in release["values"]
    assert release["values"]["driver"]["kind"] == OLD["driver"] != "modern_ebpf"
    assert release["values"]["driver"]["sysfsMountPath"] == "/sys"
