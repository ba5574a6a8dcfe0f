# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is sent to the programs inside a pod, and how the lines that they print are read."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass, replace

from ...kube.errors import KubeError
from .bash_script import BASH
from .node_python import NODE_PYTHON
from .node_script import NODE_SHELL
from .script import END_OF_INPUT, PYTHON, SHELL

# Verdicts of one attempt.
ALLOWED = "allowed"  # connected, or an answer came back
REFUSED = "refused"  # something answered, and the answer was no
DROPPED = "dropped"  # nothing came back in time
UNRESOLVED = "unresolved"  # the name has no address here
PROBE_FAILED = "probe_failed"  # the attempt itself failed: nothing is known about the connection
VERDICTS = (ALLOWED, REFUSED, DROPPED, UNRESOLVED, PROBE_FAILED)

PROTOCOLS = ("TCP", "UDP", "SCTP")

# Servers of the agnhost image answer this; others may be asked with a payload of their own.
DEFAULT_PAYLOAD = b"hostname\n"
# For port 53: a query for the SOA record of cluster.local (RFC 1035, section 4), which any DNS server answers somehow.
DNS_QUERY = b"\x4b\x53\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07cluster\x05local\x00\x00\x06\x00\x01"

# Hosts go through a shell: only what can be an address or a name may pass.
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._:-]{0,251}[A-Za-z0-9.])?|[0-9A-Fa-f:.]{2,45}")


@dataclass(frozen=True)
class Target:
    """One connection to try.

    Attributes:
        ident: number that the answer carries back, unique within a batch.
        protocol: C(TCP), C(UDP) or C(SCTP).
        host: address or DNS name.
        port: 1 to 65535.
    """

    ident: int
    protocol: str
    host: str
    port: int

    def line(self) -> str:
        """The target as the programs read it."""
        if self.protocol not in PROTOCOLS or not 1 <= self.port <= 65535 or not _HOST.fullmatch(self.host):
            raise KubeError(f"not a target: {self.protocol} {self.host!r} port {self.port}")
        return f"{self.ident} {self.protocol.lower()} {self.host} {self.port}"


@dataclass(frozen=True)
class Settings:
    """How attempts are made.

    Attributes:
        wait_seconds: how long to wait for an answer; whole seconds, because netcat counts in these.
        bound: connections open at once in one pod.
        payload: what is sent to UDP ports other than 53.
    """

    wait_seconds: int = 2
    bound: int = 128
    payload: bytes = DEFAULT_PAYLOAD

    def longest_seconds(self, targets: int) -> float:
        """Time after which a batch that is not done is broken: every target silent, names unresolved, a slow image."""
        return 20.0 + (self.wait_seconds + 5) * (1 + targets // max(1, self.bound))


@dataclass(frozen=True)
class Attempt:
    """What one attempt found.

    Attributes:
        verdict: one of C(VERDICTS).
        latency_ms: time to the verdict, None if it was not measured (10 ms steps with shell tools).
        detail: what the tool said, for verdicts other than C(allowed).
        tool: which tool tried.
        image_lacks: the image of the pod is why it failed, so that a method which needs nothing of it would do.
    """

    verdict: str
    latency_ms: float | None = None
    detail: str = ""
    tool: str = ""
    image_lacks: bool = False


def _octal(data: bytes) -> str:
    return "".join(f"\\{byte:03o}" for byte in data)


def _head(settings: Settings) -> str:
    values = {
        "wait": str(settings.wait_seconds),
        "bound": str(settings.bound),
        "payload": _octal(settings.payload),
        "dns": _octal(DNS_QUERY),
        "payload_hex": settings.payload.hex(),
        "dns_hex": DNS_QUERY.hex(),
        "python": PYTHON,
        "bash_many": BASH,
    }
    return "".join(f"{name}={shlex.quote(value)}\n" for name, value in values.items())


def pod_input(targets: Iterable[Target], settings: Settings) -> bytes:
    """Input of C(READER) for a batch from inside one pod."""
    asked = shlex.quote("\n".join(target.line() for target in targets))
    return _whole(f"{_head(settings)}targets={asked}\n{SHELL}")


def _whole(script: str) -> bytes:
    """A script with all its data, as C(READER) reads it."""
    # Some seds look a line ahead, and the stream does not end.
    return f"{script}\n{END_OF_INPUT}\n\n\n".encode()


def node_input(pods: Iterable[tuple[str, str, Iterable[Target]]], settings: Settings, abreast: int = 8) -> bytes:
    """Input of C(READER) for a batch from the network namespaces of many pods of one node.

    Args:
        pods: for each pod its uid, its address, its targets.
        abreast: pods at once.
    """
    own = _head(settings)
    inner = shlex.quote(f"{own}targets=\n{SHELL}")
    asked = [
        line for uid, address, targets in pods for line in (f"P {uid} {address}", *(one.line() for one in targets))
    ]
    values = {"inner": inner, "node_program": shlex.quote(NODE_PYTHON), "abreast": str(abreast)}
    values["asked"] = shlex.quote("".join(f"{line}\n" for line in asked))
    head = own + "".join(f"{name}={value}\n" for name, value in values.items())
    return _whole(head + NODE_SHELL)


def read(
    output: str, targets: Iterable[Target], pods: dict[str, list[int]] | None = None, error: str = ""
) -> dict[int, Attempt]:
    """Read the report of a batch. Every target gets an attempt: what was not reported is a failed probe.

    Args:
        output: standard output of the program.
        targets: what was asked.
        pods: for node batches, the targets' numbers by pod uid.
        error: standard error, used to explain a missing report.

    Returns:
        Attempts by the targets' numbers.
    """
    asked = {target.ident: target for target in targets}
    found: dict[int, Attempt] = {}
    tools: dict[str, tuple[str, str]] = {}
    complete = False
    for line in output.splitlines():
        kind, _space, rest = line.partition(" ")
        words = rest.split(" ", 3)
        if kind == "R" and len(words) >= 3 and words[0].isdigit() and int(words[0]) in asked and words[1] in VERDICTS:
            detail = words[3].strip() if len(words) > 3 else ""
            # The first word counts: an attempt may end just when its time is up.
            found.setdefault(int(words[0]), Attempt(words[1], _number(words[2]), detail))
        elif kind == "T" and len(words) >= 2:
            tools[words[0].upper()] = (words[1], " ".join(words[2:]).strip())
        elif kind == "X" and pods is not None:
            for ident in pods.get(words[0], []):
                found.setdefault(ident, Attempt(PROBE_FAILED, None, " ".join(words[1:])))
        elif line == "E":
            complete = True
    excuse = "the probe ended without a verdict for this target"
    if not complete:
        said = " ".join(error.split())[:200]
        excuse = "the probe was cut off" + (f": {said}" if said else "")
    attempts = {}
    for ident, target in asked.items():
        tool, why = tools.get(target.protocol, ("", ""))
        toolless = tool == "none"
        fallback = Attempt(
            PROBE_FAILED,
            None,
            f"no usable tool for {target.protocol}: {why}" if toolless else excuse,
            image_lacks=toolless,
        )
        attempts[ident] = replace(found.get(ident, fallback), tool="" if toolless else tool)
    return attempts


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
