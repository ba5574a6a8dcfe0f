"""The live network: the probe's methods agree, the canary tells the truth, and nothing is left behind."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ..unit.module_runner import run_module
from .cluster import ROOT, Cluster, wait_for
from .probing import (
    ALLOW,
    DENY,
    OURS,
    THEIRS,
    apply,
    deployment,
    leftovers,
    probe,
    running_system,
    start,
    to_backend,
    traceless,
)

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def system(cluster: Cluster) -> Iterator[None]:
    with running_system(cluster):
        yield


@pytest.fixture
def policies(cluster: Cluster, system: None) -> Iterator[None]:
    """The backend is for the frontend alone."""
    apply(cluster, ALLOW)
    yield
    cluster.kubectl("-n", OURS, "delete", "networkpolicies", "--all")


@pytest.mark.parametrize("method", ["exec", "node", "pod"])
def test_required_passes_and_forbidden_does_not(policies: None, cluster: Cluster, method: str) -> None:
    result = probe(
        method=method,
        required_flows=[to_backend("frontend")],
        forbidden_flows=[to_backend("visitor", THEIRS), to_backend("frontend", name="udp", ports=["8081/UDP"])],
        on_unproven="fail",
    )
    assert not result.get("failed"), result["msg"]
    assert {row["status"] for row in result["results"]} == {"met"}
    assert len(result["results"]) == 12
    assert {row["verdict"] for row in result["results"] if row["expected"] == "denied"} == {"dropped"}
    assert result["method"]["name"] == method
    traceless(cluster)


def test_both_ways_agree_with_the_analysis_on_the_same_and_across_nodes(policies: None) -> None:
    outcome = {}
    for method in ("exec", "node", "pod"):
        result = probe(method=method, namespaces=[OURS], expected="analysis", on_unproven="fail")
        assert not result.get("failed"), result["msg"]
        outcome[method] = result["matrix"]
        # The nodes have a Python, which tries all targets of a pod in one process.
        assert method != "node" or {row["tool"] for row in result["results"]} == {"python3"}
    assert outcome["exec"] == outcome["node"] == outcome["pod"]
    assert {entry["allowed"] for entry in outcome["exec"]} == {True, False}


def test_doubles_stay_out_of_services_and_of_replica_sets(system: None, cluster: Cluster) -> None:
    # The visitor listens to nothing; its double does, so something can be said about it.
    flow = {"from": {"namespace": OURS, "workload": "backend"}, "to": {"namespace": THEIRS, "workload": "visitor"}}
    before = {pod["metadata"]["uid"] for pod in cluster.get("pods", "-n", OURS)["items"]}
    # What is forbidden and passes is tried again until the time is over, so that there is something to be seen.
    again = {"settle_seconds": 6, "on_violation": "report"}
    run = start({"forbidden_flows": [{**flow, "ports": [80]}], "method": "pod", "deadline_seconds": 120, **again})
    selector = ("-n", OURS, "-l", "falconet.k8s/probe-run")
    doubles: list[dict[str, Any]] = []

    def all_run() -> bool:
        doubles[:] = cluster.get("pods", *selector)["items"]
        return bool(doubles) and all(pod["status"].get("podIP") for pod in doubles)

    wait_for(all_run, 60, "doubles")
    slices = cluster.get("endpointslices", "-n", OURS)["items"]
    ready = [a for s in slices for e in s["endpoints"] or [] if e["conditions"]["ready"] for a in e["addresses"]]
    assert not set(ready) & {pod["status"].get("podIP") for pod in doubles}
    assert {pod["metadata"]["ownerReferences"][0]["kind"] for pod in doubles} == {"Job"}
    assert run.result()["counts"]["violated"] == 4
    traceless(cluster)
    assert {pod["metadata"]["uid"] for pod in cluster.get("pods", "-n", OURS)["items"]} == before


def test_a_policy_that_comes_late_is_waited_for(system: None, cluster: Cluster) -> None:
    timer = threading.Timer(3, apply, (cluster, DENY))
    timer.start()
    try:
        result = probe(forbidden_flows=[to_backend("frontend")], settle_seconds=30, on_unproven="fail")
    finally:
        timer.join()
        cluster.kubectl("-n", OURS, "delete", "networkpolicies", "--all")
    assert not result.get("failed"), result["msg"]
    assert all(row["attempts"] > 1 for row in result["results"])
    assert result["settled_seconds"] > 1


def test_a_forbidden_flow_that_passes_is_named(system: None) -> None:
    result = probe(forbidden_flows=[to_backend("visitor", THEIRS)], settle_seconds=1)
    assert result["failed"] is True
    assert "should be denied and is allowed" in result["msg"]
    assert len(result["violations"]) == 4


def test_services_by_address_and_by_name(policies: None) -> None:
    flow = {"from": {"namespace": OURS, "workload": "frontend"}, "to": {"namespace": OURS, "service": "backend"}}
    for by_name in (False, True):
        result = probe(required_flows=[flow], service_names=by_name, on_unproven="fail")
        assert not result.get("failed"), result["msg"]
        host = result["results"][0]["address"]
        assert (host == "backend.probe-it-a.svc") is by_name
        assert result["results"][0]["port"] == 80


def test_a_name_that_does_not_exist_is_unresolved(system: None, cluster: Cluster) -> None:
    pod = cluster.get("pods", "-n", OURS, "-l", "app=frontend")["items"][0]["metadata"]["name"]
    from ansible_collections.falconet.k8s.plugins.module_utils.kube.connection import connect
    from ansible_collections.falconet.k8s.plugins.module_utils.kube.exec import Command, run
    from ansible_collections.falconet.k8s.plugins.module_utils.probe.wire.protocol import (
        Settings,
        Target,
        pod_input,
        read,
    )
    from ansible_collections.falconet.k8s.plugins.module_utils.probe.wire.script import READER

    targets = [Target(1, "TCP", "nobody.probe-it-a.svc", 80)]
    command = Command(OURS, pod, "main", READER, pod_input(targets, Settings()))
    output = run(connect({"kubeconfig": os.environ["KUBECONFIG"]}), command)
    assert read(output.stdout, targets)[1].verdict == "unresolved"


def test_where_nothing_listens_nothing_is_concluded(policies: None) -> None:
    flow = {"from": {"namespace": OURS, "workload": "backend"}, "to": {"namespace": THEIRS, "workload": "visitor"}}
    result = probe(forbidden_flows=[{**flow, "ports": [9]}], settle_seconds=2)
    assert not result.get("failed")
    assert {row["status"] for row in result["unproven"]} == {"unproven"}
    assert "no server listens" in result["unproven"][0]["detail"]


@pytest.mark.parametrize("method", ["exec", "node"])
def test_where_nothing_listens_the_module_does_if_asked(policies: None, cluster: Cluster, method: str) -> None:
    ends = {"from": {"namespace": OURS, "workload": "backend"}, "to": {"namespace": THEIRS, "workload": "visitor"}}
    flow = {"name": "opened", **ends, "ports": [9090, "9091/UDP"]}
    result = probe(required_flows=[flow], method=method, listen=True, on_unproven="fail")
    assert not result.get("failed"), result["msg"]
    assert len(result["results"]) == 2 * 2 * 2
    assert {(entry["port"], entry["protocol"]) for entry in result["listened"]} == {(9090, "TCP"), (9091, "UDP")}
    traceless(cluster)
    # Nobody listens there any more.
    result = probe(flows=[flow], method="exec")
    assert {(row["protocol"], row["verdict"]) for row in result["results"]} == {("TCP", "refused"), ("UDP", "refused")}


def test_what_the_module_listens_for_is_denied_where_a_policy_says_so(policies: None, cluster: Cluster) -> None:
    # The policies leave the backend one named port; on another one nothing listens until the module does.
    flow = to_backend("frontend", name="closed", ports=[9090])
    result = probe(forbidden_flows=[flow], method="node", listen=True, on_unproven="fail")
    assert not result.get("failed"), result["msg"]
    assert {(row["verdict"], row["status"]) for row in result["results"]} == {("dropped", "met")}
    traceless(cluster)


def test_the_canary_says_that_policies_are_enforced(cluster: Cluster) -> None:
    result = probe(question="enforcement")
    assert result["enforced"] is True, result["why"]
    # No DaemonSet tells of this cluster's plugin, the configuration on its nodes does.
    assert [entry["name"] for entry in result["cni"]] == ["ptp"]
    assert "/etc/cni/net.d/" in result["cni"][0]["seen"]
    assert result["cni_unread"] == {}
    paths = {(check["direction"], check["path"]) for check in result["checks"]}
    assert paths >= {("ingress", "same_node"), ("egress", "same_node")}
    traceless(cluster)


@pytest.fixture
def unenforced(cluster: Cluster) -> Iterator[None]:
    """Policies are stored, and nobody heeds them."""
    cluster.sandbox("enforcement", "off")
    yield
    cluster.sandbox("enforcement", "on")


@pytest.mark.usefixtures("policies", "unenforced")
def test_without_enforcement_the_canary_and_the_probe_say_so(cluster: Cluster) -> None:
    canary = probe(question="enforcement", settle_seconds=2)
    assert canary.get("failed") is True, canary
    assert canary["enforced"] is False
    assert "policies are not enforced" in canary["msg"]
    result = probe(namespaces=[OURS], expected="analysis", settle_seconds=2)
    assert result["failed"] is True
    assert {row["expected"] for row in result["violations"]} == {"denied"}
    assert "allow" in result["violations"][0]["because"]


def test_a_run_that_is_stopped_cleans_up(cluster: Cluster) -> None:
    run = start({"question": "enforcement"})
    wait_for(lambda: leftovers(cluster), 30, "pods of the canary")
    run.process.terminate()
    run.process.wait(60)
    traceless(cluster)


def test_a_killed_run_leaves_nothing(cluster: Cluster) -> None:
    run = start({"question": "enforcement"})
    wait_for(lambda: leftovers(cluster), 30, "pods of the canary")
    run.kill()
    traceless(cluster)


def test_what_a_lost_machine_left_ends_at_its_deadline_and_goes_with_the_next_run(cluster: Cluster) -> None:
    run = start({"question": "enforcement", "deadline_seconds": 5})
    wait_for(lambda: leftovers(cluster), 30, "pods of the canary")
    run.freeze()
    assert leftovers(cluster), "the run was faster than the look at it"
    run.kill_with_its_guard()
    inside = ("pods,jobs,networkpolicies", "-A", "-l", "falconet.k8s/probe-run")
    wait_for(lambda: not cluster.get(*inside)["items"], 60, "the deadline")
    assert leftovers(cluster), "a namespace that no deadline ends"
    assert probe(question="enforcement")["enforced"] is True
    traceless(cluster)


@pytest.fixture
def stranger(cluster: Cluster) -> Iterator[dict[str, str]]:
    """A service account without rights: options to connect as it, and the bindings that tests add are removed."""
    # A run that was killed has left them.
    forget_stranger(cluster)
    cluster.kubectl("-n", "default", "create", "serviceaccount", "probe-it")
    token = cluster.kubectl("-n", "default", "create", "token", "probe-it").strip()
    config = cluster.kubectl("config", "view", "--raw", "--flatten", "-o", "json")
    found = json.loads(config)["clusters"][0]["cluster"]
    yield {"host": found["server"], "api_key": token, "validate_certs": False}  # type: ignore[dict-item]  # options of a module have any type
    forget_stranger(cluster)


def forget_stranger(cluster: Cluster) -> None:
    ours = ("-l", "falconet.k8s/test=probe-it", "--ignore-not-found")
    cluster.kubectl("delete", "clusterrolebinding,clusterrole", *ours)
    cluster.kubectl("-n", "default", "delete", "serviceaccount", "probe-it", "--ignore-not-found")


def grant(cluster: Cluster, *names: str) -> None:
    for name in names:
        role = yaml.safe_load((ROOT / "docs" / "rbac" / f"{name}.yaml").read_text())
        role["metadata"]["labels"] = {"falconet.k8s/test": "probe-it"}
        binding = {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": role["metadata"]["name"], "labels": {"falconet.k8s/test": "probe-it"}},
            "roleRef": {
                "apiGroup": "rbac.authorization.k8s.io",
                "kind": "ClusterRole",
                "name": role["metadata"]["name"],
            },
            "subjects": [{"kind": "ServiceAccount", "name": "probe-it", "namespace": "default"}],
        }
        apply(cluster, role, binding)


def test_missing_rights_are_named_and_the_documented_ones_suffice(
    system: None, cluster: Cluster, stranger: dict[str, str]
) -> None:
    flow = {"required_flows": [to_backend("frontend")], "method": "exec"}
    result = run_module("netpol_probe", {**stranger, **flow})
    assert "not allowed to list namespaces" in result["msg"]
    grant(cluster, "netpol-read")
    result = run_module("netpol_probe", {**stranger, **flow})
    assert 'resources: ["pods/exec"]' in result["hint"]
    grant(cluster, "netpol-probe")
    result = run_module("netpol_probe", {**stranger, **flow})
    assert not result.get("failed"), result
    result = run_module("netpol_probe", {**stranger, "question": "enforcement"})
    assert "namespaces" in result["msg"], result
    grant(cluster, "netpol-canary")
    assert run_module("netpol_probe", {**stranger, "question": "enforcement"})["enforced"] is True
    for options in ({"method": "node"}, {"method": "pod"}, {"listen": True, "flows": [to_backend("visitor", THEIRS)]}):
        found = run_module("netpol_probe", {**stranger, **flow, **options})
        assert not found.get("failed"), found
        assert found["unproven"] == [], found
    traceless(cluster)


def test_policies_are_applied_restored_and_pruned_under_the_documented_rights(
    system: None, cluster: Cluster, stranger: dict[str, str]
) -> None:
    grant(cluster, "netpol-read", "netpol-apply")

    def change(**options: Any) -> dict[str, Any]:
        return run_module("netpol_apply", {**stranger, "set_name": "probe-it", **options})

    def names() -> list[str]:
        return sorted(i["metadata"]["name"] for i in cluster.get("networkpolicies", "-n", OURS)["items"])

    first = change(definitions=[ALLOW])
    assert (first["changed"], first["pending"], names()) == (True, True, ["allow"]), first
    assert change(state="kept")["pending"] is False
    assert change(definitions=[ALLOW])["changed"] is False
    second = change(definitions=[DENY])
    assert names() == ["deny"]
    assert {row["action"] for row in second["objects"]} == {"create", "delete"}
    assert change(state="restored")["changed"] is True
    assert names() == ["allow"]
    refused = change(definitions=[DENY], required_flows=[to_backend("frontend")])
    assert refused["failed"] is True
    assert "frontend to backend" in refused["msg"]
    assert names() == ["allow"]
    assert change(definitions=[])["changed"] is True
    change(state="kept")
    assert names() == []
    assert "falconet-policies-probe-it" not in cluster.kubectl(
        "get", "leases,configmaps", "-n", "default", "-o", "name"
    )


def test_auto_uses_the_node_for_pods_without_tools(system: None, cluster: Cluster, tmp_path: Path) -> None:
    bare = deployment(THEIRS, "bare")
    container = bare["spec"]["template"]["spec"]["containers"][0]
    # With nothing in PATH and agnhost hidden behind a volume, the pod has no shell to offer.
    bare["spec"]["template"]["spec"]["volumes"] = [{"name": "empty", "emptyDir": {}}]
    container["volumeMounts"] = [{"name": "empty", "mountPath": "/bin"}]
    apply(cluster, bare)
    cluster.kubectl("-n", THEIRS, "wait", "deployment/bare", "--for=condition=Available", "--timeout=60s")
    result = probe(required_flows=[to_backend("bare", THEIRS)], on_unproven="fail")
    cluster.kubectl("-n", THEIRS, "delete", "deployment", "bare", "--wait=false")
    assert not result.get("failed"), result["msg"]
    assert {source.split("/")[0] for source in result["method"]["node"]} == {THEIRS}
    traceless(cluster)
