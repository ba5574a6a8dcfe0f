#!/usr/bin/python
# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module kube_audit_trigger: real requests to the API that raise rules for audit events."""

from __future__ import annotations

DOCUMENTATION = r"""
module: kube_audit_trigger
short_description: Send requests to the API that raise rules for audit events
version_added: "1.0.0"
author:
  - falconet.k8s contributors (@falconet-k8s)
description:
  - Sends for each rule a request that it tells of, so that its alert can be awaited. Each bears a mark of its own,
    which the alert has in it.
  - Rules that tell of what somebody tried get requests that the API server's validation refuses, so nothing is made.
    Without O(rules) these alone are raised.
  - Rules that tell of what was done get objects that do nothing and are deleted at once. What a run that was killed
    left behind is deleted by the next one.
  - A session for C(Attach/Exec Pod) is opened in a pod of O(session_namespace), with a program that does not exist.
extends_documentation_fragment:
  - falconet.k8s.cluster
options:
  rules:
    description: Names of the rules, or V(all) for every rule that a request is known for.
    type: list
    elements: str
    default: []
  namespace:
    description: An existing namespace in which pods, services and the like are tried.
    type: str
    default: default
  session_namespace:
    description: Namespace of a pod in which a session is opened. Empty for a pod that does not exist.
    type: str
    default: ""
  session_pod:
    description: Name of that pod; the first that is ready without it.
    type: str
    default: ""
attributes:
  check_mode:
    description: Nothing is sent.
    support: full
  diff_mode:
    description: There is nothing to show.
    support: none
"""

EXAMPLES = r"""
- name: Somebody tries what no one should
  falconet.k8s.kube_audit_trigger:
    rules: [Create Privileged Pod, Attach to cluster-admin Role]
  register: tried

- name: Falco tells of it
  falconet.k8s.falco_alerts_info:
    since: "{{ tried.since }}"
    expected: "{{ tried.expected }}"
    wait_seconds: 30
"""

RETURN = r"""
sent:
  description: The request that raises each rule, in the order in which they were sent.
  returned: success
  type: list
  elements: dict
  contains:
    name: {description: The rule and the mark., type: str}
    rule: {description: Name of the rule., type: str}
    mark: {description: What the alert has in it., type: str}
    request: {description: Method and path., type: str}
    status: {description: What the API server answered., type: int}
expected:
  description: The alerts, as O(falconet.k8s.falco_alerts_info#module:expected).
  returned: success
  type: list
  elements: dict
since:
  description: A moment before the first request.
  returned: success
  type: str
left:
  description: What could not be deleted again, and why.
  returned: success
  type: list
  elements: str
"""

import contextlib
import secrets
import time
from collections.abc import Iterator
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.falconet.k8s.plugins.module_utils.common.words import nearest
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.diagnosis import is_ready
from ansible_collections.falconet.k8s.plugins.module_utils.k8s_audit.requests import (
    DONE,
    LABELS,
    REFUSED,
    Request,
    trigger_for,
)
from ansible_collections.falconet.k8s.plugins.module_utils.kube.client import Client
from ansible_collections.falconet.k8s.plugins.module_utils.kube.connection import CLUSTER_ARGUMENTS, connect
from ansible_collections.falconet.k8s.plugins.module_utils.kube.errors import ExecError, KubeError
from ansible_collections.falconet.k8s.plugins.module_utils.kube.exec import Command, run
from ansible_collections.falconet.k8s.plugins.module_utils.kube.resource import KNOWN

SESSION = "Attach/Exec Pod"
PODS = KNOWN[("v1", "Pod")]
NAMESPACES = KNOWN[("v1", "Namespace")]
#: Where something may be left that is in none of the namespaces that are looked at.
KINDS = [KNOWN[("v1", kind)] for kind in ("ServiceAccount", "ConfigMap", "Secret", "Service")]


