# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the options of netpol_probe to its result, for the module and for the action plugin that saves its start."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..kube.connection import CLUSTER_ARGUMENTS, connect
from ..kube.errors import KubeError
from .answer import answer
from .question import question_of


def _flows() -> dict[str, Any]:
    return {"type": "list", "elements": "dict", "default": []}


ARGUMENTS: dict[str, dict[str, Any]] = dict(
    CLUSTER_ARGUMENTS,
    question={"type": "str", "choices": ["connectivity", "enforcement"], "default": "connectivity"},
    required_flows=_flows(),
    forbidden_flows=_flows(),
    flows=_flows(),
    namespaces={"type": "list", "elements": "str", "default": []},
    ports={"type": "list", "elements": "str", "default": []},
    expected={"type": "str", "choices": ["none", "analysis"], "default": "none"},
    expected_matrix=_flows(),
    method={"type": "str", "choices": ["auto", "exec", "node", "pod"], "default": "auto"},
    listen={"type": "bool", "default": False},
    cni_configuration={"type": "str", "choices": ["auto", "always", "never"], "default": "auto"},
    image={"type": "str", "default": "registry.k8s.io/e2e-test-images/agnhost:2.59"},
    image_pull_policy={"type": "str", "choices": ["IfNotPresent", "Always", "Never"], "default": "IfNotPresent"},
    image_pull_secrets={"type": "list", "elements": "str", "default": [], "no_log": False},
    work_namespace={"type": "str"},
    service_names={"type": "bool", "default": False},
    ip_families={"type": "list", "elements": "str", "choices": ["IPv4", "IPv6"], "default": ["IPv4", "IPv6"]},
    pods_per_workload={"type": "int", "default": 0},
    connect_timeout={"type": "int", "default": 2},
    settle_seconds={"type": "float", "default": 15.0},
    concurrency={"type": "int", "default": 128},
    parallel={"type": "int", "default": 16},
    udp_payload={"type": "str"},
    deadline_seconds={"type": "int", "default": 600},
    on_violation={"type": "str", "choices": ["fail", "report"], "default": "fail"},
    on_unproven={"type": "str", "choices": ["fail", "report"], "default": "report"},
)


def done(params: dict[str, Any], check_mode: bool) -> dict[str, Any]:
    """Ask the network, and give the result of the task.

    Args:
        params: all options, with their defaults.
        check_mode: whether nothing is started.

    Returns:
        The result of the module; with C(failed) where the answer, or that there is none, fails it.
    """
    try:
        question = question_of(params, check_mode)
        if check_mode and question.needs_pods:
            why = "check mode: no pods are started, so nothing was asked"
            return {"changed": False, "skipped": True, "msg": why}
        with _stopped_through_its_clean_up():
            failed, result = answer(connect(params), question)
    except KubeError as error:
        return {"failed": True, "msg": error.message, "hint": error.hint}
    return {"changed": False, **result, **({"failed": True} if failed else {})}


@contextmanager
def _stopped_through_its_clean_up() -> Iterator[None]:
    """A run that is told to stop leaves nothing behind."""
    before = signal.signal(signal.SIGTERM, _stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before or signal.SIG_DFL)


def _stop(_signal: int, _frame: Any) -> None:
    raise SystemExit("stopped by a signal")
