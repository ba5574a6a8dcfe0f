# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a policy records for many requests at once, also for endlessly many: a region in, pieces of it out.

Each rule takes what earlier ones left of the region, so every request of it is in exactly one piece, that of the rule
which decides on it.
"""

from __future__ import annotations

from typing import NamedTuple

from .model import Level, Policy
from .region import ANY_PATH, ANY_RESOURCE, Region, minus, regions_of


class Piece(NamedTuple):
    """Requests that are recorded alike.

    Attributes:
        region: the requests.
        level: how much of them.
        omitted: stages that are not recorded.
        rule: 0-based number of the rule that decides; None where none matches, and nothing is recorded.
    """

    region: Region
    level: Level
    omitted: frozenset[str]
    rule: int | None


class Recorder:
    """A policy that can be asked about regions."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.rules = [regions_of(rule) for rule in policy.rules]
        self._omitted = [frozenset((*policy.omit_stages, *rule.omit_stages)) for rule in policy.rules]

    def pieces(self, region: Region) -> list[Piece]:
        """What is recorded of each request in a region.

        Returns:
            Pieces that share no request and are the whole region together, in the order of the rules.
        """
        found = []
        left = [region]
        for number, rule in enumerate(self.rules):
            for matched in rule:
                taken = [both for part in left for both in (part.also(matched),) if both is not None]
                if taken:
                    level, omitted = self.policy.rules[number].level, self._omitted[number]
                    found += [Piece(part, level, omitted, number) for part in taken]
                    left = minus(left, matched)
            if not left:
                return found
        nothing = frozenset(self.policy.omit_stages)
        return [*found, *(Piece(part, Level.NONE, nothing, None) for part in left)]

    def everything(self) -> list[Piece]:
        """What is recorded of all requests that there are."""
        return [*self.pieces(ANY_RESOURCE), *self.pieces(ANY_PATH)]
