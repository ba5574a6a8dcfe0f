#!/usr/bin/python
# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module netpol_quarantine: one pod cut off from everybody, and let go again."""

from __future__ import annotations

DOCUMENTATION = r"""
module: netpol_quarantine
short_description: Cut a pod off from everybody, whatever other policies allow
version_added: "1.0.0"
author:
  - falconet.k8s contributors (@falconet-k8s)
description:
  - NetworkPolicies only add up, so a policy that denies isolates nothing that another one allows. This module
    computes the smallest change after which nobody reaches a pod and it reaches nobody, proves it by analysis, and then
    makes it.
  - The pod gives up the labels by which policies that allow something, Services and its controller select it, so that
    Services send it nothing more and a replacement starts. A policy of its own denies everything but what is asked.
  - A NetworkPolicy that selects the pod whatever its labels are, is made to select no pods in quarantine.
  - Where the cluster serves ClusterNetworkPolicy or AdminNetworkPolicy, one of these denies as well.
  - Nothing is changed where a connection would stay open that was not asked for. The processes in the pod go on.
  - M(falconet.k8s.netpol_probe) with RV(forbidden_flows) shows on the live network that it holds.
extends_documentation_fragment:
  - falconet.k8s.cluster
options:
  state:
    description:
      - V(held) cuts a pod off. V(released) gives it its labels back and removes what held it; the pod may be gone.
      - V(expired) releases every pod whose time is over, and tidies what is left of pods that are gone.
      - V(listed) tells who is held.
    type: str
    choices: [held, released, expired, listed]
    default: held
  namespace:
    description:
      - Namespace of the pod.
      - For V(expired) and V(listed), the only namespace that is looked at; all by default.
    type: str
  pod:
    description: Name of the pod.
    type: str
  workload:
    description:
      - Kind and name of what owns pods in O(namespace), such as V(Deployment/frontend), in the place of O(pod). All
        pods that it owns are held, and it starts others in their place, which a second run would hold.
      - A pod that is held no longer belongs to it, so O(state=released) takes O(pod).
    type: str
  alert:
    description:
      - An alert as Falco writes it, whose C(output_fields) name the pod (C(k8s.ns.name) and C(k8s.pod.name)), in the
        place of O(namespace) and O(pod).
      - Its values are data of an attacker. They are only compared with names, and the rule's name is kept in an
        annotation.
    type: dict
  allow_cidrs:
    description: Blocks that may still reach the pod and be reached, such as V(10.0.0.5/32) of a forensics host.
    type: list
    elements: str
    default: []
  allow_dns:
    description: Whether it may still ask the cluster's DNS, through which data can leave.
    type: bool
    default: false
  minutes:
    description: After how many minutes V(expired) releases it; without it, never.
    type: int
  by:
    description: Who asks, for an annotation.
    type: str
    default: ""
  reason:
    description: Why, for an annotation.
    type: str
    default: ""
  protected_namespaces:
    description: Namespaces whose pods are never held, beside C(kube-system), C(kube-public) and C(kube-node-lease).
    type: list
    elements: str
    default: [falco]
  admin_policy:
    description: Whether a policy above NetworkPolicies is used where the cluster serves one.
    type: bool
    default: true
attributes:
  check_mode:
    description: The change is computed and proven by analysis, and not made.
    support: full
  diff_mode:
    description: Shows the steps.
    support: full
"""

EXAMPLES = r"""
- name: What would cut the pod off
  falconet.k8s.netpol_quarantine:
    namespace: prod
    pod: frontend-7d9c5b6f8-x2x4q
  check_mode: true
  register: planned

- name: The pod of an alert reaches nobody for a day, and the forensics host reaches it
  falconet.k8s.netpol_quarantine:
    alert: "{{ alert }}"
    allow_cidrs: [10.0.0.5/32]
    minutes: 1440
    by: security on call
    reason: shell in a web server
  register: held

- name: It holds on the live network
  falconet.k8s.netpol_probe:
    forbidden_flows: "{{ held.forbidden_flows }}"

- name: The pod is as it was
  falconet.k8s.netpol_quarantine:
    state: released
    namespace: prod
    pod: frontend-7d9c5b6f8-x2x4q
"""

