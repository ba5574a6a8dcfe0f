"""The probe and the policies while things break: nothing is left behind, and no fault is taken for a denial."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sandbox import instance, machines

from .cluster import ROOT, Cluster, wait_for
from .probing import OURS, THEIRS, probe, running_system, start, to_backend, traceless

pytestmark = pytest.mark.cluster

#: A forbidden flow that passes is tried again for this long, so that there is time for things to break.
AGAIN = {"settle_seconds": 12, "on_violation": "report"}
SET = "probe-faults"


@pytest.fixture(scope="module")
def system(cluster: Cluster) -> Iterator[None]:
    with running_system(cluster):
        yield


def pods_of(cluster: Cluster, app: str, namespace: str = OURS) -> list[dict[str, Any]]:
    items = cluster.get("pods", "-n", namespace, "-l", f"app={app}")["items"]
    return [item for item in items if not item["metadata"].get("deletionTimestamp")]


def probers(cluster: Cluster, run: Any) -> bool:
    """Whether the run has come so far that its pods run; it may not have ended before."""
    assert run.process.poll() is None
    items = cluster.get("pods", "-A", "-l", "falconet.k8s/probe-run")["items"]
    return bool(items) and all(item["status"].get("podIP") for item in items)


@pytest.mark.parametrize("method", ["exec", "node"])
def test_an_api_server_that_restarts_meanwhile_is_waited_for(system: None, cluster: Cluster, method: str) -> None:
    flows = [to_backend("frontend"), to_backend("visitor", THEIRS)]
    before = streams(cluster)
    run = start({"forbidden_flows": flows[:1], "required_flows": flows[1:], "method": method, **AGAIN})
    if method == "node":
        wait_for(lambda: probers(cluster, run), 60, "probers")
    else:
        wait_for(lambda: streams(cluster) > before, 60, "the first attempts")
    find = (
        "for p in /proc/[0-9]*; do grep -aq '^kube-apiserver' $p/cmdline 2>/dev/null && kill -9 ${p#/proc/}; done; true"
    )
    cluster.sandbox("exec", "cp01", "--", "sh", "-c", find)
    result = run.result()
    wait_for(lambda: answers(cluster), 90, "the API server to be back")
    assert "results" in result, result
    # What could be tried is told as it is; what could not is not taken for a denial.
    assert {row["conclusion"] for row in result["results"]} <= {"allowed", "unknown"}
    assert {row["status"] for row in result["results"]} <= {"met", "violated", "unproven"}
    assert result["counts"]["met"] == 4, result["unproven"]
    traceless(cluster)


def answers(cluster: Cluster) -> bool:
    done = subprocess.run(
        ["kubectl", "--kubeconfig", str(cluster.kubeconfig), "get", "--raw", "/readyz"], capture_output=True
    )
    return done.returncode == 0


def streams(cluster: Cluster) -> int:
    """Exec streams that the API server has finished since it started."""
    lines = cluster.kubectl("get", "--raw", "/metrics").splitlines()
    found = (line for line in lines if line.startswith("apiserver_request_total{") and 'subresource="exec"' in line)
    return sum(int(float(line.rpartition(" ")[2])) for line in found)


def test_a_pod_that_is_evicted_meanwhile_is_told_apart(system: None, cluster: Cluster) -> None:
    victim = pods_of(cluster, "backend")[0]["metadata"]["name"]
    before = streams(cluster)
    run = start({"forbidden_flows": [to_backend("frontend")], "method": "exec", **AGAIN})
    wait_for(lambda: streams(cluster) > before, 60, "the first attempts")
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": victim, "namespace": OURS}}
    path = f"/api/v1/namespaces/{OURS}/pods/{victim}/eviction"
    cluster.kubectl("create", "--raw", path, "-f", "-", stdin=json.dumps(eviction))
    result = run.result()
    gone = [row for row in result["results"] if row["to"].endswith(victim)]
    others = [row for row in result["results"] if not row["to"].endswith(victim)]
    assert {row["conclusion"] for row in gone} == {"unknown"}
    assert {row["status"] for row in gone} == {"unproven"}
    assert {row["status"] for row in others} == {"violated"}
    assert len(gone) == len(others) == 2
    cluster.kubectl("-n", OURS, "wait", "deployment/backend", "--for=condition=Available", "--timeout=60s")


def policy(name: str) -> dict[str, Any]:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": OURS},
        "spec": {"podSelector": {"matchLabels": {"app": "nobody"}}, "policyTypes": ["Ingress"]},
    }


@pytest.fixture
def other_run(system: None, cluster: Cluster) -> Iterator[subprocess.Popen[str]]:
    """A run that has applied its policies and has not proven them yet; it ends with its standard input."""
    code = (
        "import sys, json; sys.path[:0] = [sys.argv[1]];"
        "from tests.conftest import pytest_configure; pytest_configure();"
        "from tests.unit.module_runner import run_module;"
        "options = json.loads(sys.argv[2]);"
        "print(json.dumps(run_module('netpol_apply', options)), flush=True);"
        "sys.stdin.read();"
        "run_module('netpol_apply', {**options, 'state': 'kept'})"
    )
    options = {"kubeconfig": str(cluster.kubeconfig), "set_name": SET, "definitions": [policy("first")]}
    command = [sys.executable, "-c", code, str(ROOT), json.dumps(options)]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["changed"] is True
    yield process
    process.communicate(timeout=60)
    assert start({"set_name": SET, "definitions": []}, "netpol_apply").result()["changed"] is True
    start({"set_name": SET, "state": "kept"}, "netpol_apply").result()
    assert SET not in cluster.kubectl("get", "leases,configmaps", "-n", "default", "-o", "name")


def test_of_two_runs_at_once_one_waits(other_run: subprocess.Popen[str], cluster: Cluster) -> None:
    second = {"set_name": SET, "definitions": [policy("second")]}
    refused = start(second, "netpol_apply").result()
    assert refused["failed"] is True
    assert "another run changes these policies now" in refused["msg"]
    assert f"Lease default/falconet-policies-{SET}" in refused["msg"]
    waiting = start({**second, "lease_wait": 60}, "netpol_apply")
    other_run.communicate(timeout=60)
    assert waiting.result()["changed"] is True
    names = [item["metadata"]["name"] for item in cluster.get("networkpolicies", "-n", OURS)["items"]]
    assert names == ["second"]


def found(kind: str) -> Any:
    def some(cluster: Cluster) -> object:
        return cluster.kubectl("get", kind, "-A", "-l", "falconet.k8s/probe-run", "-o", "name")

    return some


def pods_run(cluster: Cluster) -> bool:
    items = cluster.get("pods", "-A", "-l", "falconet.k8s/probe-run")["items"]
    return any(item["status"].get("podIP") for item in items)


FORBIDDEN = {"forbidden_flows": [to_backend("visitor", THEIRS)], **AGAIN}
SILENT = {"from": {"namespace": OURS, "workload": "backend"}, "to": {"namespace": THEIRS}, "ports": [9]}
KILLS: dict[str, tuple[dict[str, Any], Callable[[Cluster], object]]] = {
    "canary, its namespace is there": ({"question": "enforcement"}, found("namespaces")),
    "canary, its Jobs are there": ({"question": "enforcement"}, found("jobs")),
    "canary, its pods run": ({"question": "enforcement"}, pods_run),
    "canary, a policy is there": ({"question": "enforcement"}, found("networkpolicies")),
    "method node, its pods run": ({**FORBIDDEN, "method": "node"}, pods_run),
    "method pod, its doubles are there": ({**FORBIDDEN, "method": "pod"}, found("jobs")),
    "method pod, its doubles run": ({**FORBIDDEN, "method": "pod"}, pods_run),
    "listening": ({"forbidden_flows": [SILENT], "listen": True, **AGAIN}, pods_run),
}


@pytest.mark.long
@pytest.mark.parametrize("name", list(KILLS))
def test_a_run_killed_at_any_stage_leaves_nothing(system: None, cluster: Cluster, name: str) -> None:
    options, moment = KILLS[name]
    run = start(options)
    wait_for(lambda: moment(cluster), 60, "the moment to kill")
    run.kill()
    traceless(cluster)
    assert found("networkpolicies")(cluster) == ""


@pytest.mark.long
def test_a_node_that_is_away_is_no_denial(system: None, cluster: Cluster) -> None:
    current = instance.load(os.environ.get("SANDBOX_NAME", "falconet"))
    assert current is not None
    there = machines.find(current, "worker02")
    assert there is not None
    flows = [to_backend("frontend"), to_backend("visitor", THEIRS)]
    try:
        machines.order(there[0], {"do": "stop", "service": "kubelet"})
        result = probe(required_flows=flows, method="exec", settle_seconds=2, on_violation="report")
        on_it = {row["from"] for row in result["results"] if row["verdict"] == "probe_failed"}
        assert len(on_it) == 2, result["results"]
        assert {row["conclusion"] for row in result["results"]} == {"allowed", "unknown"}
        wait_for(lambda: not ready(cluster, "worker02"), 120, "the node to be known as away")
        result = probe(required_flows=flows, method="node", settle_seconds=2, on_violation="report")
        failed = [row for row in result["results"] if row["verdict"] == "probe_failed"]
        assert {row["from"] for row in failed} == on_it
        assert all("node worker02 is not Ready" in row["detail"] for row in failed)
        # The canary makes do with the nodes that are there.
        assert probe(question="enforcement")["enforced"] is True
    finally:
        machines.order(there[0], {"do": "start", "service": "kubelet"})
        wait_for(lambda: ready(cluster, "worker02"), 120, "the node to be back")
    traceless(cluster)


def ready(cluster: Cluster, name: str) -> bool:
    conditions = cluster.get("node", name)["status"]["conditions"]
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
