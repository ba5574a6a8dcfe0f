"""Reasons from pods, events and metrics."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.diagnosis import (
    crashed_containers,
    diagnose,
    hints,
)
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.metrics import (
    differences,
    process_facts,
    rules_digests,
)


def pod(
    name: str, containers: list[dict[str, Any]] | None = None, ready: bool = False, **status: Any
) -> dict[str, Any]:
    conditions = [{"type": "Ready", "status": str(ready)}, *status.pop("conditions", [])]
    return {
        "metadata": {"name": name},
        "spec": {"nodeName": "worker01"},
        "status": {"containerStatuses": containers or [], "conditions": conditions, **status},
    }


def waiting(reason: str, message: str = "") -> dict[str, Any]:
    return {"name": "falco", "ready": False, "state": {"waiting": {"reason": reason, "message": message}}}


def test_image_that_cannot_be_pulled() -> None:
    (reason,) = diagnose([pod("falco-a", [waiting("ImagePullBackOff", "no such image r.example/falco:1")])], [])
    assert reason == "pod falco-a on worker01: container falco: ImagePullBackOff: no such image r.example/falco:1"
    assert "falco_image_pull_secrets" in hints([reason])[0]


def test_pod_that_fits_no_node() -> None:
    unscheduled = {
        "type": "PodScheduled",
        "status": "False",
        "reason": "Unschedulable",
        "message": "0/3: untolerated taint",
    }
    (reason,) = diagnose([pod("falco-a", conditions=[unscheduled])], [])
    assert "Unschedulable: 0/3: untolerated taint" in reason
    assert hints([reason]) == ["Add the taint to falco_tolerations."]


def test_out_of_memory_and_its_container() -> None:
    status = {"name": "falco", "ready": False, "state": {"waiting": {"reason": "CrashLoopBackOff"}},
              "lastState": {"terminated": {"reason": "OOMKilled", "exitCode": 137}}}  # fmt: skip
    found = diagnose([pod("falco-a", [status])], [])
    assert any("OOMKilled with exit code 137" in reason for reason in found)
    assert crashed_containers(pod("falco-a", [status])) == [("falco", True)]


def test_admission_that_refuses_pods_is_told_by_the_daemonset() -> None:
    event = {"type": "Warning", "reason": "FailedCreate", "message": 'violates PodSecurity "restricted"',
             "involvedObject": {"kind": "DaemonSet", "name": "falco"}}  # fmt: skip
    (reason,) = diagnose([], [event, event])
    assert reason.startswith("daemonset falco: FailedCreate")
    assert "falco_namespace_labels" in hints([reason])[0]


def test_pods_that_are_ready_say_nothing() -> None:
    event = {"type": "Warning", "reason": "Unhealthy", "involvedObject": {"kind": "Pod", "name": "falco-a"}}
    assert diagnose([pod("falco-a", ready=True)], [event]) == []


@pytest.mark.parametrize("reason", ["ContainerCreating", "PodInitializing"])
def test_what_only_begins_is_no_reason(reason: str) -> None:
    assert diagnose([pod("falco-a", [waiting(reason)])], []) == []


METRICS = """# HELP falcosecurity_falco_sha256_rules_files_info x
falcosecurity_falco_sha256_rules_files_info{file_name="falco_rules.yaml",sha256="aa"} 1
falcosecurity_falco_sha256_rules_files_info{file_name="site.yaml",sha256="bb"} 1
falcosecurity_falco_sha256_config_files_info{file_name="falco.yaml",sha256="cc"} 1
"""


def test_digests_of_rules_files_are_read() -> None:
    assert rules_digests(METRICS) == {"falco_rules.yaml": "aa", "site.yaml": "bb"}


def test_a_process_tells_of_itself_and_of_its_events() -> None:
    text = """\
# TYPE falcosecurity_scap_n_evts_total counter
falcosecurity_scap_n_evts_total 277107
falcosecurity_scap_n_drops_total 1.5e+01
falcosecurity_falco_start_timestamp_nanoseconds 1795251468104636853
falcosecurity_falco_version_info{version="0.44.99"} 1
falcosecurity_scap_engine_name_info{engine_name="modern_bpf",evt_source="syscall"} 1
falcosecurity_falco_kernel_release_info{kernel_release="6.18.44"} 1
falcosecurity_odd nothing
"""
    assert process_facts(text) == {
        "events": 277107,
        "dropped": 15,
        "started_ns": 1795251468104636853,
        "reloaded_ns": None,
        "version": "0.44.99",
        "driver": "modern_bpf",
        "kernel": "6.18.44",
    }
    assert process_facts("")["dropped"] is None


def test_differences_are_told() -> None:
    running = rules_digests(METRICS)
    assert differences(running, {"site.yaml": "bb"}) == []
    assert differences(running, {"site.yaml": "xx", "new.yaml": "yy"}, ["falco_rules.yaml", "gone.yaml"]) == [
        "has not loaded new.yaml",
        "runs site.yaml bb instead of xx",
        "still runs falco_rules.yaml",
    ]
