# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A question about a cluster's policies: what is asked, and how much of the answer is told."""

from __future__ import annotations

from typing import NamedTuple

from ..model.objects import Options

#: Of two sets of policies over the same pods.
RELATIONS = ("permits", "forbids", "containment", "equivalence", "interference")
#: Of a whole set of policies.
WHOLE = ("vacuity", "emptiness", "redundancy")
QUESTIONS = ("matrix", "query", "diff", "exposure", "explain", "lint", "assert", "routes", *RELATIONS, *WHOLE)

#: Pairs whose verdict a query tells in full.
MAX_VERDICTS = 200
#: More connections than this are not listed one by one, unless a request has its own limit.
DEFAULT_LIMIT = 100_000
#: The same for explanations, each of which is a few sentences.
MAX_EXPLANATIONS = 10_000


class Request(NamedTuple):
    """What is asked.

    Attributes:
        question: one of C(QUESTIONS).
        by: grouping of the matrix and of a difference: pod, workload, namespace or label.
        label: label key for C(by=label).
        outside: whether addresses outside the cluster take part.
        namespaces: keep only lines with an end in these namespaces; empty for all.
        limit: more connections than this are not listed one by one.
        source: a flow's C(from), for query and explain.
        destination: a flow's C(to).
        ports: a flow's C(ports).
        required_flows: flows for C(assert).
        forbidden_flows: flows for C(assert).
        options: answers to what is left to implementations.
        focus: for matrix, the workloads whose connections are listed; empty for all. C(ports) then narrows the list.
        focus_peers: of those, who is on the other side.
        focus_direction: ingress or egress as these workloads see it, empty for both.
        verdict: for explain, C(allowed) or C(denied) alone (what is undetermined is denied), empty for both.
    """

    question: str = "matrix"
    by: str = "workload"
    label: str | None = None
    outside: bool = True
    namespaces: tuple[str, ...] = ()
    limit: int = DEFAULT_LIMIT
    source: object = None
    destination: object = None
    ports: object = None
    required_flows: object = None
    forbidden_flows: object = None
    options: Options = Options()
    focus: tuple[str, ...] = ()
    focus_peers: tuple[str, ...] = ()
    focus_direction: str = ""
    verdict: str = ""
