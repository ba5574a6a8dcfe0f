# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Exposure for people: peers, ports and their names in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..decide.regions import namespaces_of
from ..model.objects import NAMESPACE_NAME_LABEL, PROTOCOLS, PodsPeer
from ..model.ports import PortSpace, summary
from ..model.selectors import IN, Requirement, Selector
from .exposure_rules import said_by


def with_names(
    space: PortSpace, mask: int, known: int, names: Sequence[tuple[str, str]], spared: Sequence[tuple[str, str]]
) -> list[tuple[str, str]]:
    """Ports for people, with those that only have a name, and without those whose name is denied.

    Args:
        space: of the masks.
        mask: the ports.
        known: ports that are told already; a name says nothing where all ports of its protocol are.
        names: (protocol, name) of ports that are open by their name.
        spared: of those that are not.
    """
    found: dict[str, str] = {}
    whole = {p for p in PROTOCOLS if (mask | known) & space.mask(p) == space.mask(p)}
    denied = [(protocol, name) for protocol, name in spared if protocol in whole and mask & space.mask(protocol)]
    texts = list(space.texts(mask))
    if texts == [("all", "all")] and denied:
        texts = [(protocol, "all") for protocol in PROTOCOLS]
    found.update(texts)
    for protocol, name in names:
        if protocol not in whole:
            found[protocol] = f"{found[protocol]},{name}" if protocol in found else name
    for protocol in dict.fromkeys(protocol for protocol, _name in denied):
        found[protocol] += f" except {','.join(name for p, name in denied if p == protocol)}"
    return list(found.items())


def said(peer: PodsPeer) -> dict[str, str]:
    """Who a peer is: C(namespaces) and C(pods) in words."""
    where = namespaces_of(peer)
    name = [r for r in where.requirements if r.key == NAMESPACE_NAME_LABEL and r.operator == IN]
    if len(where.requirements) == 1 and name and len(name[0].values) == 1:
        return {"namespaces": f"name {name[0].values[0]}", "pods": _text(peer.pods)}
    return {"namespaces": _text(where), "pods": _text(peer.pods)}


def _text(selector: Selector) -> str:
    return str(selector) if selector.requirements else "any"


def without(peer: PodsPeer, other: PodsPeer) -> PodsPeer | None:
    """A peer without the values that another one lists, None where it takes more to say what is left."""
    where = namespaces_of(other).requirements
    if len(other.pods.requirements) != 1 or (where and where != namespaces_of(peer).requirements):
        return None
    taken = other.pods.requirements[0]
    for requirement in peer.pods.requirements:
        if requirement.key == taken.key and requirement.operator == taken.operator == IN:
            left = tuple(value for value in requirement.values if value not in taken.values)
            narrowed = Requirement(requirement.key, IN, left)
            requirements = tuple(narrowed if r == requirement else r for r in peer.pods.requirements)
            return PodsPeer(peer.namespaces, Selector(requirements), peer.namespace)
    return None


def sentences(items: Sequence[dict[str, Any]]) -> list[str]:
    """The same for people, one line for each workload and direction that is open to anything new or outside."""
    lines = []
    for item in items:
        word = "from" if item["direction"] == "ingress" else "to"
        parts = []
        if item["cluster"]:
            parts.append(f"{word} every pod of every namespace on {_ports(item['cluster'])}")
        for address in dict.fromkeys(entry["address"] for entry in item["outside"]):
            ports = [entry for entry in item["outside"] if entry["address"] == address]
            parts.append(f"{word} {address} on {_ports(ports)}")
        for who in dict.fromkeys(_whom(entry) for entry in item["selected"]):
            parts.append(f"{word} {who} on {_ports([e for e in item['selected'] if _whom(e) == who])}")
        guard = "" if item["protected"] else " (no policy)"
        lines.append(f"{item['workload']} {item['direction']}{guard}: {'; '.join(parts) or 'closed'}")
    return lines


def _ports(entries: Sequence[dict[str, Any]]) -> str:
    rules = {(rule["policy"], rule["rule"]): rule for entry in entries for rule in entry["rules"]}
    return summary((entry["protocol"], entry["ports"]) for entry in entries) + said_by(list(rules.values()))


def _whom(entry: dict[str, Any]) -> str:
    but = " and ".join(f"({item['pods']}) of ({item['namespaces']})" for item in entry.get("except", ()))
    return f"pods ({entry['pods']}) of namespaces ({entry['namespaces']})" + (f" except {but}" if but else "")
