# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the options of netpol_apply to its result, for the module and for the action plugin that saves its start."""

from __future__ import annotations

import json
from typing import Any

from ..kube.client import Client
from ..kube.connection import CLUSTER_ARGUMENTS, connect
from ..kube.errors import KubeError
from ..kube.lease import Lease, run_identity
from ..kube.snapshot import take_snapshot
from ..kube.surroundings import take_policies
from .change import check_flows, compare, left_out, nothing, validate
from .policy_set import Changes, PolicySet, title

ARGUMENTS: dict[str, dict[str, Any]] = dict(
    CLUSTER_ARGUMENTS,
    state={"type": "str", "choices": ["planned", "applied", "kept", "restored"], "default": "applied"},
    definitions={"type": "list", "elements": "dict", "default": []},
    set_name={"type": "str", "default": "default"},
    prune={"type": "bool", "default": True},
    required_flows={"type": "list", "elements": "dict", "default": []},
    forbidden_flows={"type": "list", "elements": "dict", "default": []},
    on_violation={"type": "str", "choices": ["fail", "report"], "default": "fail"},
    on_idle={"type": "str", "choices": ["fail", "report"], "default": "report"},
    later_namespaces={"type": "list", "elements": "str", "default": []},
    field_manager={"type": "str", "default": "falconet.k8s"},
    state_namespace={"type": "str", "default": "default"},
    lease_seconds={"type": "int", "default": 300},
    lease_wait={"type": "float", "default": 0.0},
)


def done(params: dict[str, Any], check_mode: bool, diff_mode: bool) -> dict[str, Any]:
    """Do what the state says, and give the result of the task.

    Args:
        params: all options, with their defaults.
        check_mode: whether nothing is written.
        diff_mode: whether what changes is shown.

    Returns:
        The result of the module; with C(failed) where a flow or an error fails it.
    """
    try:
        client = connect(params)
        policies = PolicySet(client, params["set_name"], params["state_namespace"], params["field_manager"])
        holder = run_identity()
        lease = Lease(client, policies.journal_name, params["state_namespace"], holder, params["lease_seconds"])
        alters = params["state"] != "planned" and not check_mode
        if alters:
            lease.take(params["lease_wait"])
        if params["state"] in ("planned", "applied"):
            result = _change(client, policies, params, check_mode, diff_mode)
        else:
            result = _finish(policies, params["state"], check_mode)
        result["pending"] = bool(policies.journal())
        if alters and not result["pending"]:
            lease.release()
    except KubeError as error:
        return {"failed": True, "msg": error.message, "hint": error.hint}
    return result


def _change(
    client: Client, policies: PolicySet, params: dict[str, Any], check_mode: bool, diff_mode: bool
) -> dict[str, Any]:
    """Plan, refuse what violates a flow and, if that is wanted, apply."""
    validate(params["definitions"])
    changes = policies.plan(params["definitions"], params["prune"])
    snapshot = take_snapshot(client)
    around = take_policies(client)
    snapshot += around.objects
    after = changes.overlay(snapshot)
    connections = compare(snapshot, after) if changes.real else nothing()
    violations, idle = check_flows(after, params["required_flows"], params["forbidden_flows"])
    refused = bool(violations) and params["on_violation"] == "fail"
    result: dict[str, Any] = {
        "changed": bool(changes.real) and params["state"] == "applied" and not refused,
        "objects": [step.row() for step in changes.steps],
        "connections": connections,
        "violations": violations,
        "idle_flows": idle,
        "notes": left_out(around),
        "resumed": bool(policies.journal()),
    }
    if diff_mode and changes.real:
        result["diff"] = _difference(changes, connections)
    inhabited = {one["metadata"].get("namespace") for one in snapshot if one.get("kind") == "Pod"}
    later = set(params["later_namespaces"]) - inhabited
    absent = [one for one in idle if not one["empty"] and not later.intersection(one["namespaces"])]
    if absent and params["on_idle"] == "fail":
        text = "; ".join(f"{one['kind']} flow '{one['flow']}': {one['why']}" for one in absent)
        result.update(
            failed=True, changed=False, msg=f"nothing was changed, because flows name what is not there: {text}"
        )
    elif refused:
        text = "; ".join(violation["message"] for violation in violations)
        result.update(failed=True, msg=f"nothing was changed, because the change violates flows: {text}")
    elif result["changed"] and not check_mode:
        policies.apply(changes)
    return result


def _finish(policies: PolicySet, state: str, check_mode: bool) -> dict[str, Any]:
    """Keep or restore."""
    changes = Changes([])
    if not check_mode:
        if state == "restored":
            changes = policies.restore()
        else:
            policies.keep()
    return {"changed": bool(changes.real), "objects": [step.row() for step in changes.steps]}


def _difference(changes: Changes, connections: dict[str, Any]) -> list[dict[str, Any]]:
    """Diff mode: connections first, then the objects."""
    found: list[dict[str, Any]] = [{"prepared": "".join(f"{line}\n" for line in connections.get("text", []))}]
    for step in changes.real:
        texts = ["" if side is None else json.dumps(side, indent=2) + "\n" for side in (step.before, step.after)]
        header = title(step.key)
        found.append({"before_header": header, "after_header": header, "before": texts[0], "after": texts[1]})
    return found