RETURN = r"""
steps:
  description: What is changed, in this order.
  returned: success
  type: list
  elements: str
  sample:
    - create NetworkPolicy quarantine-frontend-7d9c5b6f8-x2x4q-1f2e3d4c
    - "change Pod frontend-7d9c5b6f8-x2x4q: without the labels app"
namespace:
  description: Namespace of the pod.
  returned: for held and released
  type: str
  sample: prod
pod:
  description: Name of the pod.
  returned: for held and released
  type: str
  sample: frontend-7d9c5b6f8-x2x4q
removed_labels:
  description: Labels that the pod gives up; they are kept in an annotation.
  returned: for held
  type: dict
  sample: {app: frontend}
amended_policies:
  description: NetworkPolicies that are made to select no pods in quarantine.
  returned: for held
  type: list
  elements: str
  sample: []
released_by:
  description: Services and controllers that let the pod go.
  returned: for held
  type: list
  elements: str
  sample: [ReplicaSet frontend-7d9c5b6f8, Service frontend]
open_connections:
  description: What stays open because it was asked for.
  returned: for held
  type: list
  elements: str
  sample: []
proven:
  description: Whether the analysis (after the change, if one was made) finds nothing open that was not asked for.
  returned: for held
  type: bool
  sample: true
unheld:
  description: What no policy holds, in sentences.
  returned: for held
  type: list
  elements: str
  sample: ["connections that are open already may stay until they end: the network plugin decides whether they are cut"]
until:
  description: When it ends, as RFC 3339; nothing for no end.
  returned: for held
  type: str
  sample: "2026-03-02T10:00:00Z"
pods:
  description: Names of the pods that are held; of several, the values above are those of all together.
  returned: for held
  type: list
  elements: str
  sample: [frontend-7d9c5b6f8-x2x4q]
forbidden_flows:
  description: Flows for M(falconet.k8s.netpol_probe), of which none may pass.
  returned: for held
  type: list
  elements: dict
  sample: []
notes:
  description: What a reader must know.
  returned: for released and expired
  type: list
  elements: str
  sample: []
quarantines:
  description: Who is held, or of whom policies are left. C(slipped) are labels that somebody has put back.
  returned: for listed and expired
  type: list
  elements: dict
  sample:
    - namespace: prod
      pod: frontend-7d9c5b6f8-x2x4q
      there: true
      since: "2026-03-01T10:00:00Z"
      until: "2026-03-02T10:00:00Z"
      expired: false
      by: security on call
      reason: shell in a web server
      alert: Terminal shell in production
      labels: {app: frontend}
      slipped: []
"""

from collections.abc import Mapping
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.falconet.k8s.plugins.module_utils.common.names import is_name, one_line
from ansible_collections.falconet.k8s.plugins.module_utils.kube.connection import CLUSTER_ARGUMENTS, connect
from ansible_collections.falconet.k8s.plugins.module_utils.kube.errors import KubeError
from ansible_collections.falconet.k8s.plugins.module_utils.live_netpol.quarantine import Outcome, Quarantine
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.errors import NetpolError
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.isolate.plan import QuarantineError, Wanted
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.model.addresses import parse_block

PROTECTED = ("kube-system", "kube-public", "kube-node-lease")
#: What is told of several pods together.
_TOGETHER = ("steps", "amended_policies", "released_by", "open_connections", "unheld")
_FIELDS = {"namespace": "k8s.ns.name", "pod": "k8s.pod.name"}


def whom(params: Mapping[str, Any]) -> tuple[str, str, str]:
    """Namespace and name of the pod, and the rule of the alert.

    Raises:
        QuarantineError: they are not given, or are no names.
    """
    namespace, pod, rule = params["namespace"], params["pod"], ""
    if params["alert"] is not None:
        fields = params["alert"].get("output_fields")
        fields = fields if isinstance(fields, Mapping) else {}
        namespace, pod = (fields.get(_FIELDS[name]) for name in ("namespace", "pod"))
        rule = one_line(params["alert"].get("rule", ""))
    for name, value in (("namespace", namespace), ("pod", pod)):
        source = f"the alert's {_FIELDS[name]}" if params["alert"] is not None else name
        if not value:
            raise QuarantineError(f"{source} is not given")
        if not is_name(value):
            raise QuarantineError(f"{source} is no name of Kubernetes: {one_line(value)!r}")
    return str(namespace), str(pod), rule


def asked(params: Mapping[str, Any]) -> Wanted:
    """The pod to hold, and what stays open.

    Raises:
        QuarantineError: a namespace is protected, a block is none, or a time is.
    """
    namespace, pod, rule = whom(params)
    if namespace in (*PROTECTED, *params["protected_namespaces"]):
        raise QuarantineError(f"pods of {namespace} are never held (protected_namespaces)")
    if params["minutes"] is not None and params["minutes"] < 1:
        raise QuarantineError("minutes: at least 1")
    for number, cidr in enumerate(params["allow_cidrs"]):
        if parse_block(cidr) is None:
            raise QuarantineError(f"allow_cidrs[{number}]: {cidr!r} is no block such as 10.0.0.5/32")
    cidrs = tuple(params["allow_cidrs"])
    return Wanted(namespace, pod, cidrs, params["allow_dns"], params["by"], params["reason"], rule)


