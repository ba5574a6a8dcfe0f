# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pods of unknown address at each of the addresses that blocks tell apart, so that an answer holds for all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product

from ..decide.engine import Engine
from ..decide.universe import Universe
from ..model.objects import Model, Options, Pod, Policy

#: More stand-ins than this are not made; answers then count what is not certain as denied.
MAX_PLACED = 5000


def placed(model: Model, policies: Sequence[Policy], options: Options) -> tuple[Model, bool]:
    """The model with a pod at each place in the stead of a pod whose address is not known.

    The pods in the stead of one have its name and its workload; what one of them does to another is no connection
    (L(connections.Classes) leaves it out).

    Args:
        model: the cluster.
        policies: all policies that will be asked about.
        options: answers to what is left to implementations.

    Returns:
        The model, and whether no answer depends on an address any more.
    """
    universe = Universe(model, [policies], options)
    if Engine(universe, policies).is_determined:
        return model, True
    pods: list[Pod] = []
    made = 0
    for pod in model.pods:
        if pod.finished or pod.addresses:
            pods.append(pod)
            continue
        families = [list(_places(model, universe, family, pod)) for family in sorted(model.assumed_families)]
        for addresses in product(*families):
            pods.append(replace(pod, addresses=addresses))
            made += 1
        if made > MAX_PLACED:
            return model, False
    everywhere = replace(model, pods=pods)
    return everywhere, Engine(Universe(everywhere, [policies], options), policies).is_determined


def _places(model: Model, universe: Universe, family: int, pod: Pod) -> Iterator[tuple[int, int]]:
    """An address in each class of addresses that the pod may have, of one family."""
    seen: set[int] = set()
    for block in model.possible_addresses(family, pod.host_network):
        for number, part in universe.outside_parts(block):
            if number not in seen:
                seen.add(number)
                yield family, part.first
