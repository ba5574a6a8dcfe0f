"""The rulebook's place in a cluster: the API server takes its manifests, and its rights suffice and are no more."""

from __future__ import annotations

import copy
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ..unit.module_runner import run_module
from .cluster import ROOT, Cluster, wait_for
from .probing import OURS, apply, running_system, traceless
from .test_netpol_quarantine import LABEL, backends, quarantine
from .test_rulebook import alert

pytestmark = [pytest.mark.cluster, pytest.mark.long]

RBAC = ROOT / "docs" / "rbac"
DEPLOYMENT = ROOT / "docs" / "examples" / "rulebook" / "deployment.yaml"
ACCOUNT = "system:serviceaccount:falco:falconet-respond"
WORK = "falconet-respond"
#: What nobody who responds needs.
TOO_MUCH = [
    ("get", "secrets", "falco"),
    ("list", "secrets", "falconet-respond"),
    ("create", "pods", OURS),
    ("create", "pods/exec", OURS),
    ("create", "jobs.batch", OURS),
    ("update", "configmaps", "falco"),
    ("delete", "pods", OURS),
    ("patch", "deployments.apps", OURS),
    ("patch", "nodes", ""),
    ("create", "clusterrolebindings.rbac.authorization.k8s.io", ""),
]


def bound(role: str) -> dict[str, Any]:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": role},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
        "subjects": [{"kind": "ServiceAccount", "name": "falconet-respond", "namespace": "falco"}],
    }


@pytest.fixture(scope="module")
def account(cluster: Cluster) -> Iterator[dict[str, Any]]:
    """The rulebook's service account with the documented rights; options to connect as it."""
    files = [RBAC / f"{name}.yaml" for name in ("netpol-read", "netpol-quarantine", "respond")]
    apply(cluster, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "falco"}})
    for file in files:
        cluster.kubectl("apply", "-f", str(file))
    token = cluster.kubectl("-n", "falco", "create", "token", "falconet-respond").strip()
    config = json.loads(cluster.kubectl("config", "view", "--raw", "--flatten", "-o", "json"))
    server = config["clusters"][0]["cluster"]["server"]
    yield {"host": server, "api_key": token, "validate_certs": False, "work_namespace": WORK}
    for file in [*files, RBAC / "respond-stop.yaml"]:
        cluster.kubectl("delete", "-f", str(file), "--ignore-not-found", "--wait=false")
    cluster.kubectl("delete", "clusterrolebinding", "falconet-respond-stop", "--ignore-not-found")


@pytest.fixture(scope="module")
def system(cluster: Cluster) -> Iterator[None]:
    with running_system(cluster):
        yield


def respond(account: dict[str, Any], tmp_path: Path, pod: str, *steps: str, **more: Any) -> dict[str, Any]:
    """What is done about a fresh alert about a pod."""
    options = {"alert": json.dumps(alert(pod)), "ladder": [{"name": "all", "steps": list(steps)}]}
    limits = {"dry_run": False, "share_up": 0}
    return run_module("incident_respond", {**account, **options, "limits": limits, "dest": str(tmp_path), **more})


def may(cluster: Cluster, verb: str, what: str, namespace: str) -> bool:
    where = ["-n", namespace] if namespace else []
    resource, _slash, part = what.partition("/")
    where += [f"--subresource={part}"] if part else []
    asked = ["auth", "can-i", verb, resource, "--as", ACCOUNT, *where]
    command = ["kubectl", "--kubeconfig", str(cluster.kubeconfig), *asked]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    return done.stdout.strip() == "yes"


def test_the_api_server_takes_the_deployment_as_it_is(account: dict[str, Any], cluster: Cluster) -> None:
    said = cluster.kubectl("apply", "--dry-run=server", "-f", str(DEPLOYMENT))
    assert said.count("(server dry run)") == 4
    broken = copy.deepcopy(yaml.safe_load(DEPLOYMENT.read_text()))
    broken["items"][0]["spec"]["template"]["spec"]["containers"][0]["volumeMounts"][0]["name"] = "nowhere"
    with pytest.raises(AssertionError, match="nowhere"):
        cluster.kubectl("apply", "--dry-run=server", "-f", "-", stdin=json.dumps(broken))


def test_nothing_more_is_allowed_than_is_needed(account: dict[str, Any], cluster: Cluster) -> None:
    assert [one for one in TOO_MUCH if may(cluster, *one)] == []
    assert may(cluster, "create", "pods/exec", WORK)


def test_the_documented_rights_suffice_and_missing_ones_are_named(
    account: dict[str, Any], system: None, cluster: Cluster, tmp_path: Path
) -> None:
    pod = backends(cluster)[0]
    result = respond(account, tmp_path, pod, "note", "collect", "quarantine", "stop")
    # All but the stop is done, and the right for that is named.
    (problem,) = result["problems"]
    assert problem.startswith("stop: ")
    assert 'resources: ["pods"]' in problem
    assert 'verbs: ["delete"]' in problem
    assert (result["held"]["proven"], result["shown"]["open"]) == (True, [])
    assert result["shown"]["closed"] > 0
    assert result["archive"]
    assert LABEL in cluster.get("pod", pod, "-n", OURS)["metadata"]["labels"]
    traceless(cluster)
    quarantine(pod=pod, state="released")
    cluster.kubectl("delete", "clusterrolebinding", "falconet-respond-quarantine")
    wait_for(lambda: not may(cluster, "patch", "pods", OURS), 30, "the right to be gone")
    wait_for(lambda: len(backends(cluster)) == 2, 60, "two pods")
    result = respond(account, tmp_path / "again", backends(cluster)[0], "quarantine", probe=False)
    assert "networkpolicies" in result["problems"][0]
    cluster.kubectl("apply", "-f", str(RBAC / "respond.yaml"))


def test_a_pod_is_deleted_a_workload_scaled_to_zero_and_a_node_cordoned(
    account: dict[str, Any], system: None, cluster: Cluster, tmp_path: Path
) -> None:
    cluster.kubectl("apply", "-f", str(RBAC / "respond-stop.yaml"))
    apply(cluster, bound("falconet-respond-stop"))
    wait_for(lambda: may(cluster, "patch", "nodes", ""), 30, "the rights")

    pod = backends(cluster)[0]
    result = respond(account, tmp_path / "delete", pod, "stop")
    assert (result.get("msg"), result["timeline"][-1]["what"]) == (None, "stopped")
    wait_for(lambda: pod not in backends(cluster) and len(backends(cluster)) == 2, 60, "another pod")

    # The pod is held first, so it has no controller any more; what is scaled is what it had.
    pod = backends(cluster)[0]
    node = cluster.get("pod", pod, "-n", OURS)["spec"]["nodeName"]
    result = respond(account, tmp_path / "scale", pod, "quarantine", "stop", stop="scale", probe=False)
    assert (result.get("msg"), result["timeline"][-1]["detail"]) == (None, "Deployment backend is scaled to zero")
    wait_for(lambda: backends(cluster) == [], 60, "no pods")
    assert cluster.get("pod", pod, "-n", OURS)["status"]["phase"] == "Running", "what is held stays to be looked at"

    try:
        result = respond(account, tmp_path / "cordon", pod, "stop", stop="cordon")
        assert (result.get("msg"), result["timeline"][-1]["detail"]) == (None, f"Node {node} takes no further pods")
        assert cluster.get("node", node)["spec"]["unschedulable"] is True
    finally:
        cluster.kubectl("uncordon", node)
    quarantine(pod=pod, state="released")
