# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of the cluster and of the incident when an alert comes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ..kube.client import Client
from ..kube.resource import KNOWN
from ..live_netpol.quarantine import Quarantine
from ..respond.alert import Alert
from ..respond.guard import State
from ..respond.settings import read_state

_POD = KNOWN["v1", "Pod"]
_CONFIG_MAP = KNOWN["v1", "ConfigMap"]


@dataclass(frozen=True)
class Known:
    """What was asked.

    Attributes:
        state: what the decision looks at.
        pod: the pod's object; empty if it is not there.
    """

    state: State
    pod: Mapping[str, Any]


def ask(client: Client, alert: Alert, kill_switch: tuple[str, str], kept: Path, now: datetime) -> Known:
    """Ask for the kill switch, the pod and its siblings, and who is held.

    Args:
        client: connection to the cluster.
        alert: what happened.
        kill_switch: namespace and name of the ConfigMap that stops responses.
        kept: the incident's directory, which may not be there.
        now: the time.

    Raises:
        KubeError: the API server is away, or a permission is missing.
    """
    namespace, name = kill_switch
    switch = client.get(_CONFIG_MAP, name, namespace) or {}
    pods = client.list_all(_POD, alert.namespace) if alert.pod else []
    pod = next((one for one in pods if one["metadata"]["name"] == alert.pod), {})
    data = {
        "stopped": (switch.get("data") or {}).get("stopped"),
        "pod": pod,
        "siblings": pods,
        "quarantines": Quarantine(client, lambda: now).held(),
        "collected": _collected(kept),
    }
    return Known(read_state(data, now), pod)


def _collected(kept: Path) -> datetime | None:
    """When an earlier response to the same incident kept what was known."""
    times = [one.stat().st_mtime for one in kept.glob("*.tar.gz")]
    return datetime.fromtimestamp(max(times), timezone.utc) if times else None
