#!/usr/bin/env python3
"""How long requests to an API server take with audit, as a ratio to those without it, in one run.

Usage:
    python3 bench/audit/latency.py --on COMMAND --off COMMAND [--away COMMAND] [--kubeconfig FILE] [--requests 300]
        [--most 2.0]

It measures without audit, runs COMMAND of --on, measures, runs that of --off, and measures again. So the machine's
speed cancels out, and how steady it was is seen from the two measurements without. With --away, it measures once more
after that COMMAND, which takes Falco away from API servers that go on to audit. The commands are such as

    ansible-playbook playbooks/k8s_audit.yml -i inventory/sandbox
    ansible-playbook playbooks/k8s_audit_uninstall.yml -i inventory/sandbox
    kubectl scale deployment falco-k8s-audit --namespace falco --replicas 0

A request is a read of a ConfigMap, a list of pods, a refused pod (whose body is recorded), or a ConfigMap that is made
and deleted, in a namespace of its own, over one connection. Exit status 1 when the ratio of the medians is above
--most.
"""

from __future__ import annotations

import argparse
import json
import secrets
import shlex
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "build" / "collections")]

from ansible_collections.falconet.k8s.plugins.module_utils.kube.client import Client
from ansible_collections.falconet.k8s.plugins.module_utils.kube.connection import connect

WARM_UP = 40
Latencies = dict[str, list[float]]


@contextmanager
def namespace(client: Client) -> Iterator[str]:
    """A namespace that is gone afterwards."""
    name = f"bench-audit-{secrets.token_hex(3)}"
    sent(client, "POST", "/api/v1/namespaces", {"kind": "Namespace", "metadata": {"name": name}})
    try:
        yield name
    finally:
        sent(client, "DELETE", f"/api/v1/namespaces/{name}")


def sent(client: Client, method: str, path: str, body: object = None) -> int:
    """Send one request; the status of its answer."""
    return int(client.request(method, path, body=body).status)


def requests(client: Client, place: str) -> dict[str, Callable[[], object]]:
    """What is asked, by name."""
    maps, pods = f"/api/v1/namespaces/{place}/configmaps", f"/api/v1/namespaces/{place}/pods"
    data = {"kind": "ConfigMap", "metadata": {"name": "made"}, "data": {"app.yaml": "port: 8080\n" * 40}}
    pod = {"kind": "Pod", "metadata": {"name": "refused"}, "spec": {"restartPolicy": "None", "containers": []}}
    return {
        "read": lambda: sent(client, "GET", f"{maps}/kube-root-ca.crt"),
        "list": lambda: sent(client, "GET", pods),
        "refused": lambda: sent(client, "POST", pods, pod),
        "make": lambda: sent(client, "POST", maps, data),
        "delete": lambda: sent(client, "DELETE", f"{maps}/made"),
    }


def measure(kubeconfig: str | None, count: int) -> Latencies:
    """Milliseconds of each kind of request, in turns."""
    client = connect({"kubeconfig": kubeconfig})
    found: Latencies = {}
    with namespace(client) as place:
        asked = requests(client, place)
        for number in range(WARM_UP + count):
            for name, ask in asked.items():
                begin = time.perf_counter()
                ask()
                if number >= WARM_UP:
                    found.setdefault(name, []).append(1000 * (time.perf_counter() - begin))
    return found


def run(command: str) -> None:
    """A command that must succeed."""
    if subprocess.run(shlex.split(command), check=False, cwd=ROOT).returncode:
        sys.exit(f"{command}: failed")


def main() -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--on", required=True)
    parser.add_argument("--off", required=True)
    parser.add_argument("--away")
    parser.add_argument("--kubeconfig")
    parser.add_argument("--requests", type=int, default=300)
    parser.add_argument("--most", type=float, default=2.0)
    options = parser.parse_args()
    before = measure(options.kubeconfig, options.requests)
    try:
        run(options.on)
        audited = {"with": measure(options.kubeconfig, options.requests)}
        if options.away:
            run(options.away)
            audited["away"] = measure(options.kubeconfig, options.requests)
    finally:
        run(options.off)
    after = measure(options.kubeconfig, options.requests)
    phases = [before, after, *audited.values()]
    for phase in phases:
        phase["all"] = [one for latencies in phase.values() for one in latencies]
    rows = {
        name: row([before[name], after[name]], {phase: found[name] for phase, found in audited.items()})
        for name in before
    }
    print(json.dumps(rows, indent=2))
    return int(max(rows["all"][name] for name in rows["all"] if name.endswith("_ratio")) > options.most)


def row(plain: list[list[float]], audited: dict[str, list[float]]) -> dict[str, float]:
    """Medians in milliseconds, and ratios of medians and of 99th percentiles, for each phase with audit.

    The two without audit show the noise.
    """
    first, second = (statistics.median(latencies) for latencies in plain)
    together = [one for latencies in plain for one in latencies]
    found = {"without_ms": round(first, 2), "without_again_ms": round(second, 2)}
    for phase, latencies in audited.items():
        found[f"{phase}_ms"] = round(statistics.median(latencies), 2)
        found[f"{phase}_ratio"] = round(statistics.median(latencies) / statistics.median(together), 2)
        slow = statistics.quantiles(latencies, n=100)[98] / statistics.quantiles(together, n=100)[98]
        found[f"{phase}_p99_to_p99"] = round(slow, 2)
    return found


if __name__ == "__main__":
    raise SystemExit(main())
