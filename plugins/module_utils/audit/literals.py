# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one check of a Falco condition asks of an audit event: which requests, at which stages, recorded how much.

A field of the audit log is a part of the request that the policy decides on (verb, resource, user, …), or it is known
only later (response code), or it is in a body, which the levels Request and RequestResponse alone record. What a check
asks beyond that is taken as possible either way, so that no rule is said to be silent which is not.
"""

from __future__ import annotations

from typing import NamedTuple

from ..falco.condition.nodes import Compare, Exists, Field, Node, Value, ValueList, walk
from .kubernetes import CONNECTING_SUBRESOURCES, VERBS, WRITES
from .model import STAGES, Level
from .region import NO_NAME, Region
from .sets import ALL, OPERATORS, Groups, Words, but, like, only

RECEIVED = STAGES[0]
_LATER = frozenset(STAGES) - {RECEIVED}

_PARTS = {
    "ka.verb": "verb",
    "ka.user.name": "user",
    "ka.target.namespace": "namespace",
    "ka.target.resource": "resource",
    "ka.target.subresource": "subresource",
    "ka.target.name": "name",
    "ka.req.configmap.name": "name",
    "ka.uri": "uri",
    "ka.stage": "stage",
    "ka.user.groups": "groups",
}
_POINTERS = {
    "/verb": "verb",
    "/user/username": "user",
    "/objectRef/namespace": "namespace",
    "/objectRef/resource": "resource",
    "/objectRef/subresource": "subresource",
    "/objectRef/name": "name",
    "/objectRef/apiGroup": "group",
    "/requestURI": "uri",
    "/stage": "stage",
}
_ALWAYS = frozenset(
    ("ka.auditid", "ka.stage", "ka.verb", "ka.uri", "jevt.rawtime", "jevt.obj", "json.rawtime", "json.obj")
)
"""What every event has."""

_LATER_FIELDS = ("ka.response.", "ka.auth.", "ka.validations.", "ka.security.")
_LATER_POINTERS = ("/responseStatus", "/annotations")
_CONSTANT = "ka.req.binding.subject.has_name"
"""The plugin says true of it whatever the event has."""

_VALUE_FIELDS = ("jevt.value", "json.value")
_OBJECT_PARTS = frozenset(("namespace", "resource", "subresource", "name", "group"))


class Need(NamedTuple):
    """Requests on which a condition may hold, and what must be recorded of them.

    Attributes:
        region: the requests.
        stages: any of these must be recorded.
        level: how much must be recorded, or the condition does not hold.
        blind: how much must be recorded, or the condition holds although what it excludes is there.
    """

    region: Region
    stages: frozenset[str] = frozenset(STAGES)
    level: Level = Level.METADATA
    blind: Level = Level.METADATA

    def also(self, other: Need) -> Need | None:
        """What both ask; None where no event has it."""
        region = self.region.also(other.region)
        stages = self.stages & other.stages
        if region is None or not stages:
            return None
        return Need(region, stages, max(self.level, other.level), max(self.blind, other.blind))


_NO_CONNECTION = but(CONNECTING_SUBRESOURCES)
BODIES = {
    Level.REQUEST: Region(True, only(WRITES), subresource=_NO_CONNECTION),
    Level.REQUEST_RESPONSE: Region(True, only(set(VERBS) - {"watch"}), subresource=_NO_CONNECTION),
}
"""The requests that have a body to record, by the level that records it; of the request itself that is an object."""


def level_of(field: Field) -> Level:
    """How much of a request must be recorded for a field to have its value."""
    name, pointer = field.name, _pointer(field)
    if name == "ka.req.configmap.name" or name == _CONSTANT:
        return Level.METADATA
    if name.startswith("ka.resp.") or pointer.startswith("/responseObject"):
        return Level.REQUEST_RESPONSE
    if name.startswith("ka.req.") or pointer.startswith("/requestObject"):
        return Level.REQUEST
    return Level.METADATA


def _pointer(field: Field) -> str:
    if field.name not in _VALUE_FIELDS or field.arg is None:
        return ""
    return field.arg if field.arg.startswith("/") else f"/{field.arg}"


def _part(field: Field) -> str:
    return _POINTERS.get(_pointer(field), "") if field.name in _VALUE_FIELDS else _PARTS.get(field.name, "")


def needs_of_check(check: Node, positive: bool, base: Region) -> list[Need]:
    """What a check asks, or its opposite.

    Args:
        check: a comparison, or whether a field exists.
        positive: whether it must hold or must not.
        base: all requests of the kind that is looked at.

    Returns:
        Any of these; none where no request will do.
    """
    left = check.left if isinstance(check, (Compare, Exists)) else check
    if not isinstance(left, Field):
        fields = [part for part in walk(check) if isinstance(part, Field)]
        return _opaque(fields, positive, base)
    if left.name.endswith(".rawtime") and isinstance(check, Compare):
        return [] if positive else [Need(base)]  # compared with constants in order never to hold
    if isinstance(check, Exists):
        return _exists(left, positive, base)
    part = _part(left)
    words = _words(check) if isinstance(check, Compare) else None
    if not part or words is None:
        return _opaque([left], positive, base)
    if part == "stage":
        stages = frozenset(stage for stage in STAGES if any(one.has(stage) for one in words) is positive)
        return [Need(base, stages)] if stages else []
    if part == "groups":
        return _groups(check, positive, base)
    if part == "uri":
        return _uri(words, positive, base)
    return _named(part, words, positive, base)


def _opaque(fields: list[Field], positive: bool, base: Region) -> list[Need]:
    """What a check asks of which nothing is known but its fields."""
    level = max((level_of(field) for field in fields), default=Level.METADATA)
    if level > Level.METADATA:
        if not positive:
            return [Need(base, blind=level)]
        region = base.also(BODIES[level])
        return [] if region is None else [Need(region, _LATER, level)]
    later = any(one.name.startswith(_LATER_FIELDS) or _pointer(one).startswith(_LATER_POINTERS) for one in fields)
    return [Need(base, _LATER)] if later and positive else [Need(base)]


def _exists(field: Field, positive: bool, base: Region) -> list[Need]:
    if field.name in _ALWAYS or _pointer(field) in ("/stage", "/verb", "/requestURI", "/auditID"):
        return [Need(base)] if positive else []
    part = _part(field)
    if part in ("user", *_OBJECT_PARTS):
        return _named(part, [NO_NAME], positive, base)
    return _opaque([field], positive, base)


def _words(check: Compare) -> list[Words] | None:
    """The words that a comparison leaves to its field, any of them; None where that is not known."""
    operator, _blank, modifier = check.operator.partition(" ")
    if isinstance(check.right, Value):
        values: tuple[str, ...] = (check.right.text,)
    elif isinstance(check.right, ValueList):
        values = check.right.values
    else:
        return None
    if operator in ("=", "==", "in", "intersects") and modifier in ("", "anyof"):
        return [only(set(values) - {""})]
    if operator == "!=" and not modifier:
        return [but({*values, ""})]
    if operator in OPERATORS and modifier in ("", "anyof"):
        return [like(operator, value).also(NO_NAME) for value in values]
    return None


def _named(part: str, words: list[Words], positive: bool, base: Region) -> list[Need]:
    if not base.for_resources and part in _OBJECT_PARTS:
        return [] if positive else [Need(base)]
    found = _within(part, words, positive, base)
    if part != "name":
        return [Need(region) for region in found]
    # What is created has its name in its body: the policy is asked before it is known.
    creation = base._replace(verb=only(("create",)), subresource=only(("",)))
    named = [left for region in found for left in region.without(creation)]
    return [Need(region) for region in (*named, creation)]


def _within(part: str, words: list[Words], positive: bool, base: Region) -> list[Region]:
    """The requests of which a part is one of some words, or is none of them."""
    if positive:
        return [found for one in words for found in [base.also(base.having(**{part: one}))] if found is not None]
    left = [base]
    for one in words:
        left = [rest for region in left for rest in region.without(base.having(**{part: one}))]
    return left


def _groups(check: Node, positive: bool, base: Region) -> list[Need]:
    """Of a list's comparisons, the one whose opposite is known: that it shares a value."""
    if not isinstance(check, Compare) or check.operator != "intersects" or not isinstance(check.right, ValueList):
        return [Need(base)]
    asked = frozenset(check.right.values)
    groups = Groups(frozenset((asked,))) if positive else Groups(none_of=asked)
    return [Need(base._replace(groups=groups))] if not groups.empty else []


def _uri(words: list[Words], positive: bool, base: Region) -> list[Need]:
    """Of an address the path is looked at; what follows a question mark is taken as possible either way."""
    if base.for_resources:
        possible = not positive or any(not one.also(like("startswith", "/api")).empty for one in words)
        return [Need(base)] if possible else []
    return [Need(region) for region in _within("path", [_path(one) for one in words], positive, base)]


def _path(address: Words) -> Words:
    if not address.others:
        return only(address_path(name) for name in address.names)
    for check in address.tests:
        if check.operator == "startswith" and check.holds:
            start = address_path(check.text)
            return only((start,)) if "?" in check.text else like("startswith", start)
    return ALL


def address_path(address: str) -> str:
    """The path of an address, without what follows a question mark."""
    return address.partition("?")[0]
