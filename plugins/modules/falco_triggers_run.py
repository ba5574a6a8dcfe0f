#!/usr/bin/python
# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Triggers done on every node that Falco watches, and their alerts followed to each destination."""

from __future__ import annotations

DOCUMENTATION = r"""
module: falco_triggers_run
short_description: Triggers done on every node, and their alerts followed
version_added: "1.0.0"
author:
  - falconet.k8s contributors (@falconet-k8s)
description:
  - Does actions on which rules must alert, or must not, on every node that Falco is to watch, and follows their alerts
    from Falco's log to each destination.
  - Each node has a pod in each namespace of the triggers; the nodes work side by side, and on each those actions come
    first that must raise nothing, so that an alert of a later one proves that their silence is one.
  - An alert is an action's by its pod, its rule, and by when its event was, for Falco's events have the clock of their
    node, as the action has. A clock of Falco's that was left behind is noticed and told.
  - All alerts at all places are awaited together. A missing one does not fail the module; its place says so.
  - Pods are removed in any end. Those that a run which was killed has left, the next one removes; kubelet ends them
    before.
  - In check mode nothing is done, and what would be is returned.
options:
  triggers:
    description: What is done, in this order.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: How it is called in the result.
        type: str
        required: true
      rule:
        description: Which rule must alert, or must not. Empty if none at all may.
        type: str
        default: ""
      namespace:
        description: Where it is done.
        type: str
        required: true
      command:
        description: What is run, as an argument list. What it prints is dropped, for it may be secret.
        type: list
        elements: str
        required: true
      tty:
        description: Whether it runs at a terminal.
        type: bool
        default: false
      expect_alert:
        description: Whether the rule must alert, or must not.
        type: bool
        default: true
      skipped:
        description: Why it is not done; empty if it is.
        type: str
        default: ""
      not_at:
        description: Name of a destination to why its alert is not awaited there.
        type: dict
        default: {}
  nodes:
    description: Names of the nodes on which triggers are done. Without any, all that Falco is to watch.
    type: list
    elements: str
    default: []
  sidekick_label_selector:
    description:
      - Which pods are Falcosidekick's. With its setting C(debug) they log what they get, which tells when an alert came
        there.
      - Empty to leave their log.
    type: str
    default: app.kubernetes.io/name=falcosidekick,app.kubernetes.io/component=core
attributes:
  check_mode:
    description: Can run in check mode, where it does nothing and returns what it would do.
    support: full
  diff_mode:
    description: Shows what changes.
    support: none
    details: What it makes is gone when it ends.
extends_documentation_fragment:
  - falconet.k8s.cluster
  - falconet.k8s.trigger_pods
"""

EXAMPLES = r"""
- name: A read of password hashes is seen on every node
  falconet.k8s.falco_triggers_run:
    image: docker.io/library/busybox:1.37
    triggers:
      - name: shadow read
        rule: Read sensitive file untrusted
        namespace: default
        command: [/bin/cat, /etc/shadow]
    destinations:
      - name: webhook
        receiver: {namespace: alerts, service: receiver, port: 8080}
  register: ran
"""

