"""site.yml over many nodes and many clusters that are played: tasks, API requests, memory, time. README.md says how.

python bench/scale/run.py nodes 3 50 200
python bench/scale/run.py clusters 1 10 20 --nodes-each 1
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.unit.kube.cluster import fill, namespace, pod
from tests.unit.kube.fake_api import Answer, FakeApi, serve

# Those that a cluster without a kubelet can bear: nothing here waits for a pod.
STAGES = "node_prep,network_policies"
RECAP = re.compile(r"^(\S+)\s+: ok=(\d+) .* skipped=(\d+) ", re.MULTILINE)
HEAD = "| Nodes | Clusters | Tasks | of a node | of a cluster | API requests (of a cluster) | Peak MiB | s | CPU s |"
POLICY = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "NetworkPolicy",
    "metadata": {"name": "default-deny", "namespace": "shop"},
    "spec": {"podSelector": {}, "policyTypes": ["Ingress"]},
}
APIS = {
    "/version": {"gitVersion": "v1.33.0"},
    "/apis/networking.k8s.io/v1": {"kind": "APIResourceList", "resources": [{"kind": "NetworkPolicy"}]},
}


@dataclass(frozen=True)
class Run:
    """What one run of site.yml took."""

    nodes: int
    clusters: int
    tasks: int
    tasks_per_node: float
    tasks_per_cluster: float
    requests: int
    peak_mb: float
    seconds: float
    cpu_seconds: float

    def line(self) -> str:
        """A row of the table."""
        return (
            f"| {self.nodes} | {self.clusters} | {self.tasks} | {self.tasks_per_node:.1f} "
            f"| {self.tasks_per_cluster:.1f} | {self.requests} ({self.requests / self.clusters:.1f}) "
            f"| {self.peak_mb:.0f} | {self.seconds:.1f} | {self.cpu_seconds:.1f} |"
        )


def inventory(folder: Path, apis: list[PlayedCluster], nodes_each: int) -> Path:
    """The inventory of these clusters, each with so many nodes that are played."""
    clusters = {
        f"c{number:02}": {"cluster_host": api.url, "cluster_ca_cert": "", "network_policies_definitions": [POLICY]}
        for number, api in enumerate(apis)
    }
    nodes = {f"{name}-n{number:03}": {"kube_cluster": name} for name in clusters for number in range(nodes_each)}
    local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    quick = {"network_policies_canary": False, "network_policies_probe": False}
    played = {"ansible_connection": "played_node", "ansible_python_interpreter": "/usr/bin/python3"}
    groups = {
        "clusters": {"hosts": clusters, "vars": {**local, **quick}},
        "kube_nodes": {"hosts": nodes, "vars": played},
    }
    path = folder / "hosts.yml"
    path.write_text(yaml.safe_dump(groups))
    return path


class PlayedCluster(FakeApi):
    """A played cluster with a pod on each node. Each answer takes as long as is said."""

    def __init__(self, nodes: int, delay_seconds: float) -> None:
        super().__init__()
        self.delay_seconds = delay_seconds
        node = {"apiVersion": "v1", "kind": "Node", "status": {}}
        pods = [pod("shop", f"p{number}", f"10.0.{number // 250}.{number % 250 + 1}") for number in range(nodes)]
        made = [{**node, "metadata": {"name": f"n{number}", "labels": {}}} for number in range(nodes)]
        fill(self, namespace("kube-system"), namespace("default"), namespace("shop"), *made, *pods)

    def answer(self, method: str, path: str, query: dict[str, list[str]], body: Any) -> Answer:
        time.sleep(self.delay_seconds)
        if method == "GET" and path in APIS:
            self.requests.append((method, path, query, body))
            return 200, APIS[path]
        return super().answer(method, path, query, body)


def measured(command: list[str], environment: dict[str, str]) -> tuple[str, float, float, float]:
    """Output, peak memory of the controller's process in MiB, seconds, and CPU seconds of it and all its children."""
    start = time.monotonic()
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT)
        peak, over = [0.0], threading.Event()

        def watch() -> None:
            while not over.wait(0.1):
                with contextlib.suppress(OSError):
                    status = Path(f"/proc/{process.pid}/status").read_text()
                    found = re.search(r"VmHWM:\s+(\d+) kB", status)
                    peak[0] = max(peak[0], int(found.group(1)) / 1024 if found else 0.0)

        watcher = threading.Thread(target=watch)
        watcher.start()
        _pid, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        over.set()
        watcher.join()
        output.seek(0)
        said = output.read()
    if process.returncode != 0:
        sys.exit(f"{said[-4000:]}\nexit code {process.returncode}")
    return said, peak[0], time.monotonic() - start, usage.ru_utime + usage.ru_stime


def site(clusters: int, nodes_each: int, forks: int, delay_seconds: float) -> Run:
    """Run the stages once, from nothing."""
    apis = [PlayedCluster(nodes_each, delay_seconds) for _ in range(clusters)]
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for api in apis:
            stack.enter_context(serve(api))
        hosts = inventory(folder, apis, nodes_each)
        command = ["ansible-playbook", "playbooks/site.yml", "-i", str(hosts), "--tags", STAGES, "--forks", str(forks)]
        environment = {
            **os.environ,
            "ANSIBLE_CONNECTION_PLUGINS": str(Path(__file__).parent / "connection"),
            "ANSIBLE_NOCOLOR": "1",
        }
        said, peak, seconds, cpu = measured(command, environment)
    rows = {host: int(ok) + int(skipped) for host, ok, skipped in RECAP.findall(said)}
    of_nodes = [count for host, count in rows.items() if "-n" in host]
    of_clusters = [count for host, count in rows.items() if re.fullmatch(r"c\d+", host)]
    return Run(
        nodes=clusters * nodes_each,
        clusters=clusters,
        tasks=sum(rows.values()),
        tasks_per_node=sum(of_nodes) / max(1, len(of_nodes)),
        tasks_per_cluster=sum(of_clusters) / clusters,
        requests=sum(len(api.requests) for api in apis),
        peak_mb=peak,
        seconds=seconds,
        cpu_seconds=cpu,
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["nodes", "clusters"])
    parser.add_argument("counts", type=int, nargs="+")
    parser.add_argument("--nodes-each", type=int, default=3, help="nodes of each cluster, for clusters")
    parser.add_argument("--forks", type=int, default=20)
    parser.add_argument("--delay", type=float, default=0.0, help="seconds that each answer of an API server takes")
    options = parser.parse_args()
    print(HEAD, "|---|---|---|---|---|---|---|---|---|", sep="\n", flush=True)
    runs = []
    for count in options.counts:
        clusters, each = (1, count) if options.what == "nodes" else (count, options.nodes_each)
        runs.append(site(clusters, each, options.forks, options.delay))
        print(runs[-1].line(), flush=True)
    first, last = runs[0], runs[-1]
    for run in runs[1:]:
        hosts, fewest = run.nodes + run.clusters, first.nodes + first.clusters
        print(
            f"{hosts} hosts against {fewest}: {run.seconds / first.seconds:.1f} "
            f"times the seconds, {run.cpu_seconds / first.cpu_seconds:.1f} times the CPU, "
            f"{(run.peak_mb - first.peak_mb) / (hosts - fewest):.2f} MiB more for each host"
        )
    # A cluster is asked the same, however many nodes it has and others beside it, and a node has the same tasks. Of few
    # nodes the first has those besides that are done once for all.
    more_asked = last.requests / last.clusters > first.requests / first.clusters
    return 1 if more_asked or last.tasks_per_node > first.tasks_per_node else 0


if __name__ == "__main__":
    sys.exit(main())
