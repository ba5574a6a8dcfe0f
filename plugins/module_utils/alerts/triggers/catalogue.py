# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The catalogue of triggers: safe actions, each tied to the rule that it must raise, and some that must raise none.

All are done in a pod that exists for nothing else. They need C(/bin/sh), C(/bin/cat), C(/bin/find), and busybox or what
an image has instead; what else one needs is said. They leave nothing: what they write is removed, and the pod goes.

Rules are those of inventory/files/rules, and those of Falco's own that can be raised without harm
(https://github.com/falcosecurity/rules, the names of its stable rules).
"""

from __future__ import annotations

from dataclasses import dataclass

#: Where a trigger's rule comes from.
OURS, FALCO, ANY = "falconet", "falco", ""
#: The shell's word for a program that can be linked or copied under another name.
_PROGRAM = 'for p in /bin/busybox /bin/true /usr/bin/true; do [ -x "$p" ] && break; done; '
_T = "/tmp/falconet-trigger"  # noqa: S108 - a path in the trigger's pod


@dataclass(frozen=True)
class Entry:
    """One action.

    Attributes:
        name: what the user chooses it by, and the report calls it.
        rule: what must alert; empty if nothing may.
        of: whose rule it is, C(OURS) or C(FALCO).
        command: what is run.
        does: what that is, for people.
        tty: whether it runs at a terminal.
        needs: what the pod needs besides a shell; empty for nothing.
    """

    name: str
    rule: str
    of: str
    command: tuple[str, ...]
    does: str
    tty: bool = False
    needs: str = ""


def _sh(script: str) -> tuple[str, ...]:
    return "/bin/sh", "-c", script


def _as(name: str, arguments: str = "") -> tuple[str, ...]:
    """A harmless program under the name of another one: what a rule sees is the name."""
    run = f"{_T}/{name} {arguments}".strip()
    return _sh(f'{_PROGRAM}mkdir -p {_T}; ln -s "$p" {_T}/{name}; {run}; rm -r {_T}')


_CAT_HOSTNAME = ("/bin/cat", "/etc/hostname")
_SHADOW = "[ -e /etc/shadow ] || : > /etc/shadow; "
_DROPPED = _sh(f'{_PROGRAM}mkdir -p {_T}; cp "$p" {_T}/dropped; {_T}/dropped; rm -r {_T}')
_PACKET_SOCKET = ("/bin/busybox", "arping", "-c", "1", "-w", "1", "-I", "lo", "127.0.0.1")
_NET_RAW = "busybox's arping, and the capability NET_RAW, which containers have by default"

CATALOGUE: tuple[Entry, ...] = (
    Entry(
        "file-shown",
        "",
        ANY,
        _CAT_HOSTNAME,
        "A file that everybody may read is shown outside of a terminal.",
    ),
    Entry("shell-without-terminal", "", ANY, _sh("exit 0"), "A shell starts without a terminal."),
    Entry("harmless-search", "", ANY, ("/bin/find", "/etc/hostname", "-name", "falconet"), "A file is searched."),
    Entry("file-written", "", ANY, _sh(f": > {_T}; rm {_T}"), "A file is written and removed where anybody may."),
    Entry(
        "expected-connection",
        "",
        ANY,
        ("/bin/busybox", "timeout", "2", "/bin/busybox", "nslookup", "kubernetes.default.svc"),
        "The cluster's DNS is asked.",
        needs="busybox's nslookup",
    ),
    Entry(
        "terminal-shell",
        "Shell at a terminal in a container",
        OURS,
        _sh("exit 0"),
        "A shell starts at a terminal.",
        tty=True,
    ),
    Entry(
        "file-shown-at-terminal",
        "File shown by a shell at a terminal in a container",
        OURS,
        _sh("/bin/cat /etc/hostname; exit 0"),
        "A shell at a terminal shows a file by cat.",
        tty=True,
    ),
    Entry(
        "package-manager",
        "Package manager started in a container",
        OURS,
        _as("apk"),
        "A package manager starts: a harmless program of that name.",
    ),
    Entry(
        "network-tool",
        "Network tool started in a container",
        OURS,
        _as("nc"),
        "A network tool starts: a harmless program of that name.",
    ),
    Entry(
        "packet-socket",
        "Packet socket opened in a container",
        OURS,
        _PACKET_SOCKET,
        "A packet socket is opened. Nothing is sent: the loopback interface takes no ARP.",
        needs=_NET_RAW,
    ),
    Entry(
        "shadow-read",
        "Password hashes read by an untrusted program",
        OURS,
        _sh(f"{_SHADOW}/bin/cat /etc/shadow; exit 0"),
        "The file of password hashes is read, and not shown.",
    ),
    Entry(
        "accounts-read",
        "Accounts read from a shell in a container",
        OURS,
        _sh("/bin/cat /etc/passwd; exit 0"),
        "The file of accounts is read from a shell.",
    ),
    Entry(
        "keys-searched",
        "Private keys or passwords searched",
        OURS,
        ("/bin/find", "/root", "-name", "id_rsa"),
        "Private keys are searched by their usual name.",
    ),
    Entry(
        "history-removed",
        "Shell history removed",
        OURS,
        _sh(f": > {_T}_history; rm {_T}_history"),
        "A file that is named like a shell's history is made and removed.",
    ),
    Entry(
        "unexpected-connection",
        "Connection outside of a pod's policy",
        OURS,
        ("/bin/busybox", "timeout", "1", "/bin/busybox", "nslookup", "falconet.invalid", "192.0.2.1"),
        "A UDP socket is connected to 192.0.2.1 (TEST-NET-1, nobody's address), and one question sent there.",
        needs="busybox's nslookup, and a namespace of the list site_policy_namespaces",
    ),
    Entry(
        "binary-directory-written",
        "File written below a binary directory",
        OURS,
        _sh(": > /bin/falconet-trigger; rm /bin/falconet-trigger"),
        "A file is written below a directory of programs, and removed.",
    ),
    Entry(
        "dropped-program",
        "Dropped program started in a container",
        OURS,
        _DROPPED,
        "A program that the image does not have starts: a copy of a harmless one.",
    ),
    Entry(
        "falco-terminal-shell",
        "Terminal shell in container",
        FALCO,
        _sh("exit 0"),
        "A shell starts at a terminal.",
        tty=True,
    ),
    Entry(
        "falco-shadow-read",
        "Read sensitive file untrusted",
        FALCO,
        _sh(f"{_SHADOW}/bin/cat /etc/shadow; exit 0"),
        "The file of password hashes is read, and not shown.",
    ),
    Entry(
        "falco-directory-traversal",
        "Directory traversal monitored file read",
        FALCO,
        ("/bin/cat", "/etc/../etc/../etc/passwd"),
        "A file of the system is read by a path that climbs up.",
    ),
    Entry(
        "falco-shell-of-server",
        "Run shell untrusted",
        FALCO,
        _sh(
            f"mkdir -p {_T}; printf '#!/bin/sh\\n/bin/sh -c true\\ntrue\\n' > {_T}/nginx; chmod +x {_T}/nginx; "
            f"{_T}/nginx; rm -r {_T}"
        ),
        "A script of a web server's name starts a shell.",
    ),
    Entry(
        "falco-netcat",
        "Netcat Remote Code Execution in Container",
        FALCO,
        _as("nc", "-e"),
        "Netcat starts with the option that would give away a shell: a harmless program of that name.",
    ),
    Entry(
        "falco-keys-searched",
        "Search Private Keys or Passwords",
        FALCO,
        ("/bin/find", "/root", "-name", "id_rsa"),
        "Private keys are searched by their usual name.",
    ),
    Entry(
        "falco-cloud-credentials",
        "Find AWS Credentials",
        FALCO,
        ("/bin/find", "/root", "-path", ".aws/credentials"),
        "Credentials of a cloud are searched by their usual path.",
    ),
    Entry(
        "falco-log-cleared",
        "Clear Log Activities",
        FALCO,
        _sh("mkdir -p /var/log; : > /var/log/falconet-trigger.log; rm /var/log/falconet-trigger.log"),
        "A log is emptied, one that was made for it.",
    ),
    Entry(
        "falco-data-removed",
        "Remove Bulk Data from Disk",
        FALCO,
        _as("shred"),
        "A program that overwrites files starts: a harmless one of that name.",
    ),
    Entry(
        "falco-symlink",
        "Create Symlink Over Sensitive Files",
        FALCO,
        _sh(f"ln -s /etc/shadow {_T}; rm {_T}"),
        "A symbolic link leads to the file of password hashes.",
    ),
    Entry(
        "falco-hardlink",
        "Create Hardlink Over Sensitive Files",
        FALCO,
        _sh(f"{_SHADOW}ln /etc/shadow /etc/falconet-trigger; rm /etc/falconet-trigger"),
        "The file of password hashes gets a second name.",
    ),
    Entry(
        "falco-packet-socket",
        "Packet socket created in container",
        FALCO,
        _PACKET_SOCKET,
        "A packet socket is opened. Nothing is sent: the loopback interface takes no ARP.",
        needs=_NET_RAW,
    ),
    Entry(
        "falco-release-agent",
        "Detect release_agent File Container Escapes",
        FALCO,
        _sh(f"mkdir -p {_T}; : > {_T}/release_agent; rm -r {_T}"),
        "A file that is named like what escapes from containers write is made, where it has no effect.",
    ),
    Entry(
        "falco-shared-memory",
        "Execution from /dev/shm",
        FALCO,
        _sh("/bin/sh -c /dev/shm/falconet-trigger; exit 0"),
        "A shell is told to run a program in shared memory that does not exist.",
    ),
    Entry(
        "falco-dropped-program",
        "Drop and execute new binary in container",
        FALCO,
        _DROPPED,
        "A program that the image does not have starts: a copy of a harmless one.",
    ),
)
BY_NAME = {entry.name: entry for entry in CATALOGUE}
