# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An alert as Falco or Falcosidekick sends it. All of it is an attacker's to write, so it is read and never run.

Form: https://falco.org/docs/concepts/outputs/formatting/ (json_output).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any
from urllib.parse import unquote

from ..common.names import is_name, one_line
from .errors import RespondError

PRIORITIES = ("emergency", "alert", "critical", "error", "warning", "notice", "informational", "debug")
"""The most urgent first; Falco also writes `info`."""
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,9})?Z\Z")


@dataclass(frozen=True)
class Alert:
    """What a response looks at.

    Attributes:
        rule: its name, as one line without braces.
        priority: one of PRIORITIES.
        tags: as the rule has them.
        time: when the event was, None if that is not said.
        namespace, pod: the pod that it is about; both empty where it is about none.
    """

    rule: str
    priority: str
    tags: frozenset[str] = frozenset()
    time: datetime | None = None
    namespace: str = ""
    pod: str = ""

    @property
    def incident(self) -> str:
        """The same for every alert of one rule about one pod, 12 hexadecimal digits."""
        return hashlib.sha256("\0".join((self.rule, self.namespace, self.pod)).encode()).hexdigest()[:12]


def decode(text: object) -> Any:
    """The JSON of an alert.

    Args:
        text: JSON, percent-encoded (RFC 3986) so that no template engine on its way finds anything to do in it, or
            as it is.

    Raises:
        RespondError: it is no JSON.
    """
    if not isinstance(text, str):
        raise RespondError(["the alert is no text; give its JSON, percent-encoded"])
    try:
        return json.loads(unquote(text) if text.lstrip()[:1] == "%" else text)
    except (ValueError, RecursionError) as error:
        raise RespondError([f"the alert is no JSON: {one_line(error)}"]) from None


def read_alert(data: object) -> Alert:
    """Read an alert.

    Args:
        data: the parsed JSON.

    Raises:
        RespondError: it is none, or names what cannot be a pod.
    """
    if not isinstance(data, Mapping):
        raise RespondError(["the alert is no mapping"])
    problems = [f"the alert has no {key}" for key in ("rule", "priority") if not data.get(key)]
    priority = str(data.get("priority", "")).lower()
    priority = "informational" if priority == "info" else priority
    if priority and priority not in PRIORITIES:
        problems.append(f"the alert's priority is {one_line(data['priority'])!r}, one of {', '.join(PRIORITIES)}")
    fields: Any = data.get("output_fields")
    fields = fields if isinstance(fields, Mapping) else {}
    names = {}
    for key in ("k8s.ns.name", "k8s.pod.name"):
        value = fields.get(key)
        value = None if value in ("", "<NA>") else value
        if value is not None and not is_name(value):
            problems.append(f"the alert's {key} is no name of Kubernetes: {one_line(value)!r}")
        names[key] = value
    if (names["k8s.ns.name"] is None) != (names["k8s.pod.name"] is None):
        problems.append("the alert names a pod without its namespace, or a namespace without a pod")
    if problems:
        raise RespondError(problems)
    tags = data.get("tags")
    return Alert(
        plain(data["rule"]),
        priority,
        frozenset(plain(tag) for tag in tags) if isinstance(tags, list) else frozenset(),
        time_of(data.get("time")),
        names["k8s.ns.name"] or "",
        names["k8s.pod.name"] or "",
    )


def plain(text: object) -> str:
    """Foreign text in which no template engine finds anything to do, as a name is never written."""
    return one_line(text).translate({ord("{"): "(", ord("}"): ")"})


def time_of(text: object) -> datetime | None:
    """A time as Falco writes it: UTC with nanoseconds."""
    match = _TIME.match(text) if isinstance(text, str) else None
    if match is None:
        return None
    try:
        seconds = datetime.strptime(match.group(1), "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc)
    except ValueError:
        return None
    return seconds.replace(microsecond=int((match.group(2) or ".0")[1:7].ljust(6, "0")))
