# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: any release may change it. Do not import it from elsewhere.

"""What keeps a node from being prepared: its system, settings that cannot be right, no driver, no room, no
headers, a boot that would not help."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

SYSTEMS = ("Rocky", "AlmaLinux", "RedHat")
RELEASES = ("8", "9", "10")
PYTHON_MINIMUM = (3, 9)
#: The system's own directories, in which nothing may change its owner.
_TAKEN = {"bin", "boot", "dev", "etc", "lib", "proc", "run", "sys", "usr"}
_PORT = re.compile(r"[0-9]{1,5}(-[0-9]{1,5})?/(tcp|udp|sctp|dccp)")


def problems_of_system(node: str, facts: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with a node's system, a sentence each.

    Args:
      node: its name in the inventory.
      facts: Ansible's: C(distribution), C(distribution_version), C(distribution_major_version), C(python).
    """
    if facts.get("distribution") not in SYSTEMS or facts.get("distribution_major_version") not in RELEASES:
        yield (
            f"{node} runs {facts.get('distribution')} {facts.get('distribution_version')}; node_prep supports Rocky "
            f"Linux, AlmaLinux and RHEL {', '.join(RELEASES)}. Take the node out of the group, or leave this stage "
            "out with --skip-tags node_prep."
        )
    python = facts["python"]
    found = [int(python["version"][part]) for part in ("major", "minor", "micro")]
    if tuple(found[:2]) < PYTHON_MINIMUM:
        yield (
            f"{node} has Python {'.'.join(map(str, found))} at {python.get('executable')}; this collection needs "
            f"{'.'.join(map(str, PYTHON_MINIMUM))} or newer on nodes. On release 8 install python39 and set "
            "ansible_python_interpreter to /usr/bin/python3.9 for this host."
        )


def problems_of_settings(settings: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with the role's variables beyond their types, a sentence each.

    Args:
      settings: C(redis_directory), C(redis_mode), C(firewalld_ports), C(sysctl_minimums), as the variables of these
        names with C(node_prep_) before them.
    """
    directory = str(settings["redis_directory"])
    parts = directory.strip("/").split("/")
    if not directory.startswith("/") or len(parts) < 2 or ".." in parts or parts[0] in _TAKEN:
        yield (
            f"node_prep_redis_directory is '{directory}'; it must be an absolute path of at least two parts outside of "
            "the system's own directories, such as /mnt/data/redis, for its owner and mode are changed."
        )
    mode = settings["redis_mode"]
    if not re.fullmatch("0[0-7]{3}", str(mode)):
        yield (
            f"node_prep_redis_mode is {_quoted(mode)}; write the mode as a quoted octal number with its leading zero, "
            'such as "0750". Without quotes YAML reads it as another number: 0777 becomes 511.'
        )
    for port in settings["firewalld_ports"]:
        if not _PORT.fullmatch(str(port)):
            yield f"node_prep_firewalld_ports has '{port}'; write a port as number/protocol, such as 30080/tcp."
    for key, least in settings["sysctl_minimums"].items():
        if not re.fullmatch("[0-9]+", str(least)) or not re.fullmatch("[a-z0-9_.-]+", str(key)):
            yield (
                f"node_prep_sysctl_minimums has {key}: {_quoted(least)}; the value must be a whole number, for it is a "
                "minimum."
            )


def problems_of_driver(node: str, wanted: str, decision: Mapping[str, Any]) -> Iterator[str]:
    """Why no driver can run on a node; nothing if one can.

    Args:
      node: its name in the inventory.
      wanted: C(node_prep_driver).
      decision: what falco_driver_info returned: C(driver), C(reasons).
    """
    if decision["driver"] != "none":
        return
    what = "no driver of Falco can run" if wanted == "auto" else f"{wanted} was asked for, but cannot run"
    blocking = [one for one in decision["reasons"] if one["effect"] == "blocks"]
    why = "".join(f"{one['message']}{': ' + one['hint'] if one.get('hint') else ''}. " for one in blocking)
    yield f"{node}: {what}. {why}To go on without events of this node's kernel, set node_prep_driver to none for it."


def problems_of_storage(node: str, directory: str, least_mb: int, storage: Mapping[str, Any]) -> Iterator[str]:
    """Why Redis' directory has no place on a node; nothing if it has.

    Args:
      node: its name in the inventory.
      directory: C(node_prep_redis_directory).
      least_mb: C(node_prep_redis_min_free_mb), MiB.
      storage: what falco_driver_info returned of it: C(target), C(options), C(free_mb).
    """
    if "ro" in storage["options"]:
        state = "mounted read-only"
    elif storage["free_mb"] < least_mb:
        state = f"{storage['free_mb']} MiB free, less than node_prep_redis_min_free_mb ({least_mb})"
    else:
        return
    yield (
        f"{node}: {directory} cannot be used by Redis: {storage['target']} is {state}. Mount a file system with room "
        "there, or choose another node_prep_redis_directory."
    )


def problems_of_reboot(node: str, asked: Mapping[str, Any]) -> Iterator[str]:
    """Why a node is not rebooted; nothing if it can be.

    Args:
      node: its name in the inventory.
      asked: C(known), how many nodes Kubernetes has of the name C(kubernetes_name); C(next), the kernel that it would
        boot; C(kernels), those that would help.
    """
    if int(asked["known"]) != 1:
        name = asked["kubernetes_name"]
        yield f"{node} was not rebooted: Kubernetes has no node {name}; name this one in node_prep_node_name."
    elif asked["next"] not in asked["kernels"]:
        mend = f"grubby --set-default=/boot/vmlinuz-{asked['kernels'][0]}"
        yield f"{node} was not rebooted: the next boot takes {asked['next']}; run {mend}."


def problem_of_headers(node: str, asked: Mapping[str, Any]) -> str:
    """What helps where no package has the headers of the running kernel.

    Args:
      node: its name in the inventory.
      asked: C(said), what dnf said; C(kernels), those that are installed and have headers; C(rebooted), whether the
        node was rebooted for them already.
    """
    hint = "" if asked["rebooted"] else " (node_prep_reboot: if_needed does it)"
    boot = " or ".join(asked["kernels"])
    way = f"Reboot into {boot}, which is installed and has headers there{hint}, or set" if boot else "Set"
    return (
        f"{node}: {asked['said']} {way} node_prep_kernel_repository to a repository that has them: the distribution's "
        "vault for an older kernel. The package dkms comes from EPEL."
    )


def _quoted(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)
