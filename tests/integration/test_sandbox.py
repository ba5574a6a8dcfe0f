"""The sandbox is a real cluster on real nodes: what a user of it relies on, tried from outside."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox import image_import, instance, machines, oci

from .cluster import Cluster, wait_for

pytestmark = pytest.mark.cluster

ROOT = Path(__file__).resolve().parents[2]
NAME = os.environ.get("SANDBOX_NAME", "falconet")
NAMESPACE = "sandbox-integration"
TOOLBOX = "sandbox.local/toolbox:1"
OUTSIDE = str(instance.OUTSIDE_ADDRESS)

#: One pod on each node, a Service before them, a folder of the node inside.
WORKLOAD: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "List",
    "items": [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        {
            "apiVersion": "apps/v1",
            "kind": "DaemonSet",
            "metadata": {"name": "everywhere", "namespace": NAMESPACE},
            "spec": {
                "selector": {"matchLabels": {"app": "everywhere"}},
                "template": {
                    "metadata": {"labels": {"app": "everywhere"}},
                    "spec": {
                        "tolerations": [{"operator": "Exists"}],
                        "terminationGracePeriodSeconds": 0,
                        "containers": [
                            {
                                "name": "server",
                                "image": TOOLBOX,
                                "command": ["/agnhost", "netexec", "--http-port=8080"],
                                "ports": [{"containerPort": 8080}],
                                "readinessProbe": {"httpGet": {"path": "/healthz", "port": 8080}, "periodSeconds": 1},
                                "volumeMounts": [{"name": "node", "mountPath": "/node"}],
                            }
                        ],
                        "volumes": [{"name": "node", "hostPath": {"path": "/var/lib/it", "type": "DirectoryOrCreate"}}],
                    },
                },
            },
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "everywhere", "namespace": NAMESPACE},
            "spec": {"selector": {"app": "everywhere"}, "ports": [{"port": 80, "targetPort": 8080}]},
        },
    ],
}


def sandbox(*arguments: str, name: str = NAME, limit_seconds: float = 300) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "sandbox", "--name", name, *arguments]
    return subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=limit_seconds)


def on_node(name: str, *argv: str) -> subprocess.CompletedProcess[str]:
    return sandbox("exec", name, "--", *argv)


@pytest.fixture(scope="module")
def pods(cluster: Cluster) -> Iterator[dict[str, dict[str, str]]]:
    """Name and address of the workload's pod on each node."""
    cluster.kubectl("apply", "-f", "-", stdin=json.dumps(WORKLOAD))

    def ready() -> list[dict[str, Any]]:
        items = cluster.get("pods", "-n", NAMESPACE, "-l", "app=everywhere")["items"]
        good = [
            pod
            for pod in items
            if all(one["ready"] for one in pod["status"].get("containerStatuses", [{"ready": False}]))
        ]
        return good if len(good) == len(instance.NODES) else []

    wait_for(ready, 90, "a ready pod on every node")
    yield {pod["spec"]["nodeName"]: {"name": pod["metadata"]["name"], "ip": pod["status"]["podIP"]} for pod in ready()}
    cluster.kubectl("delete", "namespace", NAMESPACE, "--wait=false")


def in_pod(cluster: Cluster, pod: str, *argv: str) -> str:
    return cluster.kubectl("exec", "-n", NAMESPACE, pod, "--", *argv)


def connects(cluster: Cluster, pod: str, target: str, *more: str) -> bool:
    argv = ["kubectl", "exec", "-n", NAMESPACE, pod, "--", "/agnhost", "connect", target, "--timeout=2s", *more]
    environment = {**os.environ, "KUBECONFIG": str(cluster.kubeconfig)}
    return subprocess.run(argv, capture_output=True, env=environment, timeout=30).returncode == 0


def test_nodes_are_ready_and_have_their_roles(cluster: Cluster) -> None:
    nodes = {one["metadata"]["name"]: one for one in cluster.get("nodes")["items"]}
    assert set(nodes) == {one.name for one in instance.NODES}
    for one in instance.NODES:
        found = nodes[one.name]
        conditions = {condition["type"]: condition["status"] for condition in found["status"]["conditions"]}
        assert conditions["Ready"] == "True"
        assert found["spec"]["podCIDR"] == str(one.pod_cidr)
        assert found["status"]["nodeInfo"]["kubeletVersion"] == "v1.35.4"
        role = "control-plane" if one.control_plane else "worker"
        assert f"node-role.kubernetes.io/{role}" in found["metadata"]["labels"]
        taints = [taint["key"] for taint in found["spec"].get("taints", [])]
        assert ("node-role.kubernetes.io/control-plane" in taints) is one.control_plane


def test_status_has_no_complaint() -> None:
    done = sandbox("status")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "on: every node enforces NetworkPolicies" in done.stdout


