# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What policies mention, by which pods and addresses are told apart."""

from __future__ import annotations

from collections.abc import Sequence

from ..model.objects import BlockPeer, NodesPeer, PodsPeer, Policy, PortRule
from ..model.selectors import Selector


def mentioned(
    policy_sets: Sequence[Sequence[Policy]],
) -> tuple[set[str], set[str], list[BlockPeer], list[Selector], set[PortRule]]:
    """Label keys of pods, port names, blocks, node selectors and ports that the policies mention."""
    keys: set[str] = set()
    names: set[str] = set()
    blocks: dict[BlockPeer, None] = {}
    nodes: dict[Selector, None] = {}
    ports: set[PortRule] = set()
    for policies in policy_sets:
        for policy in policies:
            keys.update(policy.subject.pods.keys)
            for rule in policy.ingress + policy.egress:
                for peer in rule.peers or ():
                    if isinstance(peer, PodsPeer):
                        keys.update(peer.pods.keys)
                    elif isinstance(peer, BlockPeer):
                        blocks[peer] = None
                    elif isinstance(peer, NodesPeer):
                        nodes[peer.nodes] = None
                if rule.ports:
                    ports.update(rule.ports)
    names.update(port.name for port in ports if port.name)
    return keys, names, list(blocks), list(nodes), ports