def flows(wanted: Wanted) -> list[dict[str, Any]]:
    """What the live probe shows to be closed."""
    held = {"namespace": wanted.namespace, "pod": wanted.pod}
    return [
        {"name": f"everybody to {wanted.namespace}/{wanted.pod}", "from": {}, "to": held},
        {"name": f"{wanted.namespace}/{wanted.pod} to everybody", "from": held, "to": {}},
    ]


def hold(params: dict[str, Any], quarantine: Quarantine, change: bool) -> dict[str, Any]:
    if not params["workload"]:
        return hold_one(params, quarantine, change)
    kind, slash, name = params["workload"].partition("/")
    if not slash or not is_name(name) or not params["namespace"]:
        raise QuarantineError("workload: kind and name such as Deployment/frontend, and its namespace")
    asked({**params, "pod": name})
    pods = quarantine.pods_of(params["namespace"], kind, name)
    found = [hold_one({**params, "pod": pod}, quarantine, change) for pod in pods]
    both = {key: list(dict.fromkeys(text for one in found for text in one[key])) for key in _TOGETHER}
    both["forbidden_flows"] = [flow for one in found for flow in one["forbidden_flows"]]
    done = {"changed": any(one["changed"] for one in found), "proven": all(one["proven"] for one in found)}
    return {**found[0], **both, **done, "pod": "", "pods": pods}


def hold_one(params: dict[str, Any], quarantine: Quarantine, change: bool) -> dict[str, Any]:
    wanted = asked(params)
    outcome = quarantine.hold(wanted, params["minutes"], params["admin_policy"], change)
    made = outcome.plan
    if made is None:
        raise QuarantineError(f"there is no plan for {wanted.namespace}/{wanted.pod}")
    return {
        "changed": bool(outcome.steps),
        "steps": outcome.steps,
        "namespace": wanted.namespace,
        "pod": wanted.pod,
        "pods": [wanted.pod],
        "removed_labels": dict(made.removed),
        "amended_policies": [item["metadata"]["name"] for item in made.amended],
        "released_by": list(made.released),
        "open_connections": [str(one) for one in outcome.left if one.asked],
        "proven": not outcome.unasked,
        "unheld": outcome.notes,
        "until": made.wanted.until,
        "forbidden_flows": [] if wanted.cidrs or wanted.dns else flows(wanted),
    }


def release(params: dict[str, Any], quarantine: Quarantine, change: bool) -> dict[str, Any]:
    namespace, pod, _rule = whom(params)
    outcome = quarantine.release(namespace, pod, change)
    told = {"steps": outcome.steps, "notes": outcome.notes}
    return {"changed": bool(outcome.steps), **told, "namespace": namespace, "pod": pod}


def expire(params: dict[str, Any], quarantine: Quarantine, change: bool) -> dict[str, Any]:
    over = [one for one in quarantine.held(params["namespace"]) if one["expired"] or not one["there"]]
    outcomes: list[Outcome] = [quarantine.release(one["namespace"], one["pod"], change) for one in over]
    steps = [step for one in outcomes for step in one.steps]
    notes = [note for one in outcomes for note in one.notes]
    return {"changed": bool(steps), "steps": steps, "notes": notes, "quarantines": over}


def main() -> None:
    """Entry point."""
    module = AnsibleModule(
        argument_spec={
            **CLUSTER_ARGUMENTS,
            "state": {"type": "str", "choices": ["held", "released", "expired", "listed"], "default": "held"},
            "namespace": {"type": "str"},
            "pod": {"type": "str"},
            "workload": {"type": "str"},
            "alert": {"type": "dict"},
            "allow_cidrs": {"type": "list", "elements": "str", "default": []},
            "allow_dns": {"type": "bool", "default": False},
            "minutes": {"type": "int"},
            "by": {"type": "str", "default": ""},
            "reason": {"type": "str", "default": ""},
            "protected_namespaces": {"type": "list", "elements": "str", "default": ["falco"]},
            "admin_policy": {"type": "bool", "default": True},
        },
        mutually_exclusive=[("alert", "pod", "workload"), ("alert", "namespace")],
        supports_check_mode=True,
    )
    params, change = module.params, not module.check_mode
    try:
        quarantine = Quarantine(connect(params))
        if params["state"] == "listed":
            result: dict[str, Any] = {
                "changed": False,
                "steps": [],
                "quarantines": quarantine.held(params["namespace"]),
            }
        else:
            act = {"held": hold, "released": release, "expired": expire}[params["state"]]
            result = act(params, quarantine, change)
    except NetpolError as error:
        module.fail_json(msg=str(error))
    except KubeError as error:
        module.fail_json(msg=error.message, hint=error.hint)
    if module._diff and result["steps"]:
        result["diff"] = {"prepared": "".join(f"{step}\n" for step in result["steps"])}
    module.exit_json(**result)


if __name__ == "__main__":
    main()