def test_control_plane_looks_like_kubeadm() -> None:
    names = on_node("cp01", "ls", "/etc/kubernetes/manifests").stdout.split()
    assert names == ["etcd.yaml", "kube-apiserver.yaml", "kube-controller-manager.yaml", "kube-scheduler.yaml"]
    files = on_node("cp01", "find", "/etc/kubernetes/pki", "-name", "*.key").stdout.split()
    assert {Path(file).name for file in files} >= {
        "ca.key",
        "apiserver.key",
        "front-proxy-ca.key",
        "sa.key",
        "peer.key",
    }


def test_daemonset_runs_on_every_node(pods: dict[str, dict[str, str]]) -> None:
    assert set(pods) == {one.name for one in instance.NODES}


def test_dns_and_service_reach_pods_of_other_nodes(cluster: Cluster, pods: dict[str, dict[str, str]]) -> None:
    seen = set()
    host = f"everywhere.{NAMESPACE}.svc.cluster.local"
    address = in_pod(cluster, pods["worker01"]["name"], "nslookup", host)
    assert "10.96." in address
    service = cluster.get("service", "everywhere", "-n", NAMESPACE)["spec"]["clusterIP"]
    for _ in range(40):
        seen.add(in_pod(cluster, pods["worker01"]["name"], "wget", "-qO-", f"http://{service}/hostname"))
        if len(seen) == len(pods):
            break
    assert seen == {pod["name"] for pod in pods.values()}
    assert connects(cluster, pods["worker02"]["name"], f"{host}:80")


def test_names_outside_the_cluster_do_not_exist(cluster: Cluster, pods: dict[str, dict[str, str]]) -> None:
    assert not connects(cluster, pods["worker01"]["name"], "example.com:80")
    assert connects(cluster, pods["worker01"]["name"], "outside.sandbox.test:80")


def test_logs_and_exec(cluster: Cluster, pods: dict[str, dict[str, str]]) -> None:
    assert in_pod(cluster, pods["cp01"]["name"], "hostname").strip() == pods["cp01"]["name"]
    assert "8080" in cluster.kubectl("logs", "-n", NAMESPACE, pods["worker02"]["name"])


def test_hostpath_is_the_node_that_ssh_reaches(cluster: Cluster, pods: dict[str, dict[str, str]]) -> None:
    in_pod(cluster, pods["worker02"]["name"], "sh", "-c", "echo written by a pod > /node/note")
    assert on_node("worker02", "cat", "/var/lib/it/note").stdout == "written by a pod\n"
    assert on_node("worker01", "cat", "/var/lib/it/note").returncode != 0
    assert not Path("/var/lib/it").exists()


def test_memory_limit_kills(cluster: Cluster, pods: dict[str, dict[str, str]]) -> None:
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "greedy", "namespace": NAMESPACE},
        "spec": {
            "restartPolicy": "Never",
            "containers": [
                {
                    "name": "greedy",
                    "image": TOOLBOX,
                    "command": ["sh", "-c", "tail /dev/zero"],
                    "resources": {"limits": {"memory": "32Mi"}},
                }
            ],
        },
    }
    cluster.kubectl("apply", "-f", "-", stdin=json.dumps(pod))

    def reason() -> str:
        statuses = cluster.get("pod", "greedy", "-n", NAMESPACE)["status"].get("containerStatuses", [])
        return str(statuses[0]["state"].get("terminated", {}).get("reason", "")) if statuses else ""

    wait_for(reason, 60, "the greedy pod to end")
    assert reason() == "OOMKilled"


@pytest.mark.parametrize("target", [f"{OUTSIDE}:80", f"{OUTSIDE}:443", f"{OUTSIDE}:4444"])
def test_outside_world_answers_pods(cluster: Cluster, pods: dict[str, dict[str, str]], target: str) -> None:
    assert connects(cluster, pods["worker01"]["name"], target)


def test_outside_world_sees_the_pods_own_address(cluster: Cluster, pods: dict[str, dict[str, str]]) -> None:
    answer = in_pod(cluster, pods["worker02"]["name"], "wget", "-qO-", f"http://{OUTSIDE}/")
    assert answer == f"outside saw {pods['worker02']['ip']}\n"


@pytest.mark.parametrize("target", [f"{OUTSIDE}:53", f"{OUTSIDE}:4444"])
def test_outside_world_answers_udp(cluster: Cluster, pods: dict[str, dict[str, str]], target: str) -> None:
    assert connects(cluster, pods["worker01"]["name"], target, "--protocol=udp")


def test_nothing_else_is_reachable(cluster: Cluster, pods: dict[str, dict[str, str]]) -> None:
    # TEST-NET-3: nobody's address. There is no route, so no packet leaves the node.
    assert not connects(cluster, pods["worker01"]["name"], "203.0.113.1:80")
    assert on_node("worker01", "ip", "route", "show", "default").stdout == ""


def test_metrics_of_nodes(cluster: Cluster) -> None:
    text = cluster.kubectl("get", "--raw", "/api/v1/nodes/worker01/proxy/metrics/resource")
    assert "node_memory_working_set_bytes" in text


