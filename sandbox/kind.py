"""``SANDBOX=kind``: the same commands on a kind cluster with real images, where Docker and the internet are at hand.

Written for kind 0.30 and newer; the machines on which this project is developed have no Docker, so this
could not be tried there. NetworkPolicies are enforced by kind's own network agent. Nodes are containers
that are no Rocky Linux and have no SSH: the inventory has the cluster, but no nodes to prepare.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import yaml

from sandbox.errors import SandboxError
from sandbox.instance import POD_NETWORK, SERVICE_NETWORK, STATE
from sandbox.inventory import DEFAULT, FILES, SAMPLE, write_hosts
from sandbox.process import run, say

CREATE_SECONDS = 600


def selected() -> bool:
    """Whether the user asked for kind."""
    choice = os.environ.get("SANDBOX", "")
    if choice not in ("", "kind", "native"):
        raise SandboxError(f"SANDBOX={choice} is unknown", "SANDBOX=kind, or leave it empty")
    return choice == "kind"


def cluster_config() -> str:
    """kind's configuration (kind.x-k8s.io/v1alpha4): the same shape and networks as the sandbox of our own."""
    document = {
        "kind": "Cluster",
        "apiVersion": "kind.x-k8s.io/v1alpha4",
        "networking": {"podSubnet": str(POD_NETWORK), "serviceSubnet": str(SERVICE_NETWORK)},
        "nodes": [{"role": "control-plane"}, {"role": "worker"}, {"role": "worker"}],
    }
    return yaml.safe_dump(document, sort_keys=False)


def _kind(*arguments: str, timeout_seconds: float = 60, text_input: str | None = None) -> str:
    if not shutil.which("kind"):
        raise SandboxError("kind is not installed", "install kind and Docker, or leave SANDBOX empty")
    return run(["kind", *arguments], timeout_seconds=timeout_seconds, text_input=text_input).stdout


def cluster_name(name: str) -> str:
    """The kind cluster of a sandbox."""
    return f"falconet-{name}"


def kubeconfig(name: str) -> Path:
    """Where the kubeconfig goes: the same place as a native sandbox's."""
    return STATE / name / "kubeconfig"


def up(name: str) -> None:
    """The cluster exists and its nodes are Ready; an existing one is kept."""
    target = kubeconfig(name)
    target.parent.mkdir(parents=True, exist_ok=True)
    if cluster_name(name) in _kind("get", "clusters").split():
        target.write_text(_kind("get", "kubeconfig", "--name", cluster_name(name)))
        target.chmod(0o600)
        say(f"kind cluster {cluster_name(name)} was up already")
        return
    arguments = ["create", "cluster", "--name", cluster_name(name), "--config", "-", "--wait", "300s"]
    _kind(*arguments, "--kubeconfig", str(target), timeout_seconds=CREATE_SECONDS, text_input=cluster_config())
    say(f"kind cluster {cluster_name(name)} is up")


def down(name: str) -> None:
    """The cluster is gone."""
    _kind("delete", "cluster", "--name", cluster_name(name), timeout_seconds=120)
    kubeconfig(name).unlink(missing_ok=True)


def status(name: str) -> int:
    """Print whether the cluster exists; 1 if it does not."""
    there = cluster_name(name) in _kind("get", "clusters").split()
    print(f"kind cluster {cluster_name(name)}: {'exists' if there else 'does not exist'}")
    return 0 if there else 1


def import_image(name: str, archive: Path) -> None:
    """Import an image archive into all nodes."""
    _kind("load", "image-archive", str(archive), "--name", cluster_name(name), timeout_seconds=600)


def inventory(name: str, folder: Path = DEFAULT) -> None:
    """Write the inventory: the cluster alone, with the real chart and images that the sample names."""
    cluster = {
        "ansible_connection": "local",
        "ansible_python_interpreter": "{{ ansible_playbook_python }}",
        "cluster_kubeconfig": str(kubeconfig(name)),
        "falconet_files": str(FILES),
        "falco_redis_storage": "storage_class",  # kind has one; there is no node to make a directory on
    }
    children: dict[str, object] = {group: {"hosts": {}} for group in ("kube_nodes", "redis_nodes")}
    write_hosts({"all": {"children": {"clusters": {"hosts": {"sandbox": cluster}}, **children}}}, folder, (SAMPLE,))
