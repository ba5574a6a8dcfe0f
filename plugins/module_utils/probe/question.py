# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked of the network, with types: made once from a module's options, and checked before anything is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..kube.errors import KubeError
from ..netpol.errors import FlowError
from ..netpol.flows.vocabulary import Flow, FlowPort, parse_flows, parse_ports
from .wire.protocol import DEFAULT_PAYLOAD, PROTOCOLS, Settings

FAMILIES = {"IPv4": 4, "IPv6": 6}
_AT_LEAST_ONE = ("connect_timeout", "concurrency", "parallel", "deadline_seconds")


class QuestionError(KubeError):
    """An option cannot be what it is; nothing was asked yet."""


@dataclass(frozen=True)
class Cell:
    """A connection between workloads with its outcome, as an earlier run returned it.

    Attributes:
        where: the entry's place in the option, for people.
        source, target: C(namespace/Kind/name).
        protocol: C(TCP), C(UDP) or C(SCTP).
        port: 1 to 65535.
        allowed: whether it passed.
    """

    where: str
    source: str
    target: str
    protocol: str
    port: int
    allowed: bool


@dataclass(frozen=True)
class Wish:
    """Which connections the caller wants to know of.

    Attributes:
        required, forbidden, observed: flows.
        namespaces: namespaces whose pods are all tried against each other.
        ports: ports for C(namespaces); None for the declared ones of each target.
        matrix: connections with their expected outcome.
        analysis: whether connections without another expectation are compared with what the policies say.
        families: address families to use where both ends have them, 4 or 6.
        by_name: call Services by their DNS names instead of their addresses.
        pods_per_workload: how many pods of a workload take part; 0 for all.
    """

    required: tuple[Flow, ...] = ()
    forbidden: tuple[Flow, ...] = ()
    observed: tuple[Flow, ...] = ()
    namespaces: tuple[str, ...] = ()
    ports: tuple[FlowPort, ...] | None = None
    matrix: tuple[Cell, ...] = ()
    analysis: bool = False
    families: tuple[int, ...] = (4, 6)
    by_name: bool = False
    pods_per_workload: int = 0


@dataclass(frozen=True)
class OwnPods:
    """How the pods are made that a run starts.

    Attributes:
        image: it needs a shell.
        namespace: an existing namespace for them; None makes a temporary one.
        pull_policy: their imagePullPolicy.
        pull_secrets: names of Secrets in the namespace with credentials of the registry.
        deadline_seconds: after this time the cluster removes them by itself.
    """

    image: str
    namespace: str | None = None
    pull_policy: str = "IfNotPresent"
    pull_secrets: tuple[str, ...] = ()
    deadline_seconds: int = 600


@dataclass(frozen=True)
class Question:
    """All that one run is asked.

    Attributes:
        canary: whether policies are enforced at all is asked, not which connections pass.
        wish: the connections.
        method: C(auto), C(exec), C(node) or C(pod).
        listen: listen in the place of targets that do not.
        cni_configuration: C(auto), C(always) or C(never).
        own_pods: how pods of the run are made.
        attempts: how single attempts are made.
        settle_seconds: how long a result may disagree with what is expected before it counts.
        parallel: pods that try at a time with method exec.
        violation_fails, unproven_fails: which answers fail the module.
    """

    canary: bool
    wish: Wish
    method: str
    listen: bool
    cni_configuration: str
    own_pods: OwnPods
    attempts: Settings
    settle_seconds: float
    parallel: int
    violation_fails: bool
    unproven_fails: bool

    @property
    def needs_pods(self) -> bool:
        """Whether it cannot be answered without pods of its own."""
        return self.canary or self.method in ("node", "pod")


def question_of(params: Mapping[str, Any], check_mode: bool = False) -> Question:
    """The question that a module's options ask.

    Args:
        params: options of C(netpol_probe), with its defaults and types.
        check_mode: nothing may be started: pods are asked by what they have themselves, and nobody listens for them.

    Raises:
        QuestionError: an option cannot be what it is; the message names it.
    """
    for name in _AT_LEAST_ONE:
        if params[name] < 1:
            raise QuestionError(f"{name} must be 1 or more, not {params[name]}")
    for name in ("settle_seconds", "pods_per_workload"):
        if params[name] < 0:
            raise QuestionError(f"{name} must be 0 or more, not {params[name]}")
    payload = params["udp_payload"]
    try:
        wish = _wish(params)
    except FlowError as error:
        raise QuestionError(str(error)) from error
    method = params["method"]
    return Question(
        canary=params["question"] == "enforcement",
        wish=wish,
        method="exec" if check_mode and method == "auto" else method,
        listen=params["listen"] and not check_mode,
        cni_configuration=params["cni_configuration"],
        own_pods=OwnPods(
            image=params["image"],
            namespace=params["work_namespace"],
            pull_policy=params["image_pull_policy"],
            pull_secrets=tuple(params["image_pull_secrets"]),
            deadline_seconds=params["deadline_seconds"],
        ),
        attempts=Settings(
            wait_seconds=params["connect_timeout"],
            bound=params["concurrency"],
            payload=DEFAULT_PAYLOAD if payload is None else payload.encode(),
        ),
        settle_seconds=params["settle_seconds"],
        parallel=params["parallel"],
        violation_fails=params["on_violation"] == "fail",
        unproven_fails=params["on_unproven"] == "fail",
    )


def _wish(params: Mapping[str, Any]) -> Wish:
    return Wish(
        required=tuple(parse_flows(params["required_flows"], "required_flows")),
        forbidden=tuple(parse_flows(params["forbidden_flows"], "forbidden_flows")),
        observed=tuple(parse_flows(params["flows"], "flows")),
        namespaces=tuple(params["namespaces"]),
        ports=parse_ports(params["ports"], "ports"),
        matrix=_matrix(params["expected_matrix"]),
        analysis=params["expected"] == "analysis",
        families=tuple(FAMILIES[name] for name in params["ip_families"]),
        by_name=params["service_names"],
        pods_per_workload=params["pods_per_workload"],
    )


def _matrix(entries: Sequence[Mapping[str, Any]]) -> tuple[Cell, ...]:
    cells = []
    for number, entry in enumerate(entries):
        where = f"expected_matrix[{number}]"
        absent = [key for key in ("from", "to", "port", "allowed") if entry.get(key) is None]
        if absent:
            raise QuestionError(f"{where}: {absent[0]} is missing", "Each entry has from, to, port, protocol, allowed.")
        port, protocol = str(entry["port"]), str(entry.get("protocol") or "TCP").upper()
        if not port.isdecimal() or not 1 <= int(port) <= 65535:
            raise QuestionError(f"{where}.port: must be a number from 1 to 65535, not '{port}'")
        if protocol not in PROTOCOLS:
            raise QuestionError(f"{where}.protocol: must be one of {', '.join(PROTOCOLS)}, not '{protocol}'")
        # A template may have made a text of it.
        allowed = {"true": True, "false": False}.get(str(entry["allowed"]).lower())
        if allowed is None:
            raise QuestionError(f"{where}.allowed: must be true or false, not '{entry['allowed']}'")
        cells.append(Cell(where, str(entry["from"]), str(entry["to"]), protocol, int(port), allowed))
    return tuple(cells)
