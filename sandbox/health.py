"""Whether the cluster's network serves pods: DNS and a Service, asked from a pod on every node.

Processes that run say little: a kube-proxy that has deleted its own entries runs on, and calls itself healthy. So a
small pod on each node lends its network namespace, and this machine's Python asks from inside of it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox import images, node
from sandbox.api import Api
from sandbox.errors import SandboxError
from sandbox.instance import DNS_SERVICE, KUBERNETES_SERVICE, NODES, Instance
from sandbox.process import run, say, wait_for

NAMESPACE = "sandbox-health"
NAME = "kubernetes.default.svc.cluster.local"
LIMIT_SECONDS = 60
#: A Service that is new reaches every node's rules within this time.
SYNC_SECONDS = 15

# Prints what failed, by name; RFC 1035, sections 4.1 (message) and 4.2.2 (length before a message over TCP).
_ASK = """
import json, socket, struct, sys
dns, api, name = sys.argv[1:]
labels = b"".join(bytes([len(one)]) + one.encode() for one in name.split(".")) + b"\\0"
query = struct.pack("!6H", 7, 256, 1, 0, 0, 0) + labels + struct.pack("!2H", 1, 1)
def check(answer):
    number, flags, _, answers = struct.unpack("!4H", answer[:8])
    if number != 7 or flags & 15 or not answers or socket.inet_aton(api) not in answer:
        raise OSError("no answer for " + name)
def udp():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.settimeout(2)
        one.connect((dns, 53))
        one.send(query)
        check(one.recv(2048))
def tcp():
    with socket.create_connection((dns, 53), 2) as one:
        one.sendall(struct.pack("!H", len(query)) + query)
        check(one.recv(2048)[2:])
def service():
    socket.create_connection((api, 443), 2).close()
failed = {}
for what, ask in (("DNS over UDP", udp), ("DNS over TCP", tcp), ("the Service of the API server", service)):
    try:
        ask()
    except OSError as error:
        failed[what] = str(error)
print(json.dumps(failed))
"""


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
    argv = [
        "nsenter",
        f"--net=/proc/{pid}/ns/net",
        sys.executable,
        "-Sc",
        _ASK,
        str(DNS_SERVICE),
        str(KUBERNETES_SERVICE),
        NAME,
    ]
    try:
        return Health(member, json.loads(run(argv, timeout_seconds=20).stdout))
    except SandboxError as error:
        return Health(member, {}, error.message)


def ask(api: Api) -> list[Health]:
    """Ask from every node, side by side."""
    found = lenders(api.get(f"/api/v1/namespaces/{NAMESPACE}/pods")["items"])
    with ThreadPoolExecutor(len(NODES)) as pool:
        return list(pool.map(lambda member: _ask(member.name, found.get(member.name)), NODES))


def ensure(sandbox: Instance, api: Api) -> None:
    """DNS and Services answer pods on every node; where they do not, kube-proxy writes its rules anew.

    Raises:
        SandboxError: they do not answer all the same; names node, what failed and where to look.
    """
    found: list[Health] = []

    def all_asked() -> bool:
        found[:] = ask(api)
        return all(not one.unasked for one in found)

    def all_good() -> bool:
        found[:] = ask(api)
        return all(one.good for one in found)

    try:
        wait_for("a pod on every node to ask from", all_asked, timeout_seconds=LIMIT_SECONDS)
        try:
            wait_for("DNS and Services on every node", all_good, timeout_seconds=SYNC_SECONDS)
            return
        except SandboxError as error:
            say(f"{error.message}; it is mended")
        for one in found:
            process = None if one.good else node.find(sandbox, one.node)
            if process:
                say(f"{one.node}: {one.text()}: starting its kube-proxy again")
                node.order(process[0], {"do": "restart", "service": "kube-proxy"})
        wait_for("DNS and Services on every node", all_good, timeout_seconds=LIMIT_SECONDS)
    except SandboxError as error:
        told = "\n".join(f"  {one.node}: {one.text()}" for one in found if not one.good)
        raise SandboxError(
            f"{error.message}:\n{told}",
            f"see kube-proxy.log below {sandbox.folder / 'logs'}, and the pods of kube-system; "
            f"`python -m sandbox --name {sandbox.name} down`, then `up`, begins anew",
        ) from error
