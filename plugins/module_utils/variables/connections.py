# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: any release may change it. Do not import it from elsewhere.

"""Whether the inventory and the environment agree on how a cluster is reached.

Modules for Kubernetes take what the inventory does not give from C(K8S_AUTH_*), which credentials of AWX set. A mixture
is another cluster, or this one with another's token, without a word.

Source: https://docs.ansible.com/ansible/latest/collections/kubernetes/core/k8s_module.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

#: Variables of the inventory that name a cluster by a kubeconfig, and what of the environment would beat it.
_BY_FILE = ("cluster_kubeconfig", "cluster_context")
_BEATS_FILE = (
    "K8S_AUTH_HOST",
    "K8S_AUTH_API_KEY",
    "K8S_AUTH_USERNAME",
    "K8S_AUTH_CERT_FILE",
    "K8S_AUTH_KEY_FILE",
)
#: The same for a cluster that is named by its address.
_BY_ADDRESS = ("cluster_host",)
_BEATS_ADDRESS = ("K8S_AUTH_KUBECONFIG", "K8S_AUTH_CONTEXT")
_ADDRESS = "K8S_AUTH_HOST"
_ADVICE = "In AWX, either leave the variable out of the inventory or take the credential off the job template."


def problems_of_connections(named: Mapping[str, Sequence[str]], environment: Mapping[str, str]) -> list[str]:
    """What is wrong with the connections of a play's clusters.

    Args:
      named: for each cluster, which of the C(cluster_*) variables of the inventory name its connection.
      environment: environment variables by their names; empty ones count as not set.

    Returns:
      A sentence each; empty if the inventory alone, or the environment alone, says how each cluster is reached.
    """
    there = {name for name, value in environment.items() if value}
    problems = []
    for cluster, variables in named.items():
        for by, beats in ((_BY_FILE, _BEATS_FILE), (_BY_ADDRESS, _BEATS_ADDRESS)):
            said = [name for name in by if name in variables]
            against = [name for name in beats if name in there]
            if said and against:
                problems.append(
                    f"Cluster {cluster}: {said[0]} is in the inventory and {', '.join(against)} in the environment, "
                    f"and modules would mix the two. {_ADVICE}"
                )
    alike = [cluster for cluster, variables in named.items() if not variables]
    if len(alike) > 1 and _ADDRESS in there:
        problems.append(
            f"Clusters {', '.join(sorted(alike))}: {_ADDRESS} in the environment is one API server, and all "
            "of them would be it. Give the inventory's hosts cluster_context, and the job a kubeconfig that has these."
        )
    return problems
