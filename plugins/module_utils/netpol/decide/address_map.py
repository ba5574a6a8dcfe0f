# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses divided where any block begins or ends, so that which blocks hold an address is one search."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence

from ..model.addresses import WHOLE, Range
from ..model.objects import BlockPeer


class AddressMap:
    """Addresses of one family, divided where any block begins or ends."""

    def __init__(self, family: int, blocks: Sequence[BlockPeer]) -> None:
        edges: dict[int, list[tuple[int, int]]] = {}
        for index, block in enumerate(blocks):
            for item in block.ranges:
                if item.family == family:
                    edges.setdefault(item.first, []).append((index, 1))
                    edges.setdefault(item.last + 1, []).append((index, -1))
        self.starts: list[int] = [0]
        self.signatures: list[int] = [0]
        signature = 0
        for start in sorted(edges):
            for index, step in edges[start]:
                signature += step << index
            if start == 0:
                self.signatures[0] = signature
            elif start <= WHOLE[family].last:
                self.starts.append(start)
                self.signatures.append(signature)
        self.family = family

    def signature(self, value: int) -> int:
        """Which blocks hold the address, one bit for each block."""
        return self.signatures[bisect_right(self.starts, value) - 1]

    def ranges(self) -> Iterator[tuple[int, Range]]:
        ends = [*(start - 1 for start in self.starts[1:]), WHOLE[self.family].last]
        for start, end, signature in zip(self.starts, ends, self.signatures):
            yield signature, Range(self.family, start, end)
