# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which labels a pod gives up so that selectors let it go.

NetworkPolicies only add up: a policy that denies isolates nothing that another one allows. So the pod leaves the
selectors of those that allow, and of the Services and controllers that count on it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

from ..model.selectors import EXISTS, IN, Selector

#: Labels beyond this are not tried in every combination: all that selectors ask for go.
MAX_KEYS = 12


class Escape(NamedTuple):
    """What leaves selectors.

    Attributes:
        keys: labels to take away, sorted.
        caught: positions of the selectors that match all the same.
    """

    keys: tuple[str, ...]
    caught: tuple[int, ...]


def escape(labels: Mapping[str, str], selectors: Sequence[Selector], added: Mapping[str, str]) -> Escape:
    """The smallest set of labels without which the fewest selectors match.

    Args:
        labels: the pod's.
        selectors: those to leave, whether they match now or would once a label is gone.
        added: labels that the pod gets.

    Returns:
        The labels; of several sets of one size the first by name.
    """
    asked = {one.key for selector in selectors for one in selector.requirements if one.operator in (IN, EXISTS)}
    keys = sorted(asked & labels.keys() - added.keys())
    if len(keys) > MAX_KEYS:
        return Escape(tuple(keys), caught(labels, selectors, added, keys))
    best: Escape | None = None
    for size in range(len(keys) + 1):
        for chosen in combinations(keys, size):
            found = Escape(chosen, caught(labels, selectors, added, chosen))
            if not found.caught:
                return found
            if best is None or len(found.caught) < len(best.caught):
                best = found
    return best or Escape((), ())


def caught(
    labels: Mapping[str, str], selectors: Sequence[Selector], added: Mapping[str, str], without: Sequence[str]
) -> tuple[int, ...]:
    """Positions of the selectors that match a pod without some of its labels."""
    left = {**{key: value for key, value in labels.items() if key not in without}, **added}
    return tuple(number for number, selector in enumerate(selectors) if selector.matches(left))
