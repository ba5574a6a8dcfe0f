# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: any release may change it. Do not import it from elsewhere.

"""Groups of the inventory that the plays are for: without them Ansible skips every play and ends well."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..common.words import nearest

CLUSTERS, NODES, REDIS = "clusters", "kube_nodes", "redis_nodes"
_ANSIBLES_OWN = {"all", "ungrouped"}


def clusters_of(
    groups: Mapping[str, Sequence[str]], hostvars: Mapping[str, Mapping[str, Any]], group: str = NODES
) -> dict[str, Any]:
    """C(kube_cluster) by host of a group, where it is set.

    Args:
      groups: hosts by group, as Ansible's C(groups).
      hostvars: variables by host, as Ansible's C(hostvars); only what is asked for is read, which templates it.
      group: whose hosts.
    """
    # Ansible puts all variables of a host together each time that it is named here, so each is named once.
    given = ((node, hostvars[node]) for node in groups.get(group) or ())
    return {node: variables["kube_cluster"] for node, variables in given if "kube_cluster" in variables}


def problems_of_groups(groups: Mapping[str, Sequence[str]], cluster_of: Mapping[str, str]) -> list[str]:
    """What is wrong with an inventory's groups, a sentence each; empty if nothing is.

    Args:
      groups: hosts by group, as Ansible's C(groups).
      cluster_of: C(kube_cluster) by host, where it is set.
    """
    return list(_problems(groups, cluster_of))


def nodes_of(groups: Mapping[str, Sequence[str]], cluster_of: Mapping[str, str], cluster: str) -> list[str]:
    """Hosts of the group kube_nodes that say that they belong to a cluster, in the inventory's order.

    Args:
      groups, cluster_of: as for problems_of_groups.
      cluster: a host of the group clusters.
    """
    return [node for node in groups.get(NODES) or () if cluster_of.get(node) == cluster]


def nodes_by_cluster(groups: Mapping[str, Sequence[str]], cluster_of: Mapping[str, str]) -> dict[str, list[str]]:
    """Hosts of the group kube_nodes by the cluster that they say they belong to, in the inventory's order.

    Args:
      groups, cluster_of: as for problems_of_groups.
    """
    found: dict[str, list[str]] = {}
    for node in groups.get(NODES) or ():
        if cluster_of.get(node):
            found.setdefault(cluster_of[node], []).append(node)
    return found


def redis_nodes_of(groups: Mapping[str, Sequence[str]], cluster_of: Mapping[str, str], cluster: str) -> list[str]:
    """Hosts of the group redis_nodes that belong to a cluster, or say of none that they do.

    Args:
      groups, cluster_of: as for problems_of_groups.
      cluster: a host of the group clusters.
    """
    return [node for node in groups.get(REDIS) or () if cluster_of.get(node, cluster) == cluster]


def failed_clusters_of(
    failed: Sequence[str],
    groups: Mapping[str, Sequence[str]],
    hostvars: Mapping[str, Mapping[str, Any]],
    before: Mapping[str, Sequence[str]],
) -> dict[str, list[str]]:
    """What failed, by the cluster that it is or belongs to.

    Args:
      failed: hosts that failed or could not be reached, up to now. Only their variables are read.
      groups, hostvars: as for clusters_of.
      before: what this function returned earlier in the run. It stays as it is: what failed of such a cluster since was
        left out because of it.
    """
    clusters, found = set(groups.get(CLUSTERS) or ()), {cluster: list(hosts) for cluster, hosts in before.items()}
    for host in sorted(failed):
        cluster = host if host in clusters else hostvars[host].get("kube_cluster")
        if cluster and cluster not in before:
            found.setdefault(cluster, []).append(host)
    return found


def percentage_that_may_fail(groups: Mapping[str, Sequence[str]], given: int | str | None) -> int | str:
    """How many hosts of a play may fail in percent before the run stops for all: 0 with one cluster, 100 with several.

    Args:
      groups: hosts by group, as Ansible's C(groups).
      given: what somebody asks for instead.
    """
    if given is not None:
        return given
    return 100 if len(groups.get(CLUSTERS) or ()) > 1 else 0


def _problems(groups: Mapping[str, Sequence[str]], cluster_of: Mapping[str, str]) -> Iterator[str]:
    own = sorted(set(groups) - _ANSIBLES_OWN)
    clusters = list(groups.get(CLUSTERS) or ())
    if not clusters:
        there = f"no host is in the group {CLUSTERS}" if CLUSTERS in groups else f"there is no group {CLUSTERS}"
        close = nearest(CLUSTERS, [name for name in own if name != CLUSTERS])
        hint = f"; did you mean it by {close}?" if close else f"; its groups are {', '.join(own) or 'none'}."
        yield f"{there}, which has a host for each cluster{hint}"
    if NODES not in groups:
        close = nearest(NODES, own)
        if close:
            yield f"there is no group {NODES}, which has the machines; did you mean it by {close}?"
    nodes = list(groups.get(NODES) or ())
    for node in nodes:
        cluster = str(cluster_of.get(node) or "")
        if clusters and cluster and cluster not in clusters:
            close = nearest(cluster, clusters)
            hint = f"did you mean {close}?" if close else f"those are {', '.join(clusters)}."
            yield f"kube_cluster of {node} is {cluster}, which is no host of the group {CLUSTERS}; {hint}"
    for node in groups.get(REDIS) or ():
        if nodes and node not in nodes:
            yield f"{node} of the group {REDIS} is not in the group {NODES}."
