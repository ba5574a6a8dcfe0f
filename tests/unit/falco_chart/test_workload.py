"""What a workload says of its images and nodes, however much of it is missing."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.workload import (
    images_of,
    placement_of,
    running_images,
)

NODE_AFFINITY: dict[str, Any] = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": []}}
POD = {
    "initContainers": [{"name": "loader", "image": "l:1"}],
    "containers": [{"name": "falco", "image": "f:1"}, {"name": "bare"}],
    "nodeSelector": {"pool": "edge"},
    "affinity": {"nodeAffinity": NODE_AFFINITY, "podAffinity": {"a": 1}},
    "tolerations": [{"operator": "Exists"}],
}


def test_images_and_placement_are_those_of_the_pods() -> None:
    workload = {"spec": {"template": {"spec": POD}}}
    assert images_of(workload) == {"loader": "l:1", "falco": "f:1", "bare": ""}
    assert placement_of(workload) == {
        "node_selector": {"pool": "edge"},
        "affinity": NODE_AFFINITY,
        "tolerations": [{"operator": "Exists"}],
    }


@pytest.mark.parametrize(
    "workload", [{}, {"spec": None}, {"spec": {"template": None}}, {"spec": {"template": {"spec": {"affinity": None}}}}]
)
def test_what_says_nothing_runs_everywhere(workload: dict[str, Any]) -> None:
    assert images_of(workload) == {}
    assert placement_of(workload) == {"node_selector": {}, "affinity": {}, "tolerations": []}


def test_images_that_run_are_told_once_by_container() -> None:
    pods = [
        {"status": {"containerStatuses": [{"name": "falco", "imageID": digest}, {"name": "waiting", "imageID": ""}]}}
        for digest in ("f@sha256:b", "f@sha256:a", "f@sha256:b")
    ]
    assert running_images([*pods, {}, {"status": None}]) == {"falco": ["f@sha256:a", "f@sha256:b"]}
