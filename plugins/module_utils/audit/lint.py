# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules of an audit policy that do nothing: behind earlier ones, or matched by no request."""

from __future__ import annotations

from collections.abc import Iterator

from ..common.finding import Finding
from ..common.words import nearest
from .codes import MATCHES_NOTHING, UNREACHABLE
from .decide import Recorder
from .kubernetes import METHODS, RESOURCES, VERBS
from .model import GroupResources, Rule
from .region import ANY_PATH, ANY_RESOURCE, Region, minus
from .source import Source


def lint(recorder: Recorder, source: Source) -> list[Finding]:
    """What of a policy does nothing."""
    found = []
    for number, rule in enumerate(recorder.policy.rules):
        nothing = list(_matches_nothing(rule))
        found += [source.finding(MATCHES_NOTHING, rule.place, f"rules[{number}]", *told) for told in nothing]
        behind = [] if nothing else _behind(recorder, number)
        if behind:
            by = ", ".join(recorder.policy.at(one) for one in behind)
            message = f"no request comes to this rule: what it matches is decided by {by}"
            hint = "put it before them, or remove it"
            found.append(source.finding(UNREACHABLE, rule.place, f"rules[{number}]", message, hint))
    return found


def _behind(recorder: Recorder, number: int) -> list[int]:
    """The earlier rules that take all that a rule matches; empty where something is left."""
    left = _own(recorder, number)
    taken = []
    for earlier in range(number):
        if not left:
            break
        rest = left
        for region in recorder.rules[earlier]:
            rest = minus(rest, region)
        if rest != left:
            taken.append(earlier)
        left = rest
    return [] if left else taken


def _own(recorder: Recorder, number: int) -> list[Region]:
    both = (region.also(base) for region in recorder.rules[number] for base in (ANY_RESOURCE, ANY_PATH))
    return [region for region in both if region is not None]


def _matches_nothing(rule: Rule) -> Iterator[tuple[str, str]]:
    for_resources = bool(rule.resources or rule.namespaces)
    known = VERBS if for_resources else METHODS if rule.urls else (*VERBS, *METHODS)
    for verb in rule.verbs:
        if verb not in known:
            near = nearest(verb, known, fold=str.lower)
            hint = f"did you mean {near}?" if near else f"verbs are {', '.join(known)}"
            yield f"no request has the verb '{verb}'", hint
    for entry in rule.resources:
        yield from _resources(entry)


def _resources(entry: GroupResources) -> Iterator[tuple[str, str]]:
    for pattern in entry.resources:
        resource, slash, subresource = pattern.partition("/")
        if pattern == "*/*":
            yield "'*/*' matches nothing", "write '*', which matches subresources as well"
            continue
        if slash and not subresource:
            yield f"'{pattern}' matches nothing", f"write {resource}, or {resource}/* with its subresources"
            continue
        known = RESOURCES.get(resource)
        if known is not None and entry.group not in known.groups:
            groups = " or ".join(f"'{group}'" for group in known.groups)
            yield f"'{resource}' is not in the API group '{entry.group}' but in {groups}", f"write group: {groups}"
        elif known is None and not entry.group and resource != "*":
            near = nearest(resource, [name for name, one in RESOURCES.items() if "" in one.groups], fold=str.lower)
            hint = f"did you mean {near}?" if near else "say in which API group it is"
            yield f"the core group has no resource '{resource}'", hint
