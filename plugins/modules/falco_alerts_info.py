#!/usr/bin/python
# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Alerts since a moment, from logs, the UI's store or a receiver, and which of the expected ones are among them."""

from __future__ import annotations

DOCUMENTATION = r"""
module: falco_alerts_info
short_description: Falco alerts at their destination, awaited and matched
version_added: "0.1.0"
author:
  - falconet.k8s contributors (@falconet-k8s)
description:
  - Reads alerts from the logs of the Falco pods (C(json_output) must be on), the log before a restart included, or from
    a receiver behind a Service, or from the store of Falcosidekick's UI. What Falcosidekick counted (events by rule,
    and what became of them at each output) is read from the metrics of each of its pods.
  - With O(cursor), a read goes on where another one ended. It loses no alert and takes none twice, whatever restarted,
    was rotated, or has the same time. What it cannot read any more is told in RV(gaps).
  - With O(expected), waits until each expected alert has arrived, and says how long it took from the event
    to the arrival.
  - A missing alert does not fail the module; RV(missing) names it.
options:
  source:
    description:
      - Where to read.
      - V(sidekick) gives RV(counters) and no alerts, for Falcosidekick counts them only.
      - V(ui) is the store of Falcosidekick's UI, read by its search. The event's time is all that it knows of an alert,
        so a read with O(cursor) finds what came up to a minute late.
    type: str
    choices: [logs, receiver, sidekick, ui]
    default: logs
  namespace:
    description: Where the pods of Falco and Falcosidekick are, for O(source=logs) and O(source=sidekick).
    type: str
    default: falco
  label_selector:
    description: Which pods are Falco's, for O(source=logs).
    type: str
    default: app.kubernetes.io/name=falco
  container:
    description: Which of their containers logs the alerts.
    type: str
    default: falco
  sidekick:
    description: Falcosidekick's pods in O(namespace), for O(source=sidekick).
    type: dict
    version_added: "1.0.0"
    suboptions:
      label_selector:
        description: Which pods are Falcosidekick's.
        type: str
        default: app.kubernetes.io/name=falcosidekick,app.kubernetes.io/component=core
      port:
        description: Port of its metrics.
        type: int
        default: 2801
      scheme:
        description: Whether it speaks TLS there.
        type: str
        choices: [http, https]
        default: http
  ui:
    description:
      - Falcosidekick's UI in O(namespace), for O(source=ui).
      - One of its pods is asked over the API server's port-forward (right C(create) on C(pods/portforward)), because
        the API server's proxy does not pass a password on.
    type: dict
    version_added: "1.0.0"
    suboptions:
      label_selector:
        description: Which pods are the UI's.
        type: str
        default: app.kubernetes.io/name=falcosidekick,app.kubernetes.io/component=ui
      port:
        description: Port of the UI in the pod.
        type: int
        default: 2802
      username:
        description: User of the UI. Without one no password is shown.
        type: str
      password:
        description: The user's password.
        type: str
  receiver:
    description:
      - An HTTP endpoint in the cluster that answers the alerts it was sent as JSON lines.
      - It is asked through the API server's proxy.
      - Each line is a Falco alert, or C({"received", "destination", "rule", "text", "alert"}).
    type: dict
    suboptions:
      namespace:
        description: Namespace of the Service.
        type: str
        required: true
      service:
        description: Name of the Service.
        type: str
        required: true
      port:
        description: Port of the Service.
        type: int
        default: 80
      path:
        description: Path of the alerts.
        type: str
        default: /alerts
  since:
    description: Only alerts of events at or after this RFC 3339 time; all that are kept without it.
    type: str
  cursor:
    description: RV(cursor) of another read of the same O(source), after which this one begins.
    type: str
    version_added: "1.0.0"
  expected:
    description: Alerts that must arrive. Each needs at least one of C(rule), C(contains) and C(fields).
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: How the expectation is called in the result.
        type: str
      rule:
        description: Name of the rule.
        type: str
      contains:
        description: Texts that must all stand in the alert.
        type: list
        elements: str
      fields:
        description: Output fields with their values.
        type: dict
      destination:
        description: The channel at which it must have arrived, as the receiver calls it.
        type: str
  wait_seconds:
    description: How long to wait for the expected alerts.
    type: int
    default: 0
  deadline:
    description:
      - RFC 3339 time at which the wait ends, however long O(wait_seconds) is. Each place is looked at once in any case.
      - With one deadline for several tasks, alerts that are missing everywhere are awaited once and not once at each
        place.
    type: str
    version_added: "1.0.0"
extends_documentation_fragment:
  - falconet.k8s.cluster
  - falconet.k8s.read_only
"""

