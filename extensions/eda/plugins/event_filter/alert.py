# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Alerts of Falco as events that a rulebook may act on: each pod and cause once, and no text that anybody would run.

It runs within ansible-rulebook, whose Python has neither Ansible's collections nor their libraries: it needs none.
"""

from __future__ import annotations

import json
import re
import time
from collections import OrderedDict
from typing import Any, Callable
from urllib.parse import quote

DOCUMENTATION = r"""
---
short_description: Alerts of Falco, each pod and cause once.
description:
  - Takes what Falcosidekick posts to a webhook, and makes C(falcosidekick_alert) of it, with C(rule), C(priority),
    C(urgency), C(namespace), C(pod), C(about_pod) and C(encoded), the alert's JSON percent-encoded for C(respond_alert)
    of falconet.k8s.respond.
  - An alert of the same rule about the same pod is dropped for some time, and so is what is no alert. Of each no more
    is kept than the rule and the pod, and no more than a number of them, so that a storm costs neither memory nor
    actions.
  - Dropped alerts are counted, and how many there were is told by the next event (C(dropped)).
options:
  once_within_seconds:
    description: For how long an alert of the same rule about the same pod is dropped.
    type: int
    default: 300
  most:
    description: How many pods and causes are remembered; the oldest are forgotten first.
    type: int
    default: 10000
  longest_bytes:
    description: A longer alert is told without its fields, but for the pod's names.
    type: int
    default: 65536
"""

EXAMPLES = r"""
- eda.builtin.webhook:
    host: 0.0.0.0
    port: 5000
    token: "{{ rulebook_token }}"
  filters:
    - falconet.k8s.alert:
        once_within_seconds: 300
"""

PRIORITIES = ("emergency", "alert", "critical", "error", "warning", "notice", "informational", "debug")
#: A name of Kubernetes (RFC 1123); what is none is nobody's.
_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?\Z")
_SAFE = re.compile(r"[^\w .,:;()/+=@#-]")


class Seen:
    """Which pods and causes there were, and how many alerts were dropped since the last event.

    Args:
        clock: seconds, never going back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.last: OrderedDict[tuple[str, str, str], float] = OrderedDict()
        self.dropped = 0

    def is_new(self, key: tuple[str, str, str], seconds: float, most: int) -> bool:
        """Whether a pod and cause was not there for so long; it is remembered from now on."""
        now = self.clock()
        while self.last and now - next(iter(self.last.values())) >= seconds:
            self.last.popitem(last=False)
        if key in self.last:
            return False
        self.last[key] = now
        if len(self.last) > most:
            self.last.popitem(last=False)
        return True


_SEEN = Seen()


def main(
    event: dict[str, Any],
    once_within_seconds: int = 300,
    most: int = 10_000,
    longest_bytes: int = 65_536,
    seen: Seen = _SEEN,
) -> Any:
    """The event with what a rulebook needs; an empty list, which is no event to ansible-rulebook, if it is dropped."""
    given = event.get("payload")
    alert: dict[str, Any] = given if isinstance(given, dict) else {}
    told = _told(alert)
    if told is None or not seen.is_new((told["rule"], told["namespace"], told["pod"]), once_within_seconds, most):
        seen.dropped += 1
        return []
    told["dropped"], seen.dropped = seen.dropped, 0
    told["encoded"] = quote(_json(alert, told, longest_bytes), safe="")
    # Nothing of the alert's own text goes on: what a rulebook's templates see is what was made here.
    meta = {"meta": event["meta"]} if "meta" in event else {}
    return {"falcosidekick_alert": told, **meta}


def _told(alert: dict[str, Any]) -> dict[str, Any] | None:
    """What a rulebook may decide on; None if it is no alert."""
    rule, priority = alert.get("rule"), str(alert.get("priority", "")).lower()
    priority = "informational" if priority == "info" else priority
    if not isinstance(rule, str) or not rule or priority not in PRIORITIES:
        return None
    fields = alert.get("output_fields")
    fields = fields if isinstance(fields, dict) else {}
    namespace, pod = (_name(fields.get(key)) for key in ("k8s.ns.name", "k8s.pod.name"))
    return {
        "rule": _SAFE.sub("_", rule)[:200],
        "priority": priority,
        "urgency": len(PRIORITIES) - PRIORITIES.index(priority),
        "namespace": namespace,
        "pod": pod,
        "about_pod": bool(namespace and pod),
    }


def _name(value: object) -> str:
    return value if isinstance(value, str) and _NAME.match(value) else ""


def _json(alert: dict[str, Any], told: dict[str, Any], longest_bytes: int) -> str:
    text = json.dumps(alert)
    if len(text) <= longest_bytes:
        return text
    fields = {"k8s.ns.name": told["namespace"], "k8s.pod.name": told["pod"]}
    short: dict[str, Any] = {
        key: alert[key] for key in ("rule", "priority", "time", "tags", "source", "hostname") if key in alert
    }
    short["output"] = f"left out: the alert had {len(text)} bytes"
    return json.dumps({**short, "output_fields": fields})
