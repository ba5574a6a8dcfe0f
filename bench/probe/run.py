"""How fast netpol_probe is: against cyclonus in one run, and alone on many pods. See README.md beside this file.

    python bench/probe/run.py cyclonus --cyclonus PATH
    python bench/probe/run.py scale --pods 60

Needs KUBECONFIG of a cluster whose network enforces policies, with the rights of an administrator, and kubectl.
Everything that is measured runs as a process of its own, from its start to its end, as a service account of its own.
The API server counts what that account asks (C(apiserver_flowcontrol_dispatched_requests_total) of a FlowSchema that
matches nobody else) and the exec streams (C(apiserver_request_total)), so that both sides are measured with one ruler.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
IMAGE = "registry.k8s.io/e2e-test-images/agnhost:2.59"
ACCOUNT, SPACE = "probe-bench-account", "probe-bench"
# The pods of cyclonus' own tests: three namespaces, three pods each, TCP and UDP on two ports.
CYCLONUS_SPACES = ("x", "y", "z")
CYCLONUS_PORTS = ["80/TCP", "81/TCP", "80/UDP", "81/UDP"]
# The goals, which are checked.
FEWER_CALLS, FASTER, SCALE_SECONDS = 20.0, 10.0, 30.0


@dataclass(frozen=True)
class Measured:
    """What a process took: seconds from its start to its end, API calls, those of them that were execs, its output."""

    seconds: float
    calls: int
    execs: int
    output: str


def kubectl(*arguments: str, stdin: str | None = None) -> str:
    """Run kubectl and return its output."""
    done = subprocess.run(["kubectl", *arguments], input=stdin, text=True, capture_output=True, check=False)
    if done.returncode:
        raise SystemExit(f"kubectl {' '.join(arguments)}: {done.stderr}")
    return done.stdout


def apply(*objects: dict[str, Any]) -> None:
    # As JSON: the namespace y of cyclonus is a truth value to kubectl's reader of YAML.
    kubectl("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))


@contextmanager
def account() -> Iterator[Path]:
    """A kubeconfig of an administrator whose requests the API server counts apart from all others."""
    subject = {"kind": "ServiceAccount", "name": ACCOUNT, "namespace": "default"}
    matches = {"kind": "ServiceAccount", "serviceAccount": {"name": ACCOUNT, "namespace": "default"}}
    everything = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"], "clusterScope": True, "namespaces": ["*"]}
    kinds = "flowschema,clusterrolebinding"
    try:
        apply(
            {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": ACCOUNT, "namespace": "default"}},
            {
                "apiVersion": "rbac.authorization.k8s.io/v1",
                "kind": "ClusterRoleBinding",
                "metadata": {"name": ACCOUNT},
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
                "subjects": [subject],
            },
            {
                "apiVersion": "flowcontrol.apiserver.k8s.io/v1",
                "kind": "FlowSchema",
                "metadata": {"name": ACCOUNT},
                "spec": {
                    "priorityLevelConfiguration": {"name": "exempt"},
                    "matchingPrecedence": 50,
                    "rules": [
                        {
                            "subjects": [matches],
                            "resourceRules": [everything],
                            "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}],
                        }
                    ],
                },
            },
        )
        config = json.loads(kubectl("config", "view", "--raw", "--flatten", "--minify", "-o", "json"))
        config["users"][0]["user"] = {"token": kubectl("-n", "default", "create", "token", ACCOUNT).strip()}
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "kubeconfig"
            path.touch(mode=0o600)
            path.write_text(json.dumps(config))
            yield path
    finally:
        kubectl("delete", kinds, ACCOUNT, "--ignore-not-found")
        kubectl("-n", "default", "delete", "serviceaccount", ACCOUNT, "--ignore-not-found")


def served() -> tuple[int, int]:
    """Requests of the account that the API server has answered so far, and exec streams of anybody."""
    asked = execs = 0
    for line in kubectl("get", "--raw", "/metrics").splitlines():
        match = re.match(r"(\w+)\{(.*)\} (\S+)$", line)
        if not match:
            continue
        labels = dict(re.findall(r'(\w+)="([^"]*)"', match[2]))
        if match[1] == "apiserver_flowcontrol_dispatched_requests_total" and labels.get("flow_schema") == ACCOUNT:
            asked += int(float(match[3]))
        if match[1] == "apiserver_request_total" and labels.get("subresource") == "exec":
            execs += int(float(match[3]))
    return asked, execs


def measure(argv: list[str], kubeconfig: Path, **more: str) -> Measured:
    """Run a process to its end.

    Args:
        argv: its command line.
        kubeconfig: of the account whose requests are counted.
        more: further variables of its environment.
    """
    environment = {**os.environ, "KUBECONFIG": str(kubeconfig), **more}
    before, start = served(), time.monotonic()
    done = subprocess.run(argv, text=True, capture_output=True, check=False, env=environment, cwd=ROOT)
    seconds = time.monotonic() - start
    asked, execs = (after - earlier for after, earlier in zip(served(), before))
    if done.returncode:
        raise SystemExit(f"{argv[0]} ended with {done.returncode}: {done.stderr[-2000:]}{done.stdout[-2000:]}")
    return Measured(seconds, asked + execs, execs, done.stdout)


def playbook(kubeconfig: Path, task: dict[str, Any]) -> Measured:
    """A playbook of one task, for a host as the sample inventory has it: on the controller, with its Python."""
    hosts, path = kubeconfig.with_name("hosts.json"), kubeconfig.with_name("probe.json")
    here = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    hosts.write_text(json.dumps({"all": {"hosts": {"cluster": here}}}))
    path.write_text(json.dumps([{"hosts": "cluster", "gather_facts": False, "tasks": [task]}]))
    # The result comes as JSON.
    how = {"ANSIBLE_STDOUT_CALLBACK": "minimal", "ANSIBLE_CALLBACK_RESULT_FORMAT": "json", "ANSIBLE_NOCOLOR": "1"}
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", str(hosts), str(path)]
    return measure(command, kubeconfig, ANSIBLE_COLLECTIONS_PATH=str(ROOT / "build" / "collections"), **how)


def empty_playbook(kubeconfig: Path) -> float:
    """Seconds of a playbook that does nothing, the median of three: Ansible's start and end."""
    return statistics.median(playbook(kubeconfig, {"ansible.builtin.meta": "noop"}).seconds for _ in range(3))