EXAMPLES = r"""
- name: The read of /etc/shadow is in Falco's log within 30 seconds
  falconet.k8s.falco_alerts_info:
    since: "{{ started }}"
    expected:
      - rule: Read of etc shadow
        contains: ["{{ pod_name }}"]
    wait_seconds: 30
  register: alerts
  failed_when: alerts.missing | length > 0

- name: What came since then is read
  falconet.k8s.falco_alerts_info:
    cursor: "{{ alerts.cursor }}"
  register: later
"""

RETURN = r"""
alerts:
  description: Every alert that was read, at most the last 1,000; RV(cursor) is after all of them.
  returned: success
  type: list
  elements: dict
  contains:
    rule: {description: Name of the rule., type: str}
    priority: {description: Priority of the rule., type: str}
    destination: {description: C(falco) for a log else the receiver's channel., type: str}
    text: {description: The message., type: str}
    fields: {description: Output fields., type: dict}
count:
  description: How many alerts were read.
  returned: success
  type: int
cursor:
  description: Where this read ended, for O(cursor) of the next one.
  returned: success
  type: str
gaps:
  description: What may have been lost since O(cursor), in words.
  returned: success
  type: list
  elements: str
unread:
  description: Name of each pod whose log cannot be read now, to why. Its alerts are read the next time.
  returned: success
  type: dict
counters:
  description: What Falcosidekick's pods have counted together, for O(source=sidekick).
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: >-
        C(falco_events_total) (by rule, priority and pod), C(inputs_total), or C(outputs_total) (by destination and
        status).
      type: str
    labels: {description: Its labels., type: dict}
    value: {description: Since the pods began., type: int}
    increase: {description: Since O(cursor) or since the pods began., type: int}
matches:
  description: One entry per expectation.
  returned: success
  type: list
  elements: dict
  contains:
    name: {description: The expectation., type: str}
    arrived: {description: Whether it is met., type: bool}
    latency_ms: {description: From the event to the arrival; null where that is not known., type: float}
missing:
  description: Names of the expectations that no alert met.
  returned: success
  type: list
  elements: str
"""

import time
from collections.abc import Mapping
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.falconet.k8s.plugins.module_utils.alerts import (
    Alert,
    AlertsError,
    Expectation,
    match,
    read_time,
)
from ansible_collections.falconet.k8s.plugins.module_utils.alerts.cursor import Position, read_positions, written
from ansible_collections.falconet.k8s.plugins.module_utils.kube.client import Client
from ansible_collections.falconet.k8s.plugins.module_utils.kube.connection import CLUSTER_ARGUMENTS, connect
from ansible_collections.falconet.k8s.plugins.module_utils.kube.errors import KubeError
from ansible_collections.falconet.k8s.plugins.module_utils.live_falco.streams import (
    Read,
    read_logs,
    read_receiver,
    read_sidekick,
)
from ansible_collections.falconet.k8s.plugins.module_utils.live_falco.trigger_options import RECEIVER_ARGUMENTS
from ansible_collections.falconet.k8s.plugins.module_utils.live_falco.ui_store import read_ui

POLL_SECONDS = 0.25
MOST_ALERTS = 1000

