# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan of one node. Pure; reading the node is the job of module_utils/node."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

#: A node that nothing was ever changed on.
EMPTY_RECORD: Mapping[str, Any] = {
    "packages": [],
    "sysctl": {},
    "ports": [],
    "mounts": [],
    "directories": [],
    "repository": False,
    "booleans": [],
    "cordoned": "",
}
#: Programs that have to answer if they were asked, with what is said before and behind their own words.
_REFUSALS = {
    "getsebool": (
        "",
        " (node_prep_selinux_booleans). getsebool -a lists those that there are; container-selinux brings those of "
        "containers.",
    ),
    "sysctl": ("settings of the kernel cannot be read: ", " (node_prep_sysctl_minimums)"),
    "firewalld_zone": ("firewalld does not tell its default zone: ", "; name one in node_prep_firewalld_zone"),
    "firewalld_ports": (
        "firewalld does not tell its ports: ",
        " (node_prep_firewalld_zone). firewall-cmd --get-zones lists the zones that there are.",
    ),
}


def plan_of(node: str, state: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """What is to be changed on a node, in the order of its wishes.

    Args:
      node: its name in the inventory.
      state: as M(falconet.k8s.node_state_info) returns it: C(record), C(answers), C(paths), C(writable).
      wanted: C(driver) and C(features) as M(falconet.k8s.falco_driver_info) returns them; C(sysctl), key to least
        value; C(ports) such as 30080/tcp; C(zone) of firewalld, empty for its default; C(directories), absolute paths;
        C(repository), whether packages come from one of their own.

    Returns:
      C(problems) (sentences; with any of them nothing may be changed), C(packages) to install, C(sysctl) to set, of
      which C(read_only) wait for the next boot, C(ports) of firewalld to keep open in C(zone), C(mounts) to make,
      C(booleans) of SELinux to turn on, C(directories) to make; C(before), the record as it was, and C(record), as it
      has to be before anything is changed.
    """
    answers = state["answers"]
    before = dict(state["record"])
    live = dict(re.findall(r"(?m)^(\S+) = (.+)$", _output(answers, "sysctl")))
    least = {key: int(value) for key, value in wanted["sysctl"].items() if key in live}
    short = [key for key, value in least.items() if _number(live[key]) < value]
    # What is high enough is left alone, but what this role has set stays in its file.
    low = {key: value for key, value in least.items() if key in short or key in before["sysctl"]}
    packages = re.findall(r"package (\S+) is not installed", _output(answers, "rpm"))
    ports = list(wanted["ports"]) if answers.get("firewalld", {}).get("rc") == 0 else []
    zone = str(wanted["zone"]) or _output(answers, "firewalld_zone").strip()
    shut = [port for port in ports if port not in _output(answers, "firewalld_ports").split()]
    mounts = _unmounted(wanted["features"]) if wanted["driver"] == "modern_ebpf" else []
    booleans = re.findall(r"(?m)^(\S+) --> off", _output(answers, "getsebool"))
    directories = [path for path in wanted["directories"] if not state["paths"][path]["exists"]]
    record = {
        "packages": _both(before["packages"], packages),
        # The value from before the first run wins.
        "sysctl": {**{key: live[key] for key in low}, **before["sysctl"]},
        "ports": _ports(before["ports"], shut, zone),
        "mounts": _both(before["mounts"], mounts),
        "directories": _both(before["directories"], directories),
        "repository": bool(before["repository"] or (packages and wanted["repository"])),
        # A boolean that an earlier run turned on is on now, and still this role's.
        "booleans": _both(before["booleans"], booleans),
        "cordoned": before["cordoned"],
    }
    return {
        "problems": _problems(node, answers),
        "packages": packages,
        "sysctl": low,
        "read_only": [key for key in short if key not in state["writable"]],
        "ports": ports,
        "zone": zone,
        "mounts": mounts,
        "booleans": booleans,
        "directories": directories,
        "before": before,
        "record": record,
    }


def _problems(node: str, answers: Mapping[str, Any]) -> list[str]:
    found = []
    for name, (sentence, cure) in _REFUSALS.items():
        answer = answers.get(name)
        if answer and answer["rc"] != 0:
            told = str(answer.get("stderr") or answer.get("msg") or "no reason given").strip()
            found.append(f"{node}: {sentence}{told}{cure}")
    return found


def _output(answers: Mapping[str, Any], name: str) -> str:
    """What a program printed; nothing of one that was not asked."""
    return str(answers.get(name, {}).get("stdout") or "")


def _number(text: str) -> int:
    """A setting's value; one that is no number is lower than any wish."""
    return int(text) if re.fullmatch(r"\s*-?\d+\s*", text) else 0


def _unmounted(features: Mapping[str, Any]) -> list[str]:
    """File systems that the modern eBPF probe uses and that are not mounted."""
    tracefs = features.get("tracefs_available") and not features.get("tracefs_mount")
    return (["tracefs"] if tracefs else []) + ([] if features.get("bpffs_mount") else ["bpf"])


def _both(before: Iterable[str], now: Iterable[str]) -> list[str]:
    return sorted({*before, *now})


def _ports(before: list[dict[str, str]], shut: list[str], zone: str) -> list[dict[str, str]]:
    """Ports of the record, each with its zone once."""
    rows = before + [row for row in ({"port": port, "zone": zone} for port in shut) if row not in before]
    return sorted(rows, key=lambda row: row["port"])
