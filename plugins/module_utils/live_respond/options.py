# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the options of incident_respond to its result, for the module and for the action plugin that saves its start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..kube.connection import CLUSTER_ARGUMENTS, connect
from ..kube.errors import KubeError
from ..netpol.model.addresses import parse_block
from ..probe.question import OwnPods
from ..respond.errors import RespondError
from ..respond.ladder import read_ladder
from ..respond.settings import read_limits
from .course import Wishes, respond
from .stop import HOWS

_LIMITS: dict[str, dict[str, Any]] = {
    "dry_run": {"type": "bool", "default": True},
    "protected_namespaces": {"type": "list", "elements": "str", "default": ["falco"]},
    "pods_per_hour": {"type": "int", "default": 10},
    "share_up": {"type": "float", "default": 0.5},
    "oldest_minutes": {"type": "int", "default": 60},
    "approved": {"type": "list", "elements": "str", "default": []},
}
ARGUMENTS: dict[str, dict[str, Any]] = {
    **CLUSTER_ARGUMENTS,
    "alert": {"type": "str", "required": True},
    "ladder": {"type": "list", "elements": "dict", "required": True},
    "limits": {"type": "dict", "options": _LIMITS, "apply_defaults": True},
    "kill_switch_namespace": {"type": "str", "default": "falco"},
    "kill_switch_name": {"type": "str", "default": "falconet-respond"},
    "dest": {"type": "path", "required": True},
    "by": {"type": "str", "default": ""},
    "minutes": {"type": "int"},
    "allow_cidrs": {"type": "list", "elements": "str", "default": []},
    "allow_dns": {"type": "bool", "default": False},
    "probe": {"type": "bool", "default": True},
    "stop": {"type": "str", "choices": list(HOWS), "default": "delete"},
    "answer": {"type": "path"},
    "allowed_signers": {"type": "path"},
    "image": {"type": "str", "default": "registry.k8s.io/e2e-test-images/agnhost:2.59"},
    "work_namespace": {"type": "str"},
}
REQUIRED_BY = {"answer": "allowed_signers"}


def wishes_of(params: Mapping[str, Any], change: bool) -> Wishes:
    """How the response is done.

    Args:
        params: all options, with their defaults.
        change: whether anything is changed or kept.

    Raises:
        RespondError: an option cannot be what it is.
    """
    wrong = [one for one in params["allow_cidrs"] if parse_block(one) is None]
    if wrong:
        raise RespondError([f"allow_cidrs: {wrong[0]!r} is no block such as 10.0.0.5/32"])
    if params["minutes"] is not None and params["minutes"] < 1:
        raise RespondError(["minutes: at least 1"])
    return Wishes(
        (params["kill_switch_namespace"], params["kill_switch_name"]),
        Path(params["dest"]),
        params["by"],
        params["minutes"],
        tuple(params["allow_cidrs"]),
        params["allow_dns"],
        params["probe"],
        params["stop"],
        OwnPods(params["image"], params["work_namespace"]),
        change,
        Path(params["answer"]) if params["answer"] else None,
        Path(params["allowed_signers"]) if params["allowed_signers"] else None,
    )


def done(params: dict[str, Any], check_mode: bool, diff_mode: bool) -> dict[str, Any]:
    """Respond, and give the result of the task.

    Args:
        params: all options, with their defaults.
        check_mode: whether nothing is changed.
        diff_mode: whether the steps of the quarantine are shown as a difference.

    Returns:
        C(failed) with C(msg), and C(problems) in any case; the fields of `course.Response` once the alert was read.
    """
    try:
        wishes = wishes_of(params, not check_mode)
        ladder, limits = read_ladder(params["ladder"]), read_limits(params["limits"])
        found = respond(connect(params), params["alert"], ladder, limits, wishes)
    except RespondError as error:
        return {"failed": True, "msg": str(error), "problems": [str(error)]}
    except KubeError as error:
        return {"failed": True, "msg": error.message, "hint": error.hint, "problems": [str(error)]}
    except OSError as error:
        return {"failed": True, "msg": f"the incident cannot be kept: {error}", "problems": [str(error)]}
    result = asdict(found)
    if diff_mode and found.held.get("steps"):
        result["diff"] = {"prepared": "".join(f"{step}\n" for step in found.held["steps"])}
    if found.problems:
        result.update(failed=True, msg="; ".join(found.problems))
    return result