ARGUMENTS: dict[str, dict[str, Any]] = {
    "source": {"type": "str", "choices": ["logs", "receiver", "sidekick", "ui"], "default": "logs"},
    "namespace": {"type": "str", "default": "falco"},
    "label_selector": {"type": "str", "default": "app.kubernetes.io/name=falco"},
    "container": {"type": "str", "default": "falco"},
    "sidekick": {
        "type": "dict",
        "apply_defaults": True,
        "options": {
            "label_selector": {
                "type": "str",
                "default": "app.kubernetes.io/name=falcosidekick,app.kubernetes.io/component=core",
            },
            "port": {"type": "int", "default": 2801},
            "scheme": {"type": "str", "choices": ["http", "https"], "default": "http"},
        },
    },
    "ui": {
        "type": "dict",
        "apply_defaults": True,
        "options": {
            "label_selector": {
                "type": "str",
                "default": "app.kubernetes.io/name=falcosidekick,app.kubernetes.io/component=ui",
            },
            "port": {"type": "int", "default": 2802},
            "username": {"type": "str"},
            "password": {"type": "str", "no_log": True},
        },
    },
    "receiver": {"type": "dict", "options": RECEIVER_ARGUMENTS},
    "since": {"type": "str"},
    "cursor": {"type": "str"},
    "expected": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "name": {"type": "str"},
            "rule": {"type": "str"},
            "contains": {"type": "list", "elements": "str"},
            "fields": {"type": "dict"},
            "destination": {"type": "str"},
        },
    },
    "wait_seconds": {"type": "int", "default": 0},
    "deadline": {"type": "str"},
}


def read(client: Client, params: dict[str, Any], since_ns: int | None, positions: Mapping[str, Position]) -> Read:
    """What the chosen source has after *positions*, but what is older than *since_ns*."""
    if params["source"] == "sidekick":
        about = params["sidekick"]
        place = (params["namespace"], about["label_selector"], about["port"], about["scheme"])
        return read_sidekick(client, *place, positions)
    if params["source"] == "ui":
        got = read_ui(client, params["namespace"], params["ui"], since_ns, positions)
    elif params["source"] == "receiver":
        got = read_receiver(client, params["receiver"], params["since"], positions)
    else:
        names = (params["namespace"], params["label_selector"], params["container"])
        got = read_logs(client, *names, since_ns, positions)
    got.alerts = [
        alert for alert in got.alerts if since_ns is None or (alert.time_ns or alert.arrived_ns or since_ns) >= since_ns
    ]
    return got


def patience(params: dict[str, Any]) -> float:
    """How many seconds may be waited, by both options."""
    if not params["deadline"]:
        return float(params["wait_seconds"])
    return min(float(params["wait_seconds"]), read_time(params["deadline"]) / 1e9 - time.time())


def main() -> None:
    """Entry point."""
    module = AnsibleModule(
        argument_spec={**CLUSTER_ARGUMENTS, **ARGUMENTS},
        required_if=[("source", "receiver", ["receiver"])],
        supports_check_mode=True,
    )
    params = module.params
    try:
        since_ns = read_time(params["since"]) if params["since"] else None
        wanted = [Expectation.from_dict({k: v for k, v in e.items() if v}) for e in params["expected"]]
        if wanted and params["source"] == "sidekick":
            raise AlertsError("expected: Falcosidekick counts alerts and does not keep them; take another source")
        positions = read_positions(params["cursor"] or "", params["source"])
        deadline = time.monotonic() + patience(params)
        client = connect(params)
        alerts: list[Alert] = []
        gaps: list[str] = []
        while True:
            got = read(client, params, since_ns, positions)
            positions = got.positions
            alerts += got.alerts
            gaps += got.gaps
            matches = match(wanted, alerts)
            missing = [m.expectation.name for m in matches if m.alert is None]
            if not missing or time.monotonic() >= deadline:
                break
            time.sleep(POLL_SECONDS)
    except (AlertsError, KubeError) as error:
        module.fail_json(msg=str(error))
    shown = [
        {"rule": a.rule, "priority": a.priority, "destination": a.destination, "text": a.text, "fields": dict(a.fields)}
        for a in alerts[-MOST_ALERTS:]
    ]
    module.exit_json(
        changed=False,
        alerts=shown,
        count=len(alerts),
        counters=got.counters,
        cursor=written(params["source"], positions),
        gaps=gaps,
        unread=got.unread,
        matches=[m.to_dict() for m in matches],
        missing=missing,
    )


if __name__ == "__main__":
    main()
