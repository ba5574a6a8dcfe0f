# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which API servers run on this node, and whether one is healthy."""

from __future__ import annotations

import http.client
import ipaddress
import posixpath
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..apiserver.flags import audit_flags

PROC = "/proc"
PROGRAM = "kube-apiserver"
_ANSWER_SECONDS = 5


@dataclass(frozen=True)
class Process:
    """A process that ran when it was looked for.

    Attributes:
        pid: its number.
        started: when it was started, in clock ticks since the machine booted; with the number it names one process.
        argv: its command line.
    """

    pid: int
    started: int
    argv: tuple[str, ...]

    @property
    def identity(self) -> tuple[int, int]:
        """What no other process has."""
        return self.pid, self.started


def processes(program: str) -> list[Process]:
    """The processes of a program that this node sees, those in containers among them.

    Args:
        program: the last part of the first word of their command line.
    """
    found = []
    for folder in Path(PROC).iterdir():
        if not folder.name.isdigit():
            continue
        try:
            argv = (folder / "cmdline").read_bytes().decode(errors="surrogateescape").split("\0")[:-1]
            if not argv or posixpath.basename(argv[0]) != program:
                continue
            # The second field is the program's name in parentheses, which may hold anything. Source: proc(5).
            fields = (folder / "stat").read_text(errors="surrogateescape").rpartition(")")[2].split()
        except (OSError, IndexError):  # it has ended meanwhile
            continue
        if fields[0] not in "ZX":
            found.append(Process(int(folder.name), int(fields[19]), tuple(argv)))
    return found


def audits_as(process: Process, argv: Sequence[str]) -> bool:
    """Whether a process has the audit flags of a command line, in whatever order."""
    own, expected = ({(flag.name, flag.value) for flag in audit_flags(one)} for one in (process.argv, argv))
    return own == expected


def audits_at_least_as(process: Process, flags: Sequence[str]) -> bool:
    """Whether a process has these audit flags in their last values, whatever it has besides."""
    own = {flag.name: flag.value for flag in audit_flags(process.argv)}
    return all(own.get(flag.name) == flag.value for flag in audit_flags(flags))


def _flag(argv: Sequence[str], name: str, default: str) -> str:
    value = default
    for number, argument in enumerate(argv):
        if argument == f"--{name}":
            value = next(iter(argv[number + 1 : number + 2]), default)
        elif argument.startswith(f"--{name}="):
            value = argument.partition("=")[2]
    return value


def unhealthy(argv: Sequence[str]) -> str:
    """What an API server answers when it is asked whether it is ready; nothing where it is.

    Its certificate is not looked at and nobody signs in, as with the kubelet's own probes: it is asked where it
    listens on this very node. One that answers nobody without a name (--anonymous-auth=false) counts as ready once it
    says so.

    Args:
        argv: its command line.
    """
    host = _flag(argv, "bind-address", "0.0.0.0")  # noqa: S104 - the flag's default, asked and not listened on
    try:
        if ipaddress.ip_address(host).is_unspecified:
            host = "127.0.0.1" if ":" not in host else "::1"
    except ValueError:
        host = "127.0.0.1"
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    connection = http.client.HTTPSConnection(
        host, int(_flag(argv, "secure-port", "6443")), timeout=_ANSWER_SECONDS, context=context
    )
    try:
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        text = answer.read(4096).decode(errors="replace").strip()
    except (OSError, http.client.HTTPException) as error:
        return f"it does not answer: {error}"
    finally:
        connection.close()
    return "" if answer.status in {200, 401, 403} else f"/readyz answers {answer.status}: {text}"