def main() -> None:
    """Entry point."""
    spec: dict[str, Any] = {
        "rules": {"type": "list", "elements": "str", "default": []},
        "namespace": {"type": "str", "default": "default"},
        "session_namespace": {"type": "str", "default": ""},
        "session_pod": {"type": "str", "default": ""},
    }
    module = AnsibleModule(argument_spec={**CLUSTER_ARGUMENTS, **spec}, supports_check_mode=True)
    try:
        rules = wanted(module.params["rules"])
        since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        if module.check_mode:
            module.exit_json(changed=False, sent=[], expected=[], left=[], since=since)
        client = connect(module.params)
        left = list(swept(client, module.params["namespace"]))
        mark = f"falconet-audit-{secrets.token_hex(3)}"
        sent = []
        for number, rule in enumerate(rules):
            sent.append(raised(client, rule, f"{mark}-{number:02d}", module.params, left))
        expected = [{"name": one["name"], "rule": one["rule"], "contains": [one["mark"]]} for one in sent]
        # Objects came and went, as they are at the end they were before.
        module.exit_json(changed=False, sent=sent, expected=expected, left=left, since=since)
    except KubeError as error:
        module.fail_json(msg=str(error))


def wanted(names: list[str]) -> list[str]:
    """Rules that are to be raised.

    Raises:
        KubeError: nothing is known that raises one of them.
    """
    known = [*REFUSED, *DONE]
    if names == ["all"]:
        return known
    for name in names:
        if name not in known:
            near = nearest(name, known)
            hint = f"Did you mean {near!r}?" if near else ""
            raise KubeError(f"rules: no request is known that raises {name!r}.", hint)
    return list(names or REFUSED)


def raised(client: Client, rule: str, mark: str, params: dict[str, Any], left: list[str]) -> dict[str, Any]:
    """One rule raised; the entry of the result."""
    if rule == SESSION and params["session_namespace"]:
        return session(client, mark, params)
    trigger = trigger_for(rule, mark, params["namespace"])
    request, status = trigger.requests[-1], 0
    try:
        for request in trigger.requests:
            status = send(client, request)
    finally:
        for undo in trigger.undo:
            answer = send(client, undo)
            if answer >= 300 and answer != 404:
                left.append(f"{undo.path}: the API server answers {answer} to its deletion")
    return entry(rule, mark, f"{request.method} {request.path}", status)


def entry(rule: str, mark: str, request: str, status: int) -> dict[str, Any]:
    """What is told of one request."""
    return {"name": f"{rule}, {mark}", "rule": rule, "mark": mark, "request": request, "status": status}


def send(client: Client, request: Request) -> int:
    """Send one; the status of the answer."""
    answer = client.request(request.method, request.path, body=request.body, content_type=request.content_type)
    return int(answer.status)


def session(client: Client, mark: str, params: dict[str, Any]) -> dict[str, Any]:
    """A session in a pod that runs, with a program that is not there.

    Raises:
        KubeError: there is no such pod.
    """
    namespace, name = params["session_namespace"], params["session_pod"]
    pods = [pod for pod in client.list_all(PODS, namespace) if name in ("", pod["metadata"]["name"]) and is_ready(pod)]
    if not pods:
        raise KubeError(f"session_namespace: no pod {name or '(any)'} is ready in {namespace}")
    pod = pods[0]["metadata"]["name"]
    container = pods[0]["spec"]["containers"][0]["name"]
    with contextlib.suppress(ExecError):  # the session was there, the program was not
        run(client, Command(namespace, pod, container, (mark,), timeout_seconds=20.0))
    return entry(SESSION, mark, f"POST /api/v1/namespaces/{namespace}/pods/{pod}/exec", 101)


def swept(client: Client, namespace: str) -> Iterator[str]:
    """Delete what a run that was killed left behind; what could not be deleted."""
    selector = ",".join(f"{key}={value}" for key, value in LABELS.items())
    places = [(kind, place) for kind in KINDS for place in sorted({namespace, "kube-system"})]
    for resource, place in [*places, (NAMESPACES, None)]:
        for found in client.list_all(resource, place, label_selector=selector):
            name = found["metadata"]["name"]
            try:
                client.delete(resource, name, place)
            except KubeError as error:
                yield str(error)


if __name__ == "__main__":
    main()
