# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the variables of the role network_policies ask for: flows of now, what a cluster must have, what cannot work."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Entry = Mapping[str, Any]

#: Kinds of policies of this API group are not served by every cluster.
CLUSTER_WIDE = "policy.networking.k8s.io/"
_WORK = "network_policies_probe_work_namespace"


@dataclass(frozen=True)
class Plan:
    """What the role does with its variables.

    Attributes:
      required: flows that must pass now; those of later are neither checked nor tried.
      forbidden: flows that must be refused now.
      compared: namespaces whose pods are tried against each other.
      subjects: objects that must exist, as the module cluster_objects_info takes them.
      apis: kinds that must be served, as that module takes them.
      problems: what cannot work, a sentence each.
    """

    required: tuple[Entry, ...]
    forbidden: tuple[Entry, ...]
    compared: tuple[str, ...]
    subjects: tuple[dict[str, Any], ...]
    apis: tuple[dict[str, str], ...]
    problems: tuple[str, ...]


def plan_of(variables: Mapping[str, Any], policies: Sequence[Entry], to_come: Collection[str]) -> Plan:
    """What the role does with its variables.

    Args:
      variables: the role's, typed and without their prefix C(network_policies_).
      policies: the user's own policies as objects.
      to_come: namespaces that a stage before this role makes.
    """
    tries = variables["mode"] == "enforce" and (variables["canary"] or variables["probe"])
    later = variables["later_flows"]
    compares = variables["compare_with_analysis"]
    flows = [*variables["required_flows"], *variables["forbidden_flows"]]
    return Plan(
        required=tuple(flow for flow in variables["required_flows"] if flow.get("name") not in later),
        forbidden=tuple(flow for flow in variables["forbidden_flows"] if flow.get("name") not in later),
        compared=tuple(entry["name"] for entry in variables["namespaces"] if compares),
        subjects=tuple(_subjects(variables, tries, to_come)),
        apis=tuple(_apis(policies)),
        problems=tuple(_problems(variables, [flow["name"] for flow in flows if flow.get("name")], tries)),
    )


def _subjects(variables: Mapping[str, Any], tries: bool, to_come: Collection[str]) -> Iterator[dict[str, Any]]:
    def namespace(name: str, variable: str) -> dict[str, Any]:
        return {"kind": "Namespace", "name": name, "variable": variable}

    entries = variables["namespaces"]
    hint = {"hint": "Without create: false, this role makes it."}
    found = [
        namespace(entry["name"], "network_policies_namespaces") | hint
        for entry in entries
        if not entry.get("create", True)
    ]
    found.append(namespace(variables["state_namespace"], "network_policies_state_namespace"))
    made = {entry["name"] for entry in entries if entry.get("create", True)}
    work = variables["probe_work_namespace"]
    # Namespaces that this role makes come before the first probe.
    if tries and work and work not in made:
        found.append(namespace(work, _WORK))
    yield from (one for one in found if one["name"] not in to_come)
    if tries and work:
        for name in variables["probe_image_pull_secrets"]:
            variable = "network_policies_probe_image_pull_secrets"
            yield {"kind": "Secret", "name": name, "namespace": work, "variable": variable}


def _apis(policies: Sequence[Entry]) -> Iterator[dict[str, str]]:
    for policy in policies:
        version = str(policy.get("apiVersion") or "")
        if version.startswith(CLUSTER_WIDE):
            name = (policy.get("metadata") or {}).get("name") or "?"
            yield {
                "api_version": version,
                "kind": str(policy.get("kind") or ""),
                "variable": f"network_policies_files and network_policies_definitions, policy {name}",
                "hint": "Network plugins that enforce such policies bring these CRDs; the others know NetworkPolicy "
                "alone.",
            }


def _problems(variables: Mapping[str, Any], names: Sequence[str], tries: bool) -> Iterator[str]:
    unknown = [name for name in variables["later_flows"] if name not in names]
    if unknown:
        yield (
            f"network_policies_later_flows: no flow is called {', '.join(unknown)}. Names of flows: "
            f"{', '.join(names) or 'none'}."
        )
    secrets = variables["probe_image_pull_secrets"]
    if tries and secrets and not variables["probe_work_namespace"]:
        yield (
            f"network_policies_probe_image_pull_secrets names {', '.join(secrets)}, but a probe without {_WORK} works "
            f"in a namespace of its own, which has no Secret. Set {_WORK} to the namespace that has them."
        )
