# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sets of requests: for each part of a request what it may be, put together, taken apart and subtracted.

A region is a product: a request is in it if each of its parts is in that part's set. So the requests that one rule of a
policy matches are a few regions, and what earlier rules leave of a region are regions again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from .kubernetes import ACCOUNTS_OF, GROUP_NAMES, METHODS, NOBODY, VERBS
from .model import GroupResources, Request, Rule
from .sets import ALL, Groups, Words, but, like, only


class Region(NamedTuple):
    """Requests, all for resources or all for other paths.

    Attributes:
        for_resources: which of both.
        path: of requests for other paths; otherwise all.
        verb, user, groups, namespace, group, resource, subresource, name: as in a request.
    """

    for_resources: bool
    verb: Words
    user: Words = ALL
    groups: Groups = Groups()
    path: Words = ALL
    namespace: Words = ALL
    group: Words = ALL
    resource: Words = ALL
    subresource: Words = ALL
    name: Words = ALL

    def having(self, **parts: Words) -> Region:
        """The region with other sets of words for some parts, by their names."""
        changed: dict[str, Any] = dict(parts)
        return self._replace(**changed)

    def has(self, request: Request) -> bool:
        """Whether a request is in it."""
        return (
            self.for_resources is bool(request.resource)
            and self.groups.has(request.groups)
            and all(getattr(self, part).has(getattr(request, part)) for part in WORDS)
        )

    def also(self, other: Region) -> Region | None:
        """What is in both; None for nothing."""
        if self.for_resources is not other.for_resources:
            return None
        parts = {}
        for part in WORDS:
            mine, theirs = getattr(self, part), getattr(other, part)
            if theirs is ALL:
                continue
            both = mine.also(theirs)
            if both.empty:
                return None
            parts[part] = both
        groups = self.groups if not other.groups.one_of | other.groups.none_of else self.groups.also(other.groups)
        found = self._replace(groups=groups, **parts)
        return None if groups.empty or found.nobody else found

    def without(self, other: Region) -> list[Region]:
        """What is not in the other, in regions that share no request."""
        if self.also(other) is None:
            return [self]
        found = []
        rest = self
        for part in (*WORDS, "groups"):
            theirs = getattr(other, part)
            if theirs is ALL:
                continue
            mine = getattr(rest, part)
            for left in mine.without(theirs):
                region = rest._replace(**{part: left})
                if not left.empty and not region.nobody:
                    found.append(region)
            rest = rest._replace(**{part: mine.also(theirs)})
        return found

    @property
    def nobody(self) -> bool:
        """Whether no user has such a name and is in such groups, as Kubernetes gives them."""
        users = [self.user]
        for some in self.groups.one_of:
            starts = [_start(group) for group in some if not _left_out(group, self.groups.none_of)]
            users = [
                both for user in users for start in starts for both in [user.also(start)] if not both.empty
            ]  # fmt: skip
            if not users:
                return True
        return False


WORDS = ("resource", "verb", "subresource", "namespace", "user", "group", "path", "name")
"""The parts that are words, those first that tell most requests apart."""


def _start(group: str) -> Words:
    """The names that members of a group have."""
    if group.startswith(ACCOUNTS_OF):
        return like("startswith", f"system:serviceaccount:{group[len(ACCOUNTS_OF) :]}:")
    if group == NOBODY:
        return only(("system:anonymous",))
    return like("startswith", GROUP_NAMES[group]) if group in GROUP_NAMES else ALL


def _left_out(group: str, none_of: frozenset[str]) -> bool:
    """Whether nobody is in a group who is in none of some."""
    return group in none_of or (group.startswith(ACCOUNTS_OF) and ACCOUNTS_OF[:-1] in none_of)


ANY_RESOURCE = Region(True, only(VERBS))
ANY_PATH = Region(False, only(METHODS))


def minus(regions: Iterable[Region], other: Region) -> list[Region]:
    """What of some regions is not in another."""
    return [left for region in regions for left in region.without(other)]


def regions_of(rule: Rule) -> list[Region]:
    """The requests that a rule of a policy matches by itself; regions may share some."""
    asked = Region(
        True,
        user=only(rule.users) if rule.users else ALL,
        groups=Groups(frozenset((frozenset(rule.user_groups),))) if rule.user_groups else Groups(),
        verb=only(rule.verbs) if rule.verbs else ALL,
    )
    if rule.namespaces or rule.resources:
        base = asked._replace(namespace=only(rule.namespaces)) if rule.namespaces else asked
        return (
            [base.having(**parts) for entry in rule.resources for parts in _parts(entry)] if rule.resources else [base]
        )
    if rule.urls:
        return [asked._replace(for_resources=False, path=_path(url)) for url in rule.urls]
    return [asked, asked._replace(for_resources=False)]


def _parts(entry: GroupResources) -> Iterator[dict[str, Words]]:
    group = only((entry.group,))
    if not entry.resources:
        yield {"group": group}
        return
    name = only(entry.names) if entry.names else ALL
    for pattern in entry.resources:
        resource, slash, subresource = pattern.partition("/")
        if slash and not subresource:
            continue
        parts = {"group": group, "name": name}
        if pattern == "*":
            yield parts
        elif subresource == "*":
            # also without a subresource
            yield {**parts, "resource": only((resource,))}
        elif resource == "*":
            yield {**parts, "subresource": only((subresource,))}
        else:
            yield {**parts, "resource": only((resource,)), "subresource": only((subresource,))}


def _path(url: str) -> Words:
    if not url.endswith("*"):
        return only((url,))
    start = url.rstrip("*")
    return like("startswith", start) if start else ALL


NO_NAME = but(("",))
"""All words but none at all."""
