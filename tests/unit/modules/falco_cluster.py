"""A cluster with Falco for tests of modules: reloads rules from ConfigMaps, refuses broken ones, answers /metrics."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..kube.fake_api import Answer, FakeApi, serve

CORE = "/api/v1/namespaces/falco"
DAEMON_SETS = "/apis/apps/v1/namespaces/falco/daemonsets"
JOBS = "/apis/batch/v1/namespaces/falco/jobs"
#: The pod that imitates what the Job controller makes of a trial's Job.
CANARY = "falco-rules-canary-x"
#: Text that makes the imitated Falco refuse a file.
BROKEN = "proc.nmae"


class FalcoCluster(FakeApi):
    """Two nodes, a DaemonSet that is rolled out, and Falcos that behave as the real ones do."""

    def __init__(self) -> None:
        super().__init__()
        labels = {"app.kubernetes.io/name": "falco"}
        self.running: dict[str, dict[str, str]] = {"falco-a": {}, "falco-b": {}}
        self.deaf: set[str] = set()
        #: Files of before, which kubelets bring for so many more looks.
        self.stale: tuple[dict[str, str], int] = ({}, 0)
        self.jobs_seen: list[dict[str, Any]] = []
        self.logs: dict[str, list[str]] = {"falco-a": [], "falco-b": []}
        self.collections = {
            f"{CORE}/configmaps": [],
            f"{CORE}/events": [],
            f"{CORE}/secrets": [],
            f"{CORE}/pods": [self.pod(name, f"node-{name[-1]}", labels) for name in self.running],
            DAEMON_SETS: [
                {
                    "kind": "DaemonSet",
                    "metadata": {"name": "falco", "generation": 2},
                    "spec": {"selector": {"matchLabels": labels}, "template": {"spec": self.template()}},
                    "status": {
                        "observedGeneration": 2,
                        "desiredNumberScheduled": 2,
                        "updatedNumberScheduled": 2,
                        "numberReady": 2,
                    },
                }
            ],
        }
        self.collections[JOBS] = []
        self.faults = self.as_falco

    @staticmethod
    def template() -> dict[str, Any]:
        """What the chart makes, as far as a trial looks at it."""
        sources = [{"configMap": {"name": name, "optional": True}} for name in ("rules-1", "rules-2")]
        probe = {"httpGet": {"path": "/healthz", "port": 8765}}
        return {
            "hostNetwork": True,
            "restartPolicy": "Always",
            "initContainers": [{"name": "falco-driver-loader"}, {"name": "falcoctl-artifact-install"}],
            "containers": [
                {
                    "name": "falco",
                    "image": "falco:0.44",
                    "args": ["/usr/bin/falco"],
                    "livenessProbe": probe,
                    "ports": [{"name": "web", "containerPort": 8765, "hostPort": 8765}],
                },
                {"name": "falcoctl-artifact-follow"},
            ],
            "volumes": [
                {"name": "own-rules", "projected": {"sources": sources}},
                {"name": "falco-yaml", "configMap": {"name": "falco"}},
            ],
        }

    @staticmethod
    def pod(name: str, node: str, labels: dict[str, str]) -> dict[str, Any]:
        return {
            "metadata": {"name": name, "labels": labels},
            "spec": {"nodeName": node},
            "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]},
        }

    def mounted(self) -> dict[str, str]:
        maps = self.collections[f"{CORE}/configmaps"]
        own = [m for m in maps if m["metadata"]["name"] in ("rules-1", "rules-2")]
        return {name: text for m in own for name, text in (m.get("data") or {}).items()}

    def as_falco(self, method: str, path: str, query: dict[str, list[str]]) -> Answer | None:
        if method == "PATCH" and path.startswith(f"{CORE}/pods/"):
            return 200, {}
        if path == f"{CORE}/pods" and method == "GET":
            wanted = query.get("labelSelector", [""])[0]
            pods = [*self.collections[path], *self.canaries()]
            return 200, {"items": [pod for pod in pods if self.carries(pod, wanted)]}
        if path.endswith("/log"):
            return 200, "\n".join(self.logs[path.split("/")[-2]]).encode()
        if not path.endswith("/proxy/metrics"):
            return None
        pod = path.split("/")[-3].split(":")[0]
        if pod in self.deaf:
            return 503, {"message": "connection refused"}
        if pod == CANARY:
            return 200, self.reported(self.tried()).encode()
        return 200, self.metrics(pod).encode()

    @staticmethod
    def carries(pod: dict[str, Any], selector: str) -> bool:
        pairs = [pair.split("=", 1) for pair in selector.split(",") if pair]
        return all(pod["metadata"]["labels"].get(key) == value for key, value in pairs)

    def tried(self) -> dict[str, str]:
        """The files that the trial's pod mounts."""
        maps = self.collections[f"{CORE}/configmaps"]
        copies = [m for m in maps if m["metadata"]["name"].startswith("falco-rules-canary-")]
        return {name: text for m in copies for name, text in m["data"].items()}

    def canaries(self) -> list[dict[str, Any]]:
        """The pod of a trial: running once its files are there, ended if it refuses them."""
        made = []
        for job in self.collections[JOBS]:
            self.jobs_seen.append(job)
            spec = job["spec"]["template"]["spec"]
            pod = self.pod(CANARY, spec["nodeName"], {"job-name": job["metadata"]["name"]})
            pod["status"] = {"phase": "Running", "podIP": "10.0.0.9"} if self.tried() else {"phase": "Pending"}
            broken = [name for name, text in self.tried().items() if BROKEN in text]
            if broken:
                ended = [{"name": "falco", "state": {"terminated": {"exitCode": 1}}}]
                pod["status"] = {"phase": "Failed", "containerStatuses": ended}
                self.logs[CANARY] = [f"Error: {broken[0]}: LOAD_ERR_COMPILE_CONDITION {BROKEN}"]
            made.append(pod)
        return made

    def metrics(self, pod: str) -> str:
        mounted = self.mounted()
        files, looks = self.stale
        if looks:
            mounted, self.stale = files, (files, looks - 1)
        broken = [name for name, text in mounted.items() if BROKEN in text]
        if broken and mounted != self.running[pod]:
            self.logs[pod] += [f"Error: {broken[0]}: LOAD_ERR_COMPILE_CONDITION {BROKEN}"]
            self.logs[pod] += [json.dumps({"rule": "Falco internal: hot restart failure", "source": "internal"})]
        elif not broken:
            self.running[pod] = mounted
        return self.reported(self.running[pod])

    @staticmethod
    def reported(files: dict[str, str]) -> str:
        digests = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in files.items()}
        metric = "falcosecurity_falco_sha256_rules_files_info"
        return "".join(f'{metric}{{file_name="{name}",sha256="{digest}"}} 1\n' for name, digest in digests.items())

    def release(self, revision: int, status: str, **document: Any) -> None:
        """A record of Helm."""
        packed = base64.b64encode(gzip.compress(json.dumps(document).encode()))
        self.collections[f"{CORE}/secrets"].append(
            {
                "metadata": {
                    "name": f"sh.helm.release.v1.falco.v{revision}",
                    "labels": {
                        "owner": "helm",
                        "name": "falco",
                        "status": status,
                        "version": str(revision),
                        "modifiedAt": "1",
                    },
                },
                "data": {"release": base64.b64encode(packed).decode()},
            }
        )


@contextmanager
def falco_cluster() -> Iterator[FalcoCluster]:
    cluster = FalcoCluster()
    with serve(cluster):
        yield cluster