def probe(kubeconfig: Path, **options: Any) -> tuple[Measured, dict[str, Any]]:
    """One task of ansible-playbook; the seconds are those of the whole command."""
    options = {"kubeconfig": str(kubeconfig), "on_violation": "report", "expected": "analysis", **options}
    found = playbook(kubeconfig, {"falconet.k8s.netpol_probe": options})
    result, _end = json.JSONDecoder().raw_decode(found.output, found.output.index("=> ") + 3)
    return found, result


def told(found: Measured, result: dict[str, Any] | None = None) -> dict[str, Any]:
    numbers: dict[str, Any] = {"seconds": round(found.seconds, 2), "api_calls": found.calls, "execs": found.execs}
    return {**numbers, **({"counts": result["counts"], "own_seconds": result["seconds"]} if result else {})}


def denies(spaces: tuple[str, ...]) -> list[dict[str, Any]]:
    """Policies that close one pod of three for ingress."""
    return [
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": "probe-bench", "namespace": space},
            "spec": {"podSelector": {"matchLabels": {"pod": "a"}}, "policyTypes": ["Ingress"]},
        }
        for space in spaces
    ]


def against_cyclonus(binary: str, registry: str) -> tuple[dict[str, Any], bool]:
    """The same pods, ports and cluster: one step of cyclonus, then ours; without a policy, and with denied pairs."""
    theirs = [binary, "probe", "--server-port", "80,81", "--server-protocol", "TCP,UDP", "--probe-mode", "pod-ip"]
    theirs += ["--job-timeout-seconds", "2", "--perturbation-wait-seconds", "0", "--image-registry", registry]
    report: dict[str, Any] = {}
    reached = True
    with account() as kubeconfig:
        try:
            measure(theirs, kubeconfig)  # makes the pods, which is not what is measured
            empty = empty_playbook(kubeconfig)
            report["playbook that does nothing"] = {"seconds": round(empty, 2)}
            for case in ("open", "denied"):
                if case == "denied":
                    apply(*denies(CYCLONUS_SPACES))
                cyclonus = measure(theirs, kubeconfig)
                report[case] = {"cyclonus": {**told(cyclonus), "denied": cyclonus.output.count(" X ")}}
                for method in ("auto", "node"):
                    ours, result = probe(
                        kubeconfig, namespaces=list(CYCLONUS_SPACES), ports=CYCLONUS_PORTS, method=method
                    )
                    fewer, faster = cyclonus.calls / ours.calls, cyclonus.seconds / (ours.seconds - empty)
                    report[case][f"netpol_probe, {method}"] = {
                        **told(ours, result),
                        "task_seconds": round(ours.seconds - empty, 2),
                        "times_fewer_calls": round(fewer, 1),
                        "times_faster": round(faster, 1),
                        "times_faster_with_ansible": round(cyclonus.seconds / ours.seconds, 1),
                    }
                    if method == "auto":
                        reached = reached and fewer >= FEWER_CALLS and faster >= FASTER
        finally:
            kubectl("delete", "namespace", *CYCLONUS_SPACES, "--ignore-not-found", "--wait=false")
    return report, reached


def workload(name: str, count: int) -> dict[str, Any]:
    server = "/agnhost netexec --http-port=8080 --udp-port=-1 & exec /agnhost netexec --http-port=9090 --udp-port=-1"
    container = {
        "name": "main",
        "image": IMAGE,
        "command": ["sh", "-c", server],
        "readinessProbe": {"httpGet": {"path": "/hostname", "port": 9090}, "periodSeconds": 2},
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": SPACE},
        "spec": {
            "replicas": count,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"terminationGracePeriodSeconds": 0, "containers": [container]},
            },
        },
    }


def scale(count: int, everything_open: bool) -> tuple[dict[str, Any], bool]:
    """Many pods, two ports, all pairs; half of the pods closed for ingress if wanted. Pods are made and removed."""
    closed = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "closed", "namespace": SPACE},
        "spec": {"podSelector": {"matchLabels": {"app": "closed"}}, "policyTypes": ["Ingress"]},
    }
    workloads = [workload(name, count // 2) for name in ("open", "closed")]
    report: dict[str, Any] = {}
    with account() as kubeconfig:
        kubectl("create", "namespace", SPACE)
        try:
            apply(*workloads, *([] if everything_open else [closed]))
            kubectl("-n", SPACE, "wait", "deployment", "--all", "--for=condition=Available", "--timeout=400s")
            for method in ("node", "exec"):
                found, result = probe(kubeconfig, namespaces=[SPACE], ports=["8080/TCP", "9090/TCP"], method=method)
                report[method] = told(found, result)
        finally:
            kubectl("delete", "namespace", SPACE, "--wait=false")
    return report, report["node"]["seconds"] < SCALE_SECONDS


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
        report, reached = against_cyclonus(options.cyclonus, options.image_registry)
    else:
        report, reached = scale(options.pods, options.open)
    print(json.dumps(report, indent=2))
    if not reached:
        raise SystemExit("a goal was missed")


if __name__ == "__main__":
    main()
