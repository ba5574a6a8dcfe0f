# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests in words: `create, get of pods/exec in prod by alice`."""

from __future__ import annotations

from .kubernetes import METHODS, VERBS
from .region import Region
from .sets import Groups, Words

SHOWN = 4
"""Words of one kind are named up to this number."""


def requests(region: Region) -> str:
    """What a region is, as far as it is told in few words."""
    parts = [_verbs(region), "of", _objects(region) if region.for_resources else _paths(region.path)]
    if region.for_resources:
        parts += _where(region.namespace)
        if not region.name.others and region.name.names != {""}:
            parts += ["named", _listed(region.name.names)]
    parts += _who(region.user, region.groups)
    return " ".join(part for part in parts if part)


def _listed(words: frozenset[str]) -> str:
    names = sorted(words, key=lambda word: (VERBS.index(word) if word in VERBS else 99, word))
    shown = ", ".join(names[:SHOWN])
    return f"{shown} and {len(names) - SHOWN} more" if len(names) > SHOWN else shown


def _verbs(region: Region) -> str:
    every = VERBS if region.for_resources else METHODS
    if region.verb.names == set(every):
        return "any verb"
    if len(region.verb.names) > SHOWN:
        missing = set(every) - region.verb.names
        return f"any verb but {_listed(frozenset(missing))}" if len(missing) < SHOWN else _listed(region.verb.names)
    return _listed(region.verb.names)


def _objects(region: Region) -> str:
    resource, subresource = region.resource, region.subresource
    names = "any resource" if resource.others else _listed(resource.names)
    if not subresource.others and subresource.names != {""}:
        wholes = ("*",) if resource.others else resource.names
        names = _listed(
            frozenset(f"{whole}/{part}" if part else whole for whole in wholes for part in subresource.names)
        )
    if not region.group.others and resource.others:
        names = f"{names} of the API group {_listed(region.group.names) or 'core'}"
    return names


def _paths(path: Words) -> str:
    if not path.others:
        return _listed(path.names)
    starts = [check.text for check in path.tests if check.operator == "startswith" and check.holds]
    return f"{max(starts, key=len)}*" if starts else "paths that are no resource"


def _where(namespace: Words) -> list[str]:
    if namespace.others:
        return []
    named = namespace.names - {""}
    if not named:
        return []
    return ["in", _listed(named)]


def _who(user: Words, groups: Groups) -> list[str]:
    found = []
    if not user.others:
        found += ["by", _listed(user.names - {""}) or "nobody"]
    starts = [check.text for check in user.tests if check.operator == "startswith" and check.holds]
    if starts:
        found += ["by", f"{max(starts, key=len)}*"]
    for some in sorted(groups.one_of, key=sorted):
        found += ["by members of", _listed(some)]
    return found
