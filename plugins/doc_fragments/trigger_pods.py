# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of modules that do actions in pods and await alerts: pods, nodes, the log, destinations."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  image:
    description: Image of the pods. It needs C(/bin/sh) and what is run there.
    type: str
    required: true
  image_pull_policy:
    description: Of the pods, as Kubernetes has it.
    type: str
    choices: [Always, IfNotPresent, Never]
    default: IfNotPresent
  image_pull_secrets:
    description: Names of Secrets in the pods' namespaces with credentials of the registry.
    type: list
    elements: str
    default: []
  node_selector:
    description: Labels of the nodes that Falco is to watch, as its pods' node selector has them. Empty for all nodes.
    type: dict
    default: {}
  node_groups:
    description: Groups of nodes with a Falco of their own, each with C(nodes) or C(node_labels).
    type: list
    elements: dict
    default: []
  start_timeout_seconds:
    description: How long a pod may take to start, and the actions of one shell to end.
    type: int
    default: 60
  alert_timeout_seconds:
    description: How long alerts may take to arrive, all of them at all places together, from the last action.
    type: int
    default: 30
  falco_namespace:
    description: Where Falco and Falcosidekick run.
    type: str
    default: falco
  falco_label_selector:
    description: Which pods are Falco's.
    type: str
    default: app.kubernetes.io/name=falco
  falco_container:
    description: Which of their containers logs the alerts.
    type: str
    default: falco
  destinations:
    description: Where each alert must arrive besides Falco's own log.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: The channel, as the receiver calls it.
        type: str
        required: true
      receiver:
        description: As O(falconet.k8s.falco_alerts_info#module:receiver).
        type: dict
        required: true
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
"""
