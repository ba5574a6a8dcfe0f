# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options of modules that do actions in pods and await the alerts; the fragment trigger_pods says them."""

from __future__ import annotations

from typing import Any

RECEIVER_ARGUMENTS: dict[str, dict[str, Any]] = {
    "namespace": {"type": "str", "required": True},
    "service": {"type": "str", "required": True},
    "port": {"type": "int", "default": 80},
    "path": {"type": "str", "default": "/alerts"},
}
"""An HTTP endpoint in the cluster that answers the alerts it was sent."""

_DESTINATION: dict[str, dict[str, Any]] = {
    "name": {"type": "str", "required": True},
    "receiver": {"type": "dict", "required": True, "options": RECEIVER_ARGUMENTS},
}
TRIGGER_POD_ARGUMENTS: dict[str, dict[str, Any]] = {
    "image": {"type": "str", "required": True},
    "image_pull_policy": {"type": "str", "choices": ["Always", "IfNotPresent", "Never"], "default": "IfNotPresent"},
    "image_pull_secrets": {"type": "list", "elements": "str", "default": [], "no_log": False},
    "node_selector": {"type": "dict", "default": {}},
    "node_groups": {"type": "list", "elements": "dict", "default": []},
    "start_timeout_seconds": {"type": "int", "default": 60},
    "alert_timeout_seconds": {"type": "int", "default": 30},
    "falco_namespace": {"type": "str", "default": "falco"},
    "falco_label_selector": {"type": "str", "default": "app.kubernetes.io/name=falco"},
    "falco_container": {"type": "str", "default": "falco"},
    "destinations": {"type": "list", "elements": "dict", "default": [], "options": _DESTINATION},
}
"""The pods, the nodes that Falco is to watch, Falco's log and the destinations."""
