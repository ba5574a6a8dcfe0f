# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An audit policy and the requests that it decides on, as values.

Specification: https://kubernetes.io/docs/reference/config-api/apiserver-audit.v1/
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

STAGES = ("RequestReceived", "ResponseStarted", "ResponseComplete", "Panic")
"""The stages of a request at which an event may be written, in order."""


class Level(IntEnum):
    """How much of a request is recorded; each level has all of the ones below it."""

    NONE = 0
    METADATA = 1
    REQUEST = 2
    REQUEST_RESPONSE = 3

    @property
    def text(self) -> str:
        """As a policy writes it."""
        return LEVELS[self]


LEVELS = ("None", "Metadata", "Request", "RequestResponse")
"""The levels as a policy writes them, by their number."""


class Place(NamedTuple):
    """Where something stands in the policy's text; both count from 1."""

    line: int
    column: int


class GroupResources(NamedTuple):
    """One entry of a rule's `resources`.

    Attributes:
        group: the API group; empty for the core.
        resources: `pods`, `pods/log`, `pods/*`, `*/log` or `*`; none for all of the group.
        names: names of objects; none for all.
        place: where it stands.
    """

    group: str = ""
    resources: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    place: Place = Place(1, 1)


class Rule(NamedTuple):
    """One rule of a policy. An empty tuple restricts nothing.

    Attributes:
        level: what is recorded.
        users, user_groups, verbs, namespaces: a request must have one of each; the empty namespace is that of
            what is in none.
        resources: what the request is about.
        urls: `nonResourceURLs`, in which a star at the end stands for anything.
        omit_stages: stages that are not recorded, on top of the policy's.
        place: where it stands.
    """

    level: Level
    users: tuple[str, ...] = ()
    user_groups: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()
    resources: tuple[GroupResources, ...] = ()
    urls: tuple[str, ...] = ()
    omit_stages: tuple[str, ...] = ()
    place: Place = Place(1, 1)


class Policy(NamedTuple):
    """An audit policy: the first rule that matches a request decides; without one nothing is recorded."""

    rules: tuple[Rule, ...]
    omit_stages: tuple[str, ...] = ()
    name: str = "policy"

    def at(self, number: int | None) -> str:
        """Where a rule stands, as editors take it: `policy.yaml:12`; the policy's name for none."""
        return self.name if number is None else f"{self.name}:{self.rules[number].place.line}"


class Request(NamedTuple):
    """What a policy is asked of: a request to the API server, after its user was found out.

    Attributes:
        verb: `get`, `list`, `create`, …; of a path the method of HTTP in small letters.
        user: the user's name; empty for none.
        groups: the user's groups.
        path: of a request for no resource; empty otherwise.
        namespace, group, resource, subresource, name: of a request for a resource, as its URL has them: what is
            created has no name yet.
    """

    verb: str
    user: str = ""
    groups: frozenset[str] = frozenset()
    path: str = ""
    namespace: str = ""
    group: str = ""
    resource: str = ""
    subresource: str = ""
    name: str = ""


class Decision(NamedTuple):
    """What is recorded of a request.

    Attributes:
        level: how much.
        omitted: stages that are not recorded.
        rule: 0-based number of the rule that decided; None where none matched.
    """

    level: Level
    omitted: frozenset[str]
    rule: int | None
