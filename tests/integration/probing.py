"""A small system to be probed, and what tests of the probe share."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ..unit.module_runner import run_module
from .cluster import ROOT, Cluster, wait_for

IMAGE = "registry.k8s.io/e2e-test-images/agnhost:2.59"
OURS, THEIRS = "probe-it-a", "probe-it-b"
SERVER_PORTS = [
    {"containerPort": 8080, "name": "http"},
    {"containerPort": 8081, "name": "answers", "protocol": "UDP"},
]
DENY = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "NetworkPolicy",
    "metadata": {"name": "deny", "namespace": OURS},
    "spec": {"podSelector": {"matchLabels": {"app": "backend"}}, "policyTypes": ["Ingress"]},
}
ALLOW = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "NetworkPolicy",
    "metadata": {"name": "allow", "namespace": OURS},
    "spec": {
        "podSelector": {"matchLabels": {"app": "backend"}},
        "policyTypes": ["Ingress"],
        "ingress": [{"from": [{"podSelector": {"matchLabels": {"app": "frontend"}}}], "ports": [{"port": "http"}]}],
    },
}


def deployment(namespace: str, name: str, command: list[str] | None = None) -> dict[str, Any]:
    """Two pods of agnhost that serve, kept apart from each other as far as there are nodes."""
    container: dict[str, Any] = {
        "name": "main",
        "image": IMAGE,
        "args": ["netexec", "--http-port=8080", "--udp-port=8081"],
        "ports": SERVER_PORTS,
        "readinessProbe": {"httpGet": {"path": "/hostname", "port": 8080}, "periodSeconds": 1},
    }
    if command:
        container = {"name": "main", "image": IMAGE, "command": command}
    spread = {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": {"app": name}},
    }
    spec = {"terminationGracePeriodSeconds": 0, "containers": [container], "topologySpreadConstraints": [spread]}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": spec},
        },
    }


def apply(cluster: Cluster, *objects: dict[str, Any]) -> None:
    cluster.kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all(objects))


@contextmanager
def running_system(cluster: Cluster) -> Iterator[None]:
    """Frontend and backend in one namespace, a visitor in another; the namespaces are deleted at the end."""
    namespaces = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in (OURS, THEIRS)]
    # A run that was killed has left them, or on their way out.
    cluster.kubectl("delete", "namespace", OURS, THEIRS, "--ignore-not-found", "--timeout=90s")
    apply(cluster, *namespaces)
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "backend", "namespace": OURS},
        "spec": {"selector": {"app": "backend"}, "ports": [{"port": 80, "targetPort": "http"}]},
    }
    visitor = deployment(THEIRS, "visitor", ["sh", "-c", "sleep 3600"])
    apply(cluster, deployment(OURS, "frontend"), deployment(OURS, "backend"), service, visitor)
    for namespace in (OURS, THEIRS):
        cluster.kubectl("-n", namespace, "wait", "deployment", "--all", "--for=condition=Available", "--timeout=120s")
    yield
    cluster.kubectl("delete", "namespace", OURS, THEIRS, "--wait=false")


def probe(**options: Any) -> dict[str, Any]:
    return run_module("netpol_probe", {"kubeconfig": os.environ["KUBECONFIG"], **options})


def to_backend(source: str, namespace: str = OURS, **more: Any) -> dict[str, Any]:
    ends = {"from": {"namespace": namespace, "workload": source}, "to": {"namespace": OURS, "workload": "backend"}}
    return {"name": f"{source} to backend", **ends, "ports": [8080], **more}


def leftovers(cluster: Cluster) -> list[str]:
    """Whatever a probe may have left, except namespaces that are on their way out."""
    jobs = cluster.get("jobs,pods", "--all-namespaces", "-l", "falconet.k8s/probe-run")["items"]
    namespaces = cluster.get("namespaces", "-l", "falconet.k8s/probe-run")["items"]
    kept = [n for n in namespaces if not n["metadata"].get("deletionTimestamp")]
    return [item["metadata"]["name"] for item in (*jobs, *kept) if item["kind"] == "Namespace" or not_ending(item)]


def traceless(cluster: Cluster) -> None:
    """Nothing is left behind. Runs of others on the same cluster come and go, so this waits a little."""
    wait_for(lambda: leftovers(cluster) == [], 60, "nothing left behind")


def not_ending(item: dict[str, Any]) -> bool:
    return not item["metadata"].get("deletionTimestamp")


@dataclass
class Running:
    """A module run in a process of its own, as Ansible runs it."""

    process: subprocess.Popen[str]

    def result(self, limit_seconds: float = 400) -> dict[str, Any]:
        """What it returned when it ended."""
        output, _errors = self.process.communicate(timeout=limit_seconds)
        found: dict[str, Any] = json.loads(output.splitlines()[-1])
        return found

    def kill(self) -> None:
        """SIGKILL, as an operator or the kernel sends it."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def freeze(self) -> None:
        """Let it do nothing more, so that a look at what it has made is not overtaken by its own clean-up."""
        self.process.send_signal(signal.SIGSTOP)

    def kill_with_its_guard(self) -> None:
        """As if the whole machine was lost: every process of the run is gone at once."""
        pid = self.process.pid
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            os.kill(int(child), signal.SIGKILL)
        self.kill()


def start(options: dict[str, Any], module: str = "netpol_probe") -> Running:
    """Start a module and go on."""
    code = (
        "import sys, json; sys.path[:0] = [sys.argv[1]];"
        "from tests.conftest import pytest_configure; pytest_configure();"
        "from tests.unit.module_runner import run_module;"
        "print(json.dumps(run_module(sys.argv[2], json.loads(sys.argv[3]))))"
    )
    arguments = [str(ROOT), module, json.dumps({"kubeconfig": os.environ["KUBECONFIG"], **options})]
    command = [sys.executable, "-c", code, *arguments]
    return Running(subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True))
