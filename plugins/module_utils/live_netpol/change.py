# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a change of policies means for connections: gained, lost, and flows that would not hold any more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.falconet.k8s.plugins.module_utils.netpol.ask.request import Request

from ..kube.errors import KubeError
from ..kube.surroundings import Surroundings
from ..netpol.ask.analysis import answer
from ..netpol.errors import InputError, NetpolError, NoPodError
from ..netpol.model.objects import Model
from ..netpol.model.ports import summary
from ..netpol.read.manifests import Input, load
from .inputs import list_of


def validate(definitions: Sequence[dict[str, Any]]) -> None:
    """Refuse policies that the API server would refuse, before it is asked.

    Raises:
        KubeError: names every problem.
    """
    try:
        load([Input("definitions", objects=list(definitions))])
    except InputError as error:
        raise KubeError(f"invalid policies: {error}") from error


#: More pairs than this are told together: they grow with the square of the workloads, and Ansible keeps all of them.
LISTED = 1000
#: Of workloads that are told together so many are named.
NAMED = 3
_COUNTED = ("gained", "lost", "changed", "relabelled")


def nothing() -> dict[str, Any]:
    """What C(compare) tells of a change that changes nothing."""
    lists: dict[str, Any] = {"gained": [], "lost": [], "changed": [], "text": []}
    return {**lists, "truncated": False, "summary": dict.fromkeys(_COUNTED, 0)}


def compare(before: Sequence[dict[str, Any]], after: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Connections between workloads that a change gives and takes.

    Returns:
        C(gained), C(lost), C(changed): lists of pairs with their ports, empty if there are more than C(LISTED) of all;
        C(truncated): whether they are; C(summary): how many there are of each; C(text): the same in lines for people.
    """
    try:
        result = answer(Request("diff", outside=True, limit=LISTED), _load(after), _load(before))
    except NetpolError as error:
        raise KubeError(f"the change cannot be analysed: {error}") from error
    together = sorted(_told_together(block) for block in result.get("blocks", ()))
    told = {"text": [*result["text"], *together], "truncated": result["truncated"]}
    return {**result["difference"], **told, "summary": {kind: result["summary"][kind] for kind in _COUNTED}}


def _told_together(block: Mapping[str, Any]) -> str:
    """The change for all sources and all destinations of a block in one line."""
    before, after = (summary([(one["protocol"], one["ports"]) for one in block[side]]) for side in ("before", "after"))
    ports = f"{before} => {after}"
    kind = "changed"
    if not block["before"]:
        kind, ports = "gained", after
    elif not block["after"]:
        kind, ports = "lost", before
    return f"{kind}: {_some(block['from'])} -> {_some(block['to'])}: {ports}"


def _some(names: Sequence[str]) -> str:
    if len(names) <= NAMED + 1:
        return ", ".join(names)
    return f"{', '.join(names[:NAMED])} and {len(names) - NAMED} more"


def check_flows(
    objects: Sequence[dict[str, Any]], required: Sequence[dict[str, Any]], forbidden: Sequence[dict[str, Any]]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Flows against the policies.

    Args:
        objects: a snapshot.
        required, forbidden: flows in the vocabulary of C(netpol/flows/vocabulary.py).

    Returns:
        Violations, each with what decides and the smallest change that would help, and flows that say nothing here
        because what they name does not run (yet), with the reason; C(empty) where all of it exists, and is namespaces
        in which no pod runs; C(namespaces), those that they name.

    Raises:
        KubeError: a flow does not follow the vocabulary.
    """
    model = _load(objects)
    violations: list[dict[str, Any]] = []
    idle: list[dict[str, Any]] = []
    for kind, flows in (("required", required), ("forbidden", forbidden)):
        for number, flow in enumerate(flows):
            request = Request("assert", **{f"{kind}_flows": [flow]})  # type: ignore[arg-type]  # one of two fields
            try:
                violations += answer(request, model)["violations"]
            except NoPodError as error:
                name = flow.get("name") or f"{kind}_flows[{number}]"
                idle.append({"flow": name, "kind": kind, "why": str(error), "empty": error.empty})
                idle[-1]["namespaces"] = sorted(_namespaces(flow))
            except NetpolError as error:
                raise KubeError(f"{kind}_flows[{number}]: {error}") from error
    return violations, idle


def left_out(around: Surroundings) -> list[str]:
    """What bears on connections in a cluster and is not analysed, or could not be read, for people."""
    unread = [Input("cluster", text="", named=False, skip=list_of(kind)) for kind in around.forbidden]
    return load([Input("cluster", objects=around.objects), *unread], on_invalid="skip").notes


def _namespaces(flow: dict[str, Any]) -> set[str]:
    named = [(flow.get(end) or {}).get("namespace") or () for end in ("from", "to")]
    return {str(name) for names in named for name in ([names] if isinstance(names, str) else names)}


def _load(objects: Sequence[dict[str, Any]]) -> Model:
    return load([Input("cluster", objects=list(objects))], on_invalid="skip")
