"""The sandbox's control-plane node, and the module kube_apiserver_audit that runs on it."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from typing import Any

from .cluster import ROOT, Cluster, wait_for
from .playbook import Site

NODE = "cp01"
MODULE = "kube_apiserver_audit"
MANIFEST = "/etc/kubernetes/manifests/kube-apiserver.yaml"
FOLDERS = ("/etc/kubernetes/falconet-audit", "/var/lib/falconet/kube-apiserver-audit")
LOG = "/var/log/kubernetes/falconet-audit/audit.log"
POLICY = "apiVersion: audit.k8s.io/v1\nkind: Policy\nomitStages: [RequestReceived]\nrules:\n- level: Metadata\n"


class ControlPlane:
    """The node with the API server, and the module that runs on it."""

    def __init__(self, site: Site, cluster: Cluster) -> None:
        self.site = site
        self.cluster = cluster

    def on_node(self, *command: str) -> str:
        return self.cluster.sandbox("exec", NODE, "--", *command)

    def command(self, options: dict[str, Any]) -> list[str]:
        asked = ["ansible", NODE, "-i", str(self.site.inventory), "-m", f"falconet.k8s.{MODULE}", "-a"]
        return [*asked, json.dumps(options)]

    def run(self, **options: Any) -> dict[str, Any]:
        """The module's result."""
        done = subprocess.run(
            self.command(options),
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=600,
            env={**os.environ, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_CALLBACK_RESULT_FORMAT": "json"},
        )
        said, arrow, result = done.stdout.partition("=> ")
        assert arrow, done.stdout + done.stderr
        found: dict[str, Any] = json.loads(result)
        return {**found, "failed": "FAILED!" in said}

    def manifest(self) -> str:
        return self.on_node("cat", MANIFEST)

    def configuration(self) -> str:
        return str(self.cluster.get("configmap", "kubeadm-config", "-n", "kube-system")["data"]["ClusterConfiguration"])

    def module_processes(self) -> list[str]:
        """Numbers of the node's processes that run the module from a file; brackets keep the question itself out."""
        script = f"grep -lasE 'AnsiballZ_[{MODULE[0]}]{MODULE[1:]}' /proc/[0-9]*/cmdline | cut -d/ -f3; true"
        return self.on_node("sh", "-c", script).split()

    def edit(self, text: str, flag: str, *, has: bool = True) -> None:
        """Put another manifest there as a person would, and wait for the API server that runs so.

        Args:
            text: the manifest.
            flag: of its command line.
            has: whether it has that flag.
        """
        packed = base64.b64encode(text.encode()).decode()
        aside = MANIFEST.replace("kube-apiserver", ".kube-apiserver.edited")
        self.on_node("sh", "-c", f"echo {packed} | base64 -d > {aside} && chmod 600 {aside} && mv {aside} {MANIFEST}")

        def runs() -> bool:
            script = "for p in $(pidof kube-apiserver); do tr '\\0' ' ' < /proc/$p/cmdline; echo; done; true"
            lines = self.on_node("sh", "-c", script).split("\n")
            found = [line for line in lines if line.startswith("kube-apiserver ")]
            return len(found) == 1 and (flag in found[0]) is has and self.ready()

        wait_for(runs, limit_seconds=180, what=f"the API server with{'' if has else 'out'} {flag}")

    def ready(self) -> bool:
        """Whether the API server says that it is ready."""
        try:
            return self.cluster.kubectl("get", "--raw", "/readyz").strip() == "ok"
        except AssertionError:
            return False