def test_switch_of_enforcement(cluster: Cluster, pods: dict[str, dict[str, str]]) -> None:
    deny = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "deny", "namespace": NAMESPACE},
        "spec": {"podSelector": {}, "policyTypes": ["Ingress"]},
    }
    target = f"{pods['worker02']['ip']}:8080"
    assert connects(cluster, pods["worker01"]["name"], target)
    cluster.kubectl("apply", "-f", "-", stdin=json.dumps(deny))
    try:
        wait_for(lambda: not connects(cluster, pods["worker01"]["name"], target), 20, "the policy to be enforced")
        assert sandbox("enforcement", "off").returncode == 0
        wait_for(lambda: connects(cluster, pods["worker01"]["name"], target), 20, "enforcement to be off")
        assert "off: NetworkPolicies have no effect" in sandbox("status").stdout
        assert sandbox("enforcement", "on").returncode == 0
        wait_for(lambda: not connects(cluster, pods["worker01"]["name"], target), 20, "enforcement to be on again")
    finally:
        sandbox("enforcement", "on")
        cluster.kubectl("delete", "networkpolicy", "deny", "-n", NAMESPACE)


@pytest.fixture(scope="module")
def inventory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("inventory")
    done = sandbox("inventory", "--output", str(folder))
    assert done.returncode == 0, done.stderr
    return folder


def ansible(inventory: Path, hosts: str, module: str, arguments: str) -> dict[str, Any]:
    """Run one module on nodes; host name to its result."""
    folder = inventory / "results"
    argv = ["ansible", hosts, "-i", str(inventory), "-m", module, "-a", arguments, "--tree", str(folder)]
    subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=180)
    return {file.name: json.loads(file.read_text()) for file in folder.iterdir()}


def test_ansible_takes_the_nodes_for_rocky(inventory: Path) -> None:
    facts = ansible(
        inventory,
        "kube_nodes",
        "ansible.builtin.setup",
        "filter=ansible_distribution*,ansible_os_family,ansible_pkg_mgr",
    )
    assert set(facts) == {one.name for one in instance.NODES}
    for one in facts.values():
        found = one["ansible_facts"]
        assert (found["ansible_distribution"], found["ansible_distribution_version"]) == ("Rocky", "9.6")
        assert (found["ansible_os_family"], found["ansible_pkg_mgr"]) == ("RedHat", "dnf")


def test_dnf_installs_from_the_local_repository(inventory: Path) -> None:
    package = "kernel-headers-5.14.0-570.17.1.el9_6"
    installed = ansible(inventory, "worker02", "ansible.builtin.dnf", f"name={package}")["worker02"]
    assert installed["rc"] == 0, installed
    again = ansible(inventory, "worker02", "ansible.builtin.dnf", f"name={package}")["worker02"]
    assert again["changed"] is False
    missing = ansible(inventory, "worker02", "ansible.builtin.dnf", "name=no-such-package")["worker02"]
    assert "No package no-such-package available." in missing["failures"]
    removed = ansible(inventory, "worker02", "ansible.builtin.dnf", f"name={package} state=absent")["worker02"]
    assert removed["changed"] is True


def test_sysctls_of_a_node_are_not_the_machines(inventory: Path) -> None:
    name = Path("/proc/sys/fs/inotify/max_user_watches")
    before = name.read_text()
    done = on_node("worker01", "sysctl", "-w", "fs.inotify.max_user_watches=524289")
    assert done.returncode == 0, done.stderr
    assert on_node("worker01", "cat", str(name)).stdout.strip() == "524289"
    assert name.read_text() == before


def test_user_imports_an_image(tmp_path: Path) -> None:
    layer_file = tmp_path / "layer.tar"
    oci.write_layer(layer_file, texts={"/hello": "hello\n"})
    data = layer_file.read_bytes()
    layer = oci.Layer(layer_file, oci.sha256(data), len(data))
    archive = tmp_path / "image.tar"
    with archive.open("wb") as stream:
        oci.write_archive([oci.describe("example.test/hello:1", [layer], {})], stream)
    done = sandbox("import-image", str(archive))
    assert done.returncode == 0, done.stderr
    current = instance.load(NAME)
    assert current is not None
    for one in instance.NODES:
        found = machines.find(current, one.name)
        assert found is not None
        assert "example.test/hello:1" in image_import.present(found[0])


def test_errors_name_the_thing(tmp_path: Path) -> None:
    unknown = sandbox("exec", "worker99", "--", "true")
    assert unknown.returncode == 1
    assert "'worker99'" in unknown.stderr
    assert "worker01" in unknown.stderr
    nameless = sandbox("up", name="Not_A_Name")
    assert nameless.returncode == 1
    assert "'Not_A_Name' cannot be the name of a sandbox" in nameless.stderr
    absent = sandbox("import-image", str(tmp_path / "absent.tar"))
    assert absent.returncode == 1
    assert "absent.tar" in absent.stderr


def test_second_up_changes_nothing() -> None:
    current = instance.load(NAME)
    assert current is not None
    before = {one.name: machines.find(current, one.name) for one in instance.NODES}
    done = sandbox("up")
    assert done.returncode == 0, done.stderr
    assert "nothing changed" in done.stderr
    assert {one.name: machines.find(current, one.name) for one in instance.NODES} == before
