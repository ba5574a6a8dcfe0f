"""Why a node has no pod of a DaemonSet: each thing that keeps pods off is named, and nothing that does not."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.evidence.placement import is_ready, why_not_on

NOTHING = "nothing keeps it off, so its pod is not made yet or was refused: see the events of its DaemonSet"
LABELS = {"kubernetes.io/hostname": "n1", "cpus": "8"}


def node(*taints: dict[str, str], **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": "n1", "labels": LABELS}, "spec": {"taints": list(taints), **spec}}


def taint(key: str, effect: str = "NoSchedule", **more: str) -> dict[str, str]:
    return {"key": key, "effect": effect, **more}


def wanting(key: str, operator: str, *values: str, field: bool = False) -> dict[str, Any]:
    part = "matchFields" if field else "matchExpressions"
    term = {part: [{"key": key, "operator": operator, "values": list(values)}]}
    return {"affinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}}


@pytest.mark.parametrize(
    ("tolerations", "keeps"),
    [
        ([], True),
        ([{"operator": "Exists"}], False),
        ([{"key": "gpu", "operator": "Exists"}], False),
        ([{"key": "gpu", "operator": "Exists", "effect": "NoExecute"}], True),
        ([{"key": "gpu", "value": "yes", "effect": "NoSchedule"}], False),
        ([{"key": "gpu", "operator": "Equal", "value": "no"}], True),
        ([{"key": "gpu"}], True),
        ([{"key": "other", "operator": "Exists"}], True),
        ([{"value": "yes"}], True),
    ],
)
def test_a_taint_keeps_off_unless_it_is_tolerated(tolerations: list[dict[str, str]], keeps: bool) -> None:
    told = why_not_on(node(taint("gpu", value="yes")), {"tolerations": tolerations})
    assert told == ("its taint is gpu=yes:NoSchedule: see falco_tolerations" if keeps else NOTHING)


def test_taints_that_keep_no_daemonset_off_are_not_named() -> None:
    mild = [taint("a", "PreferNoSchedule"), taint("node.kubernetes.io/disk-pressure"), taint("b", "NoExecute")]
    assert why_not_on(node(*mild), {}) == "its taint is b:NoExecute: see falco_tolerations"
    assert why_not_on(node(taint("a"), taint("b")), {}).startswith("its taints are a:NoSchedule, b:NoSchedule")


def test_a_node_selector_is_named_by_the_label_that_lacks() -> None:
    told = why_not_on(node(), {"node_selector": {"cpus": "8", "disk": "ssd"}})
    assert told == "it has not the label disk=ssd that the DaemonSet's node selector wants"


@pytest.mark.parametrize(
    ("affinity", "told"),
    [
        (wanting("kubernetes.io/hostname", "NotIn", "n1"), "kubernetes.io/hostname NotIn [n1]"),
        (wanting("kubernetes.io/hostname", "In", "n2", "n3"), "kubernetes.io/hostname In [n2, n3]"),
        (wanting("disk", "Exists"), "disk Exists"),
        (wanting("cpus", "DoesNotExist"), "cpus DoesNotExist"),
        (wanting("cpus", "Gt", "8"), "cpus Gt [8]"),
        (wanting("cpus", "Lt", "8"), "cpus Lt [8]"),
        (wanting("kubernetes.io/hostname", "Lt", "8"), "kubernetes.io/hostname Lt [8]"),
        (wanting("disk", "Gt", "1"), "disk Gt [1]"),
        (wanting("metadata.name", "NotIn", "n1", field=True), "metadata.name NotIn [n1]"),
        (wanting("kubernetes.io/hostname", "In", "n1"), ""),
        (wanting("disk", "NotIn", "hdd"), ""),
        (wanting("cpus", "Gt", "4"), ""),
        (wanting("cpus", "Lt", "16"), ""),
        (wanting("cpus", "Exists"), ""),
        (wanting("disk", "DoesNotExist"), ""),
        (wanting("metadata.name", "In", "n1", field=True), ""),
    ],
)
def test_an_affinity_is_named_by_what_it_wants(affinity: dict[str, Any], told: str) -> None:
    words = f"the DaemonSet's affinity keeps it off: it wants {told}" if told else NOTHING
    assert why_not_on(node(), affinity) == words


def test_of_several_terms_one_is_enough() -> None:
    two = wanting("disk", "Exists")
    terms = two["affinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    terms.append({})
    assert "it wants disk Exists or " in why_not_on(node(), two)
    terms.append(
        wanting("cpus", "Exists")["affinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"][0]
    )
    assert why_not_on(node(), two) == NOTHING


def test_a_cordon_and_a_node_that_is_not_ready_are_named() -> None:
    ill = {**node(unschedulable=True), "status": {"conditions": [{"type": "Ready", "status": "False"}]}}
    assert why_not_on(ill, {}) == "it is cordoned (kubectl uncordon); the node is not Ready"
    assert (is_ready(ill), is_ready(node())) == (False, None)