RETURN = r"""
triggers:
  description: The triggers as given, with what was seen of each.
  returned: success
  type: list
  elements: dict
  contains:
    name: {description: Its name., type: str}
    skipped: {description: Why it was not done., type: str}
    nodes:
      description: One entry for each node on which it was to be done.
      type: list
      elements: dict
      contains:
        node: {description: Name of the node., type: str}
        pod: {description: Name of the pod., type: str}
        error: {description: Why it was not done there; empty if it was., type: str}
        acted: {description: When it began by the node's clock as RFC 3339., type: str}
        exit_code: {description: Of the command., type: int}
        event_ms: {description: From there to Falco's event in milliseconds., type: float}
        falco_ms: {description: To the line in Falco's log., type: float}
        sidekick_ms: {description: To Falcosidekick; null where its log does not tell., type: float}
        clock_offset_ms: {description: By how much Falco's clock is ahead of its node's., type: float}
        places: {description: By place C(arrived) and C(latency_ms) and C(text)., type: dict}
        alerts: {description: The alerts of the action in Falco's log., type: list}
nodes:
  description: On which nodes triggers were done.
  returned: success
  type: list
  elements: str
left_out:
  description: Nodes that Falco is not to watch.
  returned: success
  type: list
  elements: str
clocks:
  description: By node, between how many milliseconds its clock is ahead of the controller's.
  returned: success
  type: dict
unread:
  description: By place why it could not be read at last.
  returned: success
  type: dict
gaps:
  description: What may have been lost, in words.
  returned: success
  type: list
  elements: str
waited_seconds:
  description: How long alerts were awaited.
  returned: success
  type: float
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.falconet.k8s.plugins.module_utils.common.watched import watched
from ansible_collections.falconet.k8s.plugins.module_utils.kube.client import Client
from ansible_collections.falconet.k8s.plugins.module_utils.kube.connection import CLUSTER_ARGUMENTS, connect
from ansible_collections.falconet.k8s.plugins.module_utils.kube.errors import KubeError
from ansible_collections.falconet.k8s.plugins.module_utils.live_falco.awaiting import Logs, await_alerts
from ansible_collections.falconet.k8s.plugins.module_utils.live_falco.trigger_options import TRIGGER_POD_ARGUMENTS
from ansible_collections.falconet.k8s.plugins.module_utils.live_falco.triggers import NODES, Pods, TriggerPods

#: A place that is away is looked at again and again, and not waited for.
PLACE_PATIENCE_SECONDS = 0.5
_TRIGGER: dict[str, dict[str, Any]] = {
    "name": {"type": "str", "required": True},
    "rule": {"type": "str", "default": ""},
    "namespace": {"type": "str", "required": True},
    "command": {"type": "list", "elements": "str", "required": True},
    "tty": {"type": "bool", "default": False},
    "expect_alert": {"type": "bool", "default": True},
    "skipped": {"type": "str", "default": ""},
    "not_at": {"type": "dict", "default": {}},
}
ARGUMENTS: dict[str, dict[str, Any]] = {
    **TRIGGER_POD_ARGUMENTS,
    "triggers": {"type": "list", "elements": "dict", "required": True, "options": _TRIGGER},
    "nodes": {"type": "list", "elements": "str", "default": []},
    "sidekick_label_selector": {
        "type": "str",
        "default": "app.kubernetes.io/name=falcosidekick,app.kubernetes.io/component=core",
    },
}


def choose_nodes(client: Client, params: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Nodes on which triggers are done, and those that are left out.

    Raises:
        KubeError: a node that was named does not exist, or there is none to do them on.
    """
    nodes = sorted(client.list_all(NODES), key=lambda node: str(node["metadata"]["name"]))
    names = [str(node["metadata"]["name"]) for node in nodes]
    unknown = [name for name in params["nodes"] if name not in names]
    if unknown:
        raise KubeError(f"nodes: the cluster has no node {unknown[0]}", f"It has {', '.join(names)}.")
    if params["nodes"]:
        chosen = [name for name in names if name in params["nodes"]]
    else:
        selector, groups = params["node_selector"], params["node_groups"]
        chosen = [name for name, node in zip(names, nodes) if watched(node, selector, groups)]
    if not chosen:
        raise KubeError(
            "there is no node that Falco is to watch",
            f"node_selector fits none of {', '.join(names)}." if names else "The cluster has no nodes.",
        )
    return chosen, [name for name in names if name not in chosen]


def run(module: AnsibleModule) -> dict[str, Any]:
    """Do the triggers and follow their alerts.

    Raises:
        KubeError: the cluster does not answer, or pods cannot be removed.
    """
    params = module.params
    client = connect(params)
    triggers = [trigger for trigger in params["triggers"] if not trigger["skipped"]]
    nodes, left_out = choose_nodes(client, params)
    result: dict[str, Any] = {"nodes": nodes, "left_out": left_out, "clocks": {}, "unread": {}, "gaps": []}
    if module.check_mode or not triggers:
        shown = [{**trigger, "nodes": []} for trigger in params["triggers"]]
        return {**result, "triggers": shown, "waited_seconds": 0.0}
    pods = Pods(
        image=params["image"],
        pull_policy=params["image_pull_policy"],
        pull_secrets=tuple(params["image_pull_secrets"]),
        start_seconds=params["start_timeout_seconds"],
        life_seconds=2 * params["start_timeout_seconds"] + params["alert_timeout_seconds"] + 60,
    )
    places = [(node, trigger["namespace"]) for node in nodes for trigger in triggers]
    log = Logs(params["falco_namespace"], params["falco_label_selector"], params["falco_container"])
    selector = params["sidekick_label_selector"]
    with TriggerPods(client, places, pods) as made:
        acted = made.act(triggers)
        awaited = await_alerts(
            connect(params, patience_seconds=PLACE_PATIENCE_SECONDS),
            triggers,
            acted.actions,
            log,
            Logs(log.namespace, selector, "falcosidekick") if selector else None,
            params["destinations"],
            params["alert_timeout_seconds"],
        )
    seen = iter(awaited.triggers)
    return {
        **result,
        "triggers": [{**one, "nodes": []} if one["skipped"] else next(seen, one) for one in params["triggers"]],
        "clocks": {
            node: {
                "least_ms": None if clock.least_ns is None else round(clock.least_ns / 1e6, 1),
                "most_ms": None if clock.most_ns is None else round(clock.most_ns / 1e6, 1),
            }
            for node, clock in acted.clocks.items()
        },
        "unread": awaited.unread,
        "gaps": awaited.gaps,
        "waited_seconds": awaited.waited_seconds,
    }


def main() -> None:
    """Entry point."""
    module = AnsibleModule(argument_spec={**CLUSTER_ARGUMENTS, **ARGUMENTS}, supports_check_mode=True)
    try:
        result = run(module)
    except KubeError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
