"""How fast netpol_probe is: against cyclonus in one run, and alone on many pods.

    python bench/probe/bench.py cyclonus --cyclonus PATH
    python bench/probe/bench.py scale --pods 60

Needs KUBECONFIG of a cluster whose network enforces policies, and kubectl. C(cyclonus) wants the binary of
github.com/mattfenwick/cyclonus v0.5.6 (go install github.com/mattfenwick/cyclonus/cmd/cyclonus@v0.5.6), and nodes that
have its image, registry.k8s.io/e2e-test-images/agnhost:2.43. In the sandbox that name is given to the image that is
there: `python -m sandbox exec NODE -- ctr -n k8s.io images tag` with both names. Execs are counted by the API server
itself (C(apiserver_request_total)), so that both are measured with the same ruler; execs of others count too, so the
cluster should be idle.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
from tests.conftest import pytest_configure  # noqa: E402 (the path comes first)

pytest_configure()
from tests.unit.module_runner import run_module  # noqa: E402 (needs the collection's loader)

IMAGE = "registry.k8s.io/e2e-test-images/agnhost:2.59"
# The pods of cyclonus' own tests: three namespaces, three pods each, TCP and UDP on two ports.
CYCLONUS_SPACES = ("x", "y", "z")
CYCLONUS_PORTS = ["80/TCP", "81/TCP", "80/UDP", "81/UDP"]


def kubectl(*arguments: str, stdin: str | None = None) -> str:
    """Run kubectl and return its output."""
    done = subprocess.run(["kubectl", *arguments], input=stdin, text=True, capture_output=True, check=False)
    if done.returncode:
        raise SystemExit(f"kubectl {' '.join(arguments)}: {done.stderr}")
    return done.stdout


def requests_served() -> dict[str, int]:
    """Requests that the API server has finished, by verb; exec streams count as CONNECT or POST on pods/exec."""
    found: dict[str, int] = {}
    for line in kubectl("get", "--raw", "/metrics").splitlines():
        match = re.match(r"apiserver_request_total\{(.*)\} (\S+)$", line)
        if match:
            labels = dict(re.findall(r'(\w+)="([^"]*)"', match[1]))
            key = "exec" if labels.get("subresource") == "exec" else labels.get("verb", "")
            found[key] = found.get(key, 0) + int(float(match[2]))
    return found


def measured(what: Callable[[], Any]) -> tuple[Any, float, int]:
    """Result, seconds and execs of a call."""
    before, start = requests_served(), time.monotonic()
    result = what()
    seconds = time.monotonic() - start
    after = requests_served()
    return result, seconds, after.get("exec", 0) - before.get("exec", 0)


def probe(**options: Any) -> dict[str, Any]:
    result = run_module("netpol_probe", {"kubeconfig": os.environ["KUBECONFIG"], "on_violation": "report", **options})
    if result.get("failed"):
        raise SystemExit(result["msg"])
    return result


def against_cyclonus(binary: str, registry: str) -> dict[str, Any]:
    """The same pods, ports and cluster: one step of cyclonus, then ours."""

    def theirs() -> str:
        command = [binary, "probe", "--server-port", "80,81", "--server-protocol", "TCP,UDP", "--probe-mode", "pod-ip"]
        command += ["--job-timeout-seconds", "2", "--perturbation-wait-seconds", "0", "--image-registry", registry]
        return subprocess.run(command, text=True, capture_output=True, check=False).stdout

    theirs()  # makes the pods, which is not what is measured
    output, their_seconds, their_execs = measured(theirs)
    ours, our_seconds, our_execs = measured(
        lambda: probe(namespaces=list(CYCLONUS_SPACES), ports=CYCLONUS_PORTS, expected="analysis", method="node")
    )
    by_exec, exec_seconds, exec_execs = measured(
        lambda: probe(namespaces=list(CYCLONUS_SPACES), ports=CYCLONUS_PORTS, expected="analysis")
    )
    return {
        "cyclonus": {"seconds": round(their_seconds, 1), "execs": their_execs, "lines": output.count("\n")},
        "netpol_probe (node)": {"seconds": round(our_seconds, 1), "execs": our_execs, **ours["counts"]},
        "netpol_probe (auto)": {"seconds": round(exec_seconds, 1), "execs": exec_execs, **by_exec["counts"]},
        "times fewer execs (node)": round(their_execs / max(1, our_execs), 1),
        "times faster (node)": round(their_seconds / our_seconds, 1),
        "times fewer execs (auto)": round(their_execs / max(1, exec_execs), 1),
        "times faster (auto)": round(their_seconds / exec_seconds, 1),
    }


def scale(count: int, deny: bool) -> dict[str, Any]:
    """Many pods, two ports, all pairs; half of the pods closed if wanted. Pods are made and removed."""
    space = "probe-bench"
    server = "/agnhost netexec --http-port=8080 --udp-port=-1 & exec /agnhost netexec --http-port=9090 --udp-port=-1"
    container = {
        "name": "main",
        "image": IMAGE,
        "command": ["sh", "-c", server],
        "readinessProbe": {"httpGet": {"path": "/hostname", "port": 9090}, "periodSeconds": 2},
    }
    deployments = [
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": name, "namespace": space},
            "spec": {
                "replicas": count // 2,
                "selector": {"matchLabels": {"app": name}},
                "template": {
                    "metadata": {"labels": {"app": name}},
                    "spec": {"terminationGracePeriodSeconds": 0, "containers": [container]},
                },
            },
        }
        for name in ("open", "closed")
    ]
    policy = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "closed", "namespace": space},
        "spec": {"podSelector": {"matchLabels": {"app": "closed"}}, "policyTypes": ["Ingress"]},
    }
    kubectl("create", "namespace", space)
    try:
        documents = [*deployments, policy] if deny else deployments
        kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all(documents))
        kubectl("-n", space, "wait", "deployment", "--all", "--for=condition=Available", "--timeout=300s")
        found: dict[str, Any] = {}
        for method in ("node", "exec"):
            result, seconds, execs = measured(
                lambda method=method: probe(
                    namespaces=[space], ports=["8080/TCP", "9090/TCP"], expected="analysis", method=method
                )
            )
            found[method] = {"seconds": round(seconds, 1), "execs": execs, "calls": result["api_calls"]}
            found[method].update(result["counts"])
        return found
    finally:
        kubectl("delete", "namespace", space, "--wait=false")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    versus = commands.add_parser("cyclonus")
    versus.add_argument("--cyclonus", default="cyclonus", help="path of its binary")
    versus.add_argument("--image-registry", default="registry.k8s.io", help="where its pods' agnhost comes from")
    many = commands.add_parser("scale")
    many.add_argument("--pods", type=int, default=60)
    many.add_argument("--open", action="store_true", help="without any policy")
    options = parser.parse_args()
    if options.command == "cyclonus":
        found = against_cyclonus(options.cyclonus, options.image_registry)
    else:
        found = scale(options.pods, not options.open)
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
