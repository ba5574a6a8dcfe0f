"""``status``: what of a sandbox runs, and whether all of it is as it should be."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox import cgroups, health, machines, network
from sandbox.addons import is_static
from sandbox.api import Api
from sandbox.errors import SandboxError
from sandbox.instance import Instance

AGENT_SERVICE = "netpol-agent"


@dataclass
class Report:
    """What was found: rows of a table, and complaints (none means that all is well)."""

    rows: list[tuple[str, str, str]] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def add(self, kind: str, name: str, text: str, *, good: bool = True) -> None:
        """Add a row; a bad one is a complaint too."""
        self.rows.append((kind, name, text))
        if not good:
            self.complaints.append(f"{kind} {name}: {text}")

    def text(self) -> str:
        """The table."""
        widths = [max((len(row[column]) for row in self.rows), default=0) for column in (0, 1)]
        return "\n".join(f"{kind:<{widths[0]}}  {name:<{widths[1]}}  {text}" for kind, name, text in self.rows)


def describe_services(services: dict[str, dict[str, Any]]) -> tuple[str, bool]:
    """One line about a machine's services, and whether they all run (a stopped agent is a choice, not a fault)."""
    bad = []
    for name, state in services.items():
        if state["state"] == "running" or (name == AGENT_SERVICE and state["state"] == "stopped"):
            continue
        detail = f" for {next(iter(state['waits_for'].values()))}" if state.get("waits_for") else ""
        bad.append(f"{name} {state['state']}{detail}")
    running = sum(state["state"] == "running" for state in services.values())
    restarts = sum(state["restarts"] for state in services.values())
    text = f"{running} of {len(services)} services run" + (f", {restarts} restarts" if restarts else "")
    return text + (f"; {'; '.join(bad)}" if bad else ""), not bad


def describe_enforcement(states: dict[str, str]) -> tuple[str, bool]:
    """One line about the NetworkPolicy agents of all nodes, given the state of each."""
    kinds = set(states.values())
    if kinds == {"running"}:
        return "on: every node enforces NetworkPolicies", True
    if kinds == {"stopped"}:
        return "off: NetworkPolicies have no effect (python -m sandbox enforcement on)", True
    return "partly: " + ", ".join(f"{name} {state}" for name, state in sorted(states.items())), False


def describe_pods(pods: list[dict[str, Any]]) -> tuple[str, list[str]]:
    """How many pods run, and a line for each that neither runs nor is done."""
    bad = []
    for pod in pods:
        phase = pod["status"].get("phase")
        statuses = pod["status"].get("containerStatuses") or []
        ready = bool(statuses) and all(one.get("ready") for one in statuses)
        unreported = is_static(pod) and not statuses
        if phase == "Succeeded" or (phase == "Running" and ready) or unreported:
            continue
        reasons = [state.get("reason") for one in statuses for state in one.get("state", {}).values()]
        why = next((reason for reason in reasons if reason), pod["status"].get("reason") or "not ready")
        bad.append(f"{pod['metadata']['namespace']}/{pod['metadata']['name']}: {phase}, {why}")
    return f"{len(pods) - len(bad)} of {len(pods)} pods are ready or done", bad


def _machines(sandbox: Instance, report: Report) -> dict[str, str]:
    agents: dict[str, str] = {}
    for name in sandbox.machines:
        found = machines.find(sandbox, name)
        if found is None:
            report.add("machine", name, "does not run", good=False)
            continue
        try:
            services = machines.order(found[0], {"do": "status"}, timeout_seconds=5)
        except SandboxError as error:
            report.add("machine", name, error.message, good=False)
            continue
        text, good = describe_services(services)
        report.add("machine", name, text, good=good)
        if AGENT_SERVICE in services:
            agents[name] = services[AGENT_SERVICE]["state"]
    return agents


def _cluster(api: Api, report: Report) -> None:
    if not api.ready():
        report.add("cluster", api.url, "the API server is not ready", good=False)
        return
    report.add("cluster", api.url, f"ready, Kubernetes {api.get('/version')['gitVersion']}")
    items = {item["metadata"]["name"]: item for item in api.get("/api/v1/nodes")["items"]}
    for member in api.nodes:
        conditions = items.get(member.name, {}).get("status", {}).get("conditions", [])
        ready = next((one for one in conditions if one["type"] == "Ready"), None)
        good = ready is not None and ready["status"] == "True"
        text = "Ready" if good else "not Ready: " + (ready or {}).get("message", "not registered")
        report.add("node", member.name, text, good=good)
    text, bad = describe_pods(api.get("/api/v1/pods")["items"])
    report.add("pods", "all namespaces", text)
    for one in health.ask(api):
        report.add("network of pods", one.node, one.text(), good=one.good)
    for line in bad:
        # Pods belong to whoever made them: worth seeing, but no fault of the sandbox unless they are its own.
        own = line.startswith(("kube-system/", f"{health.NAMESPACE}/"))
        report.add("pods", "not ready", line, good=not own)


def inspect(sandbox: Instance) -> Report:
    """Look at everything."""
    report = Report()
    links = network.links_of(sandbox)
    count = len(sandbox.machines) + 1
    report.add(
        "network", sandbox.bridge, f"{sandbox.network}, {len(links)} of {count} interfaces", good=len(links) == count
    )
    agents = _machines(sandbox, report)
    keys = sandbox.folder / "keys" / "kubernetes"
    if keys.is_dir():
        try:
            _cluster(Api(sandbox, keys), report)
        except SandboxError as error:
            report.add("cluster", sandbox.api_url, error.message, good=False)
    if agents:
        text, good = describe_enforcement(agents)
        report.add("enforcement", "NetworkPolicy", text, good=good)
    memory = cgroups.memory_bytes(sandbox.cgroup)
    if memory is not None:
        report.add("memory", "processes", f"{memory / 2**20:.0f} MiB")
    last = sandbox.folder / "last-up.json"
    if last.exists():
        age = time.time() - Path(last).stat().st_mtime
        record = json.loads(last.read_text())
        seconds = record.get("seconds", {})
        report.add("Debian packages", "versions", "; ".join(record.get("moved", [])) or "those that were tried")
        report.add("last up", f"{age / 60:.0f} min ago", f"nodes Ready after {seconds.get('nodes_ready', '?')} s")
    return report


def status(sandbox: Instance) -> int:
    """Print the report; 1 if there is a complaint."""
    report = inspect(sandbox)
    print(f"sandbox {sandbox.name}: kubeconfig {sandbox.kubeconfig}, SSH key {sandbox.ssh_key}")
    print(report.text())
    if report.complaints:
        print(f"\n{len(report.complaints)} not as it should be; `python -m sandbox --name {sandbox.name} up` repairs:")
        print("\n".join(f"  {line}" for line in report.complaints))
    return 1 if report.complaints else 0
