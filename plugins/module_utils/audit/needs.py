# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which requests, at which stages, recorded how much, a Falco rule's condition needs."""

from __future__ import annotations

from collections.abc import Iterable

from ..falco.condition.nodes import And, Macro, Node, Not, Or
from ..falco.load.compiler import Compiled, Compiler
from .errors import TooLargeError
from .kubernetes import (
    CREATED_SUBRESOURCES,
    LASTING_SUBRESOURCES,
    NAMING_VERBS,
    OF_PODS,
    RESOURCES,
    SESSIONS,
    SUBRESOURCES,
    VERBS,
)
from .literals import Need, needs_of_check
from .model import STAGES
from .region import ANY_PATH, ANY_RESOURCE, NO_NAME, Region
from .sets import only

MAX_NEEDS = 3000
"""More kinds of requests than this are not told apart in one condition."""

_CREATED = ANY_RESOURCE._replace(verb=only(("create",)), subresource=only(("",)))
_PART_CREATED = ANY_RESOURCE._replace(verb=only(("create",)), subresource=NO_NAME)
_NAMING = ANY_RESOURCE._replace(verb=only(NAMING_VERBS))
_OTHER = ANY_RESOURCE._replace(verb=only(set(VERBS) - NAMING_VERBS - {"create"}), subresource=only(("",)))
"""Of many objects: a subresource is always that of one."""

_LASTING = (
    ANY_RESOURCE._replace(verb=only(("watch",))),
    ANY_RESOURCE._replace(verb=only(set(VERBS) - {"watch"}), subresource=only(LASTING_SUBRESOURCES)),
)
_NEVER_ENDS = frozenset(STAGES[1::2])
"""Stages that only lasting requests and crashes have."""


def needs_of(compiled: Compiled, compiler: Compiler) -> list[Need]:
    """What a rule needs to fire.

    Args:
        compiled: the rule, its exceptions in its condition.
        compiler: knows the macros.

    Returns:
        Any of these will do; none where no request fulfils the condition.

    Raises:
        TooLargeError: the condition means more than `MAX_NEEDS` kinds of requests.
    """
    found: list[Need] = []
    for base in (ANY_RESOURCE, ANY_PATH):
        walked = _Walk(compiler, base)
        found += [settled for need in walked.needs(compiled.node, True) for settled in settle(need)]
    return list(dict.fromkeys(found))


class _Walk:
    """One way through a condition, with requests of one kind in mind."""

    def __init__(self, compiler: Compiler, base: Region) -> None:
        self.compiler = compiler
        self.base = base
        self.known: dict[tuple[str, bool], list[Need]] = {}

    def needs(self, node: Node, positive: bool) -> list[Need]:
        """What a condition asks, or its opposite."""
        if isinstance(node, Not):
            return self.needs(node.operand, not positive)
        if isinstance(node, Macro):
            return self._macro(node.name, positive)
        if not isinstance(node, (And, Or)):
            return needs_of_check(node, positive, self.base)
        parts = [self.needs(part, positive) for part in node.operands]
        if isinstance(node, And) is positive:
            return self._all(parts)
        return _few(need for part in parts for need in part)

    def _macro(self, name: str, positive: bool) -> list[Need]:
        if (name, positive) not in self.known:
            macro = self.compiler.macros.get(name)
            body = macro.parsed.node if macro else None
            self.known[name, positive] = [Need(self.base)] if body is None else self.needs(body, positive)
        return self.known[name, positive]

    def _all(self, parts: list[list[Need]]) -> list[Need]:
        found = [Need(self.base)]
        for part in sorted(parts, key=len):
            found = _few(both for one in found for other in part for both in [one.also(other)] if both is not None)
        return found


def _few(needs: Iterable[Need]) -> list[Need]:
    found: dict[Need, None] = {}
    for need in needs:
        found[need] = None
        if len(found) > MAX_NEEDS:
            raise TooLargeError(f"the condition means more than {MAX_NEEDS} kinds of requests")
    return list(found)


def settle(need: Need) -> list[Need]:
    """A need, told apart by what requests there are: names, groups and scopes of resources, requests that last."""
    if not need.region.for_resources:
        return [need] if not need.stages <= _NEVER_ENDS else []
    regions = [need.region]
    if need.stages <= _NEVER_ENDS:
        regions = _parted(regions, _LASTING)
    kinds = (
        _CREATED._replace(name=only(("",))),
        _PART_CREATED._replace(name=NO_NAME),
        _NAMING._replace(name=NO_NAME),
        _OTHER,
    )
    regions = [one for region in _parted(regions, kinds) for one in _placed(region)]
    return [need._replace(region=region) for region in regions]


def _parted(regions: Iterable[Region], kinds: Iterable[Region]) -> list[Region]:
    return [both for region in regions for kind in kinds for both in [region.also(kind)] if both is not None]


def _placed(region: Region) -> list[Region]:
    """A region with what is known of its resources: API groups, namespaces, subresources."""
    parts = region.subresource
    if not parts.others and parts.names <= OF_PODS:
        pods = region.also(ANY_RESOURCE._replace(resource=only(("pods",))))
        if pods is None:
            return []
        region = pods
    if region.resource.others:
        return [region]
    found = [region.also(_kind(name, region.verb.names)) for name in sorted(region.resource.names)]
    return [one for region in found if region is not None for one in _sessions(region)]


def _kind(name: str, verbs: frozenset[str]) -> Region:
    """All requests of some verbs for a resource."""
    kind = ANY_RESOURCE._replace(resource=only((name,)))
    if name in SUBRESOURCES:
        parts = SUBRESOURCES[name]
        if verbs == {"create"}:
            parts = tuple(part for part in parts if part in CREATED_SUBRESOURCES)
        kind = kind._replace(subresource=only(("", *parts)))
    resource = RESOURCES.get(name)
    if resource is None:
        return kind
    kind = kind._replace(group=only(resource.groups))
    if resource.namespaced:
        return kind if verbs <= _OTHER.verb.names else kind._replace(namespace=NO_NAME)
    # a namespace is in itself, to the policy
    return kind if name == "namespaces" else kind._replace(namespace=only(("",)))


def _sessions(region: Region) -> list[Region]:
    """A region without requests for sessions that there are not."""
    rest = region.without(ANY_RESOURCE._replace(subresource=only(SESSIONS)))
    sessions = region.also(ANY_RESOURCE._replace(subresource=only(SESSIONS), verb=only(("get", "create"))))
    return rest if sessions is None else [*rest, sessions]
