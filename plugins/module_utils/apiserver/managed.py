# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Managed clusters, whose API server the provider alone configures, and what brings their audit events to Falco."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Provider:
    """A provider of clusters.

    Attributes:
        name: of its service.
        plugin: of Falco, which reads the events from where the provider keeps them.
        sign: what nodes of it have on the command line of their kubelet: the prefix of their labels.
        source: the plugin's page.
    """

    name: str
    plugin: str
    sign: str
    source: str


_PAGES = "https://github.com/falcosecurity/plugins/tree/main/plugins"
PROVIDERS = (
    Provider("Amazon EKS", "k8saudit-eks", "eks.amazonaws.com/", f"{_PAGES}/k8saudit-eks"),
    Provider("Google GKE", "k8saudit-gke", "cloud.google.com/gke-", f"{_PAGES}/k8saudit-gke"),
    Provider("Azure AKS", "k8saudit-aks", "kubernetes.azure.com/", f"{_PAGES}/k8saudit-aks"),
)


def no_control_plane(manifest: str, command_lines: Iterable[str]) -> str:
    """What to say of a node that has no manifest of an API server.

    Args:
        manifest: path that was looked at.
        command_lines: of the node's kubelets.
    """
    texts = list(command_lines)
    for provider in PROVIDERS:
        if any(provider.sign in text for text in texts):
            return (
                f"this node belongs to {provider.name}, where nobody but the provider configures the API server. Its "
                f"audit events reach Falco by the plugin {provider.plugin}: {provider.source}"
            )
    plugins = ", ".join(f"{provider.name} by {provider.plugin}" for provider in PROVIDERS)
    return (
        f"there is no {manifest}: this is no control-plane node as kubeadm makes them. Run it on control-plane nodes "
        "alone, or give manifest or distribution. Managed clusters have no such file and are served by other plugins: "
        f"{plugins}"
    )
