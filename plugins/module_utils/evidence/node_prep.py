# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Stage node_prep: a node is as Falco, Falcosidekick's Redis and whoever reads the times of alerts need it."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator

from .asked import Asked
from .check import FAILED, SKIPPED, Check, passed_if

#: Exit code of firewall-cmd while firewalld does not run; see firewall-cmd(1), "Exit codes".
FIREWALLD_NOT_RUNNING = 252


def judge(asked: Asked) -> Iterator[Check]:
    """The checks of one node.

    Args:
        asked: C(node), its name; C(driver_wanted), the option; C(driver), what falco_driver_info returned;
            C(redis_here), whether Redis keeps its data here; C(limits_wanted), key of sysctl to its least value;
            C(ports_wanted), what firewalld is to let in; C(time_sync), the option. And where these ask for it:
            C(redis_wanted) with C(directory), C(uid), C(gid), C(mode); C(redis), a result of stat; C(selinux);
            C(limits), a result of sysctl; C(read_only), keys that cannot be set here; C(ports), a result of
            firewall-cmd; C(skew_seconds) and C(skew_max_seconds); C(timedatectl) and C(chrony), results.

    Raises:
        EvidenceError: something of this is missing or of another type.
    """
    yield _driver(asked)
    if asked.text("driver_wanted") != "none" and asked.mapping("driver").get("driver") == "kmod":
        yield _headers(asked)
    if asked.flag("redis_here"):
        yield _redis(asked)
    if asked.mapping("limits_wanted"):
        yield _limits(asked)
    if asked.items("ports_wanted"):
        yield _ports(asked)
    if asked.text("time_sync") != "ignore":
        yield _clock(asked)


def _driver(asked: Asked) -> Check:
    sentence, node, driver = "A driver of Falco can run", asked.text("node"), asked.mapping("driver")
    if asked.text("driver_wanted") == "none":
        return Check("driver", sentence, node, SKIPPED, "no driver wanted")
    able = driver.get("driver") not in (None, "none")
    return Check("driver", sentence, node, passed_if(able), str(driver.get("summary") or "no driver was decided on"))


def _headers(asked: Asked) -> Check:
    features = asked.mapping("driver").get("features") or {}
    built = bool(features.get("build_tree"))
    detail = f"build tree of {features.get('kernel')} {'is installed' if built else 'is missing'}"
    return Check("headers", "The running kernel has its build tree", asked.text("node"), passed_if(built), detail)


def _redis(asked: Asked) -> Check:
    wanted, stat = asked.mapping("redis_wanted"), asked.result("redis").get("stat") or {}
    right = (
        bool(stat.get("exists") and stat.get("isdir"))
        and stat.get("uid") == int(wanted["uid"])
        and stat.get("gid") == int(wanted["gid"])
        and int(str(stat.get("mode")), 8) == int(str(wanted["mode"]), 8)
    )
    found = f"is {stat.get('uid')}:{stat.get('gid')} {stat.get('mode')}" if stat.get("exists") else "is missing"
    detail = f"{wanted['directory']} {found}" + ("" if asked.flag("selinux") else ", SELinux is off")
    return Check("redis", "Redis owns its directory", asked.text("node"), passed_if(right), detail)


def _limits(asked: Asked) -> Check:
    live = dict(re.findall(r"(?m)^(\S+) = (.+)$", asked.result("limits").output))
    read_only = asked.items("read_only")
    low = []
    for key, least in asked.mapping("limits_wanted").items():
        value = live.get(key, "unknown here")
        if not value.strip().isdigit() or int(value) < int(least):
            why = " until the next boot: it is read-only here" if key in read_only else ""
            low.append(f"{key} is {value}, below {least}{why}")
    detail = ", ".join(low) or "limits are high enough"
    return Check("limits", "Kernel settings are high enough", asked.text("node"), passed_if(not low), detail)


def _ports(asked: Asked) -> Check:
    sentence, node, wanted, answer = (
        "Ports are open in firewalld",
        asked.text("node"),
        [str(port) for port in asked.items("ports_wanted")],
        asked.result("ports"),
    )
    if answer.code == FIREWALLD_NOT_RUNNING:
        return Check("ports", sentence, node, SKIPPED, "firewalld does not run")
    # Ansible gives the errno of a program that it could not start, and a message beside it.
    if answer.code == errno.ENOENT and answer.get("msg") and not answer.get("stderr"):
        return Check("ports", sentence, node, SKIPPED, "firewalld is not installed")
    if answer.code != 0:
        told = str(answer.get("stderr") or answer.get("msg") or "no reason given").strip()
        return Check("ports", sentence, node, FAILED, f"firewalld did not tell its ports: {told}")
    shut = [port for port in wanted if port not in answer.output.split()]
    detail = f"shut in firewalld: {', '.join(shut)}" if shut else f"open in firewalld: {', '.join(wanted)}"
    return Check("ports", sentence, node, passed_if(not shut), detail)


def _clock(asked: Asked) -> Check:
    sentence, node = "The clock is right", asked.text("node")
    skew = asked.number("skew_seconds")
    if skew > asked.number("skew_max_seconds"):
        return Check("clock", sentence, node, FAILED, f"the clock is {skew:.0f} s off the controller's")
    systemd, chrony = asked.result("timedatectl"), asked.result("chrony")
    if systemd.code == 0:
        synchronised = systemd.output == "yes"
        detail = f"the clock is {'' if synchronised else 'not '}synchronised"
        return Check("clock", sentence, node, passed_if(synchronised), detail)
    if chrony.code == 0:
        # The last field of chronyc's comma-separated tracking report is the leap status.
        synchronised = chrony.output.split(",")[-1] == "Normal"
        detail = f"the clock is {'' if synchronised else 'not '}synchronised by chrony"
        return Check("clock", sentence, node, passed_if(synchronised), detail)
    untold = "the clock agrees with the controller's, but neither systemd nor chrony tells whether it is synchronised"
    return Check("clock", sentence, node, SKIPPED, untold)
