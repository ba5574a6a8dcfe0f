"""Whether the cluster's network serves pods: DNS and a Service, asked from a pod on every node.

Processes that run say little: a kube-proxy that has deleted its own entries runs on, and calls itself healthy. So a
small pod on each node lends its network namespace, and this machine's Python asks from inside of it. Standard library
only: ``make doctor`` asks too.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox import images
from sandbox.api import Api
from sandbox.errors import SandboxError
from sandbox.instance import DNS_SERVICE, KUBERNETES_SERVICE, Instance
from sandbox.process import run

NAMESPACE = "sandbox-health"
NAME = "kubernetes.default.svc.cluster.local"
QUESTION = Path(__file__).with_name("pod_question.py")


@dataclass(frozen=True)
class Health:
    """What a pod on one node found.

    Attributes:
        node: its name.
        failed: what does not answer, with the reason; empty if all does.
        unasked: why nothing could be asked; empty if it could.
    """

    node: str
    failed: Mapping[str, str]
    unasked: str = ""

    @property
    def good(self) -> bool:
        """Whether all was asked and answered."""
        return not self.failed and not self.unasked

    def text(self) -> str:
        """One line for people."""
        if self.unasked:
            return f"nothing could be asked: {self.unasked}"
        if self.failed:
            return "; ".join(f"{what} does not answer ({why})" for what, why in self.failed.items())
        return "DNS and Services answer a pod"


def documents() -> list[tuple[str, dict[str, Any]]]:
    """The pods that lend their network, as objects to apply: path in the API and content."""
    labels = {"app": "sandbox-health"}
    own = {"app.kubernetes.io/managed-by": "falconet-sandbox"}
    pod = {
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 0,
        "priorityClassName": "system-node-critical",
        "tolerations": [{"operator": "Exists"}],
        "containers": [
            {
                "name": "lender",
                "image": images.PAUSE_IMAGE,
                "imagePullPolicy": "IfNotPresent",
                "resources": {"requests": {"cpu": "1m", "memory": "4Mi"}, "limits": {"memory": "16Mi"}},
                "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
            }
        ],
    }
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": own}}
    daemons = {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": "lender", "namespace": NAMESPACE, "labels": own},
        "spec": {
            "selector": {"matchLabels": labels},
            "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "100%"}},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }
    return [
        (f"/api/v1/namespaces/{NAMESPACE}", namespace),
        (f"/apis/apps/v1/namespaces/{NAMESPACE}/daemonsets/lender", daemons),
    ]


def lenders(pods: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """UID by node of the pods that run and have an address."""
    return {
        pod["spec"]["nodeName"]: pod["metadata"]["uid"]
        for pod in pods
        if pod["status"].get("phase") == "Running"
        and pod["status"].get("podIP")
        and not pod["metadata"].get("deletionTimestamp")
    }


def process_of(uid: str, processes: Path = Path("/proc")) -> int | None:
    """A process of a pod, as this machine numbers it; None if none runs."""
    marks = (f"pod{uid}", f"pod{uid.replace('-', '_')}")
    for entry in processes.iterdir():
        if entry.name.isdigit():
            try:
                groups = (entry / "cgroup").read_text()
            except OSError:
                continue  # it has ended meanwhile
            if any(mark in groups for mark in marks):
                return int(entry.name)
    return None


def _ask(member: str, uid: str | None) -> Health:
    if uid is None:
        return Health(member, {}, "no pod that lends its network runs there")
    pid = process_of(uid)
    if pid is None:
        return Health(member, {}, "its pod has no process on this machine")
    argv = ["nsenter", f"--net=/proc/{pid}/ns/net", sys.executable, "-IS", str(QUESTION)]
    try:
        told = run([*argv, str(DNS_SERVICE), str(KUBERNETES_SERVICE), NAME], timeout_seconds=20).stdout
        return Health(member, json.loads(told))
    except SandboxError as error:
        return Health(member, {}, error.message)


def ask(api: Api) -> list[Health]:
    """Ask from every node, side by side.

    Raises:
        SandboxError: the API server does not answer.
    """
    found = lenders(api.get(f"/api/v1/namespaces/{NAMESPACE}/pods")["items"])
    with ThreadPoolExecutor(len(api.nodes)) as pool:
        return list(pool.map(lambda member: _ask(member.name, found.get(member.name)), api.nodes))


def complaint(sandbox: Instance) -> str:
    """What pods of a running sandbox find wrong with its network, on one line; empty if nothing is."""
    try:
        found = ask(Api(sandbox, sandbox.folder / "keys" / "kubernetes"))
    except (SandboxError, OSError) as error:
        return str(error).partition("\n")[0]
    return "; ".join(f"{one.node}: {one.text()}" for one in found if not one.good)
