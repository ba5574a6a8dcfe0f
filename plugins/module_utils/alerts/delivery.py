# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Falco and Falcosidekick log of alerts that they passed on or lost, and why, in words without a secret.

Addresses of outputs hold tokens, and what a receiver answers may hold anything: of a line only the output's name, an
HTTP status, the kind of a failure and the name of a host are kept.

Sources: https://github.com/falcosecurity/falcosidekick (``outputs/client.go``, ``internal/pkg/utils/utils.go``),
https://curl.se/libcurl/c/libcurl-errors.html, https://www.iana.org/assignments/http-status-codes/
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from .reading import read_lines

#: What Falco itself raises, by rule; it says the first of a pod that could not take new rules, the second of drops.
REFUSED_RULES = "Falco internal: hot restart failure"
DROPPED_EVENTS = "Falco internal: syscall event drop"
#: ``[ERROR] : Slack - access denied (403): ...``, with a program's name and Go's time before it.
_SIDEKICK_LINE = re.compile(r"(?:[\w.-]+ )?(?:[\d/]+ [\d:.]+ )?\[(ERROR|INFO)\s*\]\s*: (\S+) - (.*)")
_STATUS = re.compile(r"\((\d{3})\)")
_SENT = re.compile(r"\bOK\b")
_LOST = re.compile(r"libcurl failed to perform call:?\s*(.*)")
_URL = re.compile(r'"(\w+://[^"\s]+)"')
_LOOKUP = re.compile(r"\blookup (\S+?)(?: on \S+)?:")
_HOST = re.compile(r"^([A-Za-z0-9.-]+(?::\d+)?): ")
#: A text of the network's errors, in Go's and libcurl's words, and what it means. The first that fits counts.
FAILURES: tuple[tuple[str, str, str], ...] = (
    ("unresolved", r"no such host|NXDOMAIN", "there is no host {host}: its name cannot be resolved"),
    ("no_dns", r"\blookup \S+.*(timeout|refused|unreachable|misbehaving|deadline)", "DNS does not answer for {host}"),
    ("unresolved", r"[Cc]ould(n't| not) resolve host", "the name of {host} cannot be resolved"),
    ("tls", r"x509|tls:|certificate|SSL|TLS", "TLS with {host} fails"),
    ("refused", r"connection refused|[Cc]ouldn't connect|[Ff]ailed to connect|[Cc]ould not connect",
     "{host} refuses the connection: nothing listens there"),
    ("silent", r"timeout|[Tt]imed out|Timeout|deadline exceeded|no route to host|unreachable",
     "{host} does not answer: something drops the connection, or it is away"),
    ("closed", r"EOF|connection reset|broken pipe|[Ee]mpty reply", "{host} closes the connection without an answer"),
)  # fmt: skip


@dataclass(frozen=True)
class Failure:
    """Why something could not be passed on.

    Attributes:
        kind: of C(FAILURES), C(status) if it was answered, or C(other).
        status: the HTTP status that was answered; None without an answer.
        host: whom it was meant for, without anything secret; empty if it is not told.
        words: for people.
    """

    kind: str
    status: int | None
    host: str
    words: str


@dataclass(frozen=True)
class Passing:
    """What one logged of alerts that it passed on.

    Attributes:
        sent: how many of them were taken.
        failed: how many lines tell of a failure; there may be several of one alert.
        failure: the last one.
    """

    sent: int = 0
    failed: int = 0
    failure: Failure | None = None

    def to_dict(self) -> dict[str, Any]:
        """As modules return it."""
        return asdict(self)

    def and_then(self, other: Passing) -> Passing:
        """Both together; the other is the later one."""
        return Passing(self.sent + other.sent, self.failed + other.failed, other.failure or self.failure)


def read_sidekick(lines: Iterable[str]) -> dict[str, Passing]:
    """What a Falcosidekick logged, by its outputs' names in small letters."""
    found: dict[str, Passing] = {}
    for line in lines:
        told = _SIDEKICK_LINE.match(line)  # from its begin: what follows may be an attacker's
        if not told:
            continue
        level, name, text = told.groups()
        output = name.lower()
        if level == "INFO":
            step = Passing(sent=1) if _SENT.search(text) else Passing()
        else:
            failure = failure_of(text)
            # After its reason the real one logs the same failure once more, in words alone.
            again = failure.kind == "other" and found.get(output, Passing()).failure is not None
            step = Passing() if again else Passing(failed=1, failure=failure)
        found[output] = found.get(output, Passing()).and_then(step)
    return {output: passing for output, passing in found.items() if passing != Passing()}


@dataclass(frozen=True)
class FalcoLog:
    """What one Falco logged beside its alerts.

    Attributes:
        lost: alerts that it could not hand over.
        drops: how often it told that it dropped events.
        refused: whether it refused new rules and kept the old ones.
    """

    lost: Passing
    drops: int
    refused: bool


def read_falco(lines: Iterable[str]) -> FalcoLog:
    """What a Falco logged of what it lost: alerts on their way, and events."""
    lost = Passing()
    told: list[str | None] = []
    for line in lines:
        # An alert may hold any text, so it is never taken for what Falco says of itself.
        if line.lstrip().startswith("{"):
            told += [alert.rule for alert in read_lines([line])] if "Falco internal" in line else []
            continue
        found = _LOST.search(line)
        if found:
            lost = lost.and_then(Passing(failed=1, failure=failure_of(found[1], "Falcosidekick")))
    return FalcoLog(lost, told.count(DROPPED_EVENTS), REFUSED_RULES in told)


def failure_of(text: str, whom: str = "the receiver") -> Failure:
    """Why something could not be passed on, from what was logged of it.

    Args:
        text: a line's text.
        whom: how the other end is called where the text names no host.
    """
    host = _host(text)
    status = next((int(code) for code in _STATUS.findall(text) if 300 <= int(code) <= 599), None)
    if status:
        return Failure("status", status, host, f"it was answered {status}{_meaning(status)}")
    for kind, pattern, words in FAILURES:
        if re.search(pattern, text):
            return Failure(kind, None, host, words.format(host=host or whom))
    return Failure("other", None, host, "it says no reason that is known")


def _meaning(status: int) -> str:
    phrases: Mapping[int, str] = {known.value: known.phrase for known in HTTPStatus}
    return f" ({phrases[status]})" if status in phrases else ""


def _host(text: str) -> str:
    """Whom a line is about, without path, user, password and query: these may be secrets."""
    lookup = _LOOKUP.search(text)
    if lookup:
        return lookup[1]
    url = _URL.search(text)
    if url:
        try:
            return urlsplit(url[1]).hostname or ""
        except ValueError:
            return ""
    plain = _HOST.match(text)
    return plain[1] if plain and ("." in plain[1] or ":" in plain[1]) else ""
