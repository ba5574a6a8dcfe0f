# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules that a restriction to namespaces, labels or containers silences for good, as far as it can be proven.

Three reasons: the rule looks at the host, where there is no pod; at Kubernetes objects that have no namespace; or it
names other namespaces, labels or containers itself.
"""

from __future__ import annotations

from ..condition.logic import conjuncts
from ..condition.nodes import Node
from ..condition.parser import parse
from ..judge.hiding import excluded
from ..load.compiler import Compiled
from ..load.expand import expand
from ..load.ruleset import Loaded

CLUSTER_SCOPED = (
    "apiservices", "certificatesigningrequests", "clusterrolebindings", "clusterroles", "componentstatuses",
    "csidrivers", "csinodes", "customresourcedefinitions", "flowschemas", "ingressclasses",
    "mutatingwebhookconfigurations", "nodes", "persistentvolumes", "prioritylevelconfigurations", "priorityclasses",
    "runtimeclasses", "selfsubjectaccessreviews", "selfsubjectrulesreviews", "storageclasses", "subjectaccessreviews",
    "tokenreviews", "validatingadmissionpolicies", "validatingadmissionpolicybindings",
    "validatingwebhookconfigurations", "volumeattachments",
)  # fmt: skip
"""Resources of Kubernetes' own whose audit events name no namespace (`kubectl api-resources --namespaced=false`)."""

# A namespace's own events name it, but not the one that creates it: its name is not in the request's path yet.
_IN_A_NAMESPACE = (
    f"not ka.target.resource in ({', '.join(CLUSTER_SCOPED)}) "
    "and not (ka.target.resource = namespaces and ka.verb = create)"
)
_IN_A_POD = "container.id != host and not container.id = host and not container.name = host"


def why_silent(loaded: Loaded, compiled: Compiled, restriction: Node, in_pods: bool) -> str:
    """Why a rule never fires under a restriction; empty if it may.

    Args:
        loaded: the ruleset without the restriction.
        compiled: the rule.
        restriction: what is added to its condition.
        in_pods: whether the restriction holds in containers alone; false for a pattern that the host's name meets.
    """
    table = loaded.compiler.tables[compiled.rule.source]
    own = conjuncts(expand(compiled.node, loaded.compiler) or compiled.node, _unknown)
    if excluded(own, table):
        return ""  # It never fired.
    added = conjuncts(restriction, _unknown)
    if excluded([*own, *added], table):
        return "it looks at other namespaces, labels or containers"
    if any(name.startswith("ka.") for name in table.source.names()):
        if excluded([*own, *conjuncts(parse(_IN_A_NAMESPACE), _unknown)], table):
            return "it looks at Kubernetes objects that are in no namespace"
    elif in_pods and excluded([*own, *conjuncts(parse(_IN_A_POD), _unknown)], table):
        return "it looks at the host, where no pod is"
    return ""


def _unknown(_name: str) -> None:
    """Macros have been written out; one that is left was too large."""
