"""The Ansible inventory of a running sandbox: its hosts, and the sample system's variables."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from sandbox.cache import write_atomically
from sandbox.instance import OUTSIDE_ADDRESS, Instance
from sandbox.process import say

REPOSITORY = Path(__file__).resolve().parent.parent
SAMPLE = REPOSITORY / "inventory" / "sample"
#: The rules and policies that the sample inventory names.
FILES = REPOSITORY / "inventory" / "files"
DEMO = REPOSITORY / "sandbox" / "demo"
DEFAULT = REPOSITORY / "inventory" / "sandbox"

#: What is made anew. Rules and policies once stood in the inventory, where Ansible takes them for hosts.
FOLDERS = ("group_vars", "rules", "policies")
#: The node that keeps Redis' data.
REDIS_NODES = ("worker01",)

_HEAD = (
    "# Written by `python -m sandbox inventory`; changes are lost. The variables are those of inventory/sample.\n---\n"
)


def hosts(instance: Instance) -> dict[str, Any]:
    """hosts.yml: only how things are reached, no settings of roles."""
    # The key is this sandbox's own and its nodes are made anew under the same addresses, so their host keys change.
    options = "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR"

    def group(*, control_plane: bool) -> dict[str, Any]:
        members = (node for node in instance.nodes if node.control_plane == control_plane)
        return {"hosts": {node.name: {"ansible_host": str(instance.address(node))} for node in members}}

    cluster = {
        "ansible_connection": "local",
        "ansible_python_interpreter": "{{ ansible_playbook_python }}",
        "cluster_kubeconfig": str(instance.kubeconfig),
        "falconet_files": str(FILES),
        "sandbox_name": instance.name,
        "sandbox_outside_address": str(OUTSIDE_ADDRESS),
    }
    nodes = {
        "vars": {
            "kube_cluster": "sandbox",
            "ansible_user": "root",
            "ansible_ssh_private_key_file": str(instance.ssh_key),
            "ansible_ssh_common_args": options,
        },
        "children": {"control_plane": group(control_plane=True), "workers": group(control_plane=False)},
    }
    redis: dict[str, Any] = {"hosts": dict.fromkeys(REDIS_NODES)}
    return {
        "all": {
            "children": {
                "clusters": {"hosts": {"sandbox": cluster}},
                "kube_nodes": nodes,
                "redis_nodes": redis,
            }
        }
    }


def write_hosts(document: dict[str, Any], folder: Path, sources: Sequence[Path] = (SAMPLE, DEMO)) -> None:
    """Write hosts.yml and copy group variables beside it, those of later sources over those of earlier ones."""
    for name in FOLDERS:
        shutil.rmtree(folder / name, ignore_errors=True)
    for source in sources:
        shutil.copytree(source / "group_vars", folder / "group_vars", dirs_exist_ok=True)
    write_atomically(folder / "hosts.yml", _HEAD + yaml.safe_dump(document, sort_keys=False))
    say(f"inventory written: {folder}")


def write_inventory(instance: Instance, folder: Path = DEFAULT) -> None:
    """Write the inventory of a sandbox.

    Args:
        instance: the sandbox.
        folder: where to; its ``hosts.yml`` and the folders of `FOLDERS` are replaced.
    """
    write_hosts(hosts(instance), folder)
