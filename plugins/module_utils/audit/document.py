# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the text of an audit policy to its value, with every problem that the API server would have, and its place.

Sources: the schema https://kubernetes.io/docs/reference/config-api/apiserver-audit.v1/, and what
`k8s.io/apiserver/pkg/audit/policy/reader.go` and `pkg/apis/audit/validation` refuse or pass over.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from ..common.finding import Finding
from ..common.words import nearest
from .codes import IGNORED, REFUSED
from .model import LEVELS, STAGES, GroupResources, Level, Policy, Rule
from .source import Reader, Source, is_null, place_of

API_VERSION = "audit.k8s.io/v1"
_GROUP = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_POLICY_KEYS = ("apiVersion", "kind", "metadata", "omitStages", "omitManagedFields", "rules")
_RULE_KEYS = (
    "level", "users", "userGroups", "verbs", "resources", "namespaces", "nonResourceURLs", "omitStages",
    "omitManagedFields",
)  # fmt: skip
_RESOURCE_KEYS = ("group", "resources", "resourceNames")


class Read(NamedTuple):
    """What reading a policy yields.

    Attributes:
        policy: the policy; None where it cannot be used.
        findings: what is wrong with it.
        source: the text, for further findings in it.
    """

    policy: Policy | None
    findings: list[Finding]
    source: Source


def read(text: str, name: str = "policy") -> Read:
    """Read an audit policy.

    Args:
        text: YAML or JSON.
        name: what findings call it, such as its path.

    Returns:
        The policy, and all that is wrong with it: `FA001` what the API server refuses, `FA002` what it passes over.
        A policy that it refuses is None.
    """
    source = Source(text, name)
    documents = source.documents(text)
    policy = _policy(source, documents) if documents else None
    if not documents and not source.findings:
        source.tell(REFUSED, None, "", "there is no policy in the text", f"write one: apiVersion {API_VERSION}, rules")
    refused = any(one.code == REFUSED for one in source.findings)
    return Read(None if refused else policy, source.findings, source)


def _policy(source: Source, documents: list[Any]) -> Policy:
    reader = Reader(source, documents[0], "", _POLICY_KEYS)
    for more in documents[1:]:
        source.tell(IGNORED, place_of(more), "", "the API server reads the first document alone", "make it one policy")
    for key, wanted in (("apiVersion", API_VERSION), ("kind", "Policy")):
        found = reader.text(key)
        # without its kind it is read as a policy
        if found != wanted and (found or key == "apiVersion"):
            said = f"'{key}' is '{found}'" if found else f"'{key}' is missing"
            source.tell(REFUSED, reader.at(key), "", f"{said}, and must be {wanted}", f"write {key}: {wanted}")
    if "metadata" in reader.keys and not is_null(reader.keys["metadata"]):
        Reader(source, reader.keys["metadata"], "metadata", None)
    reader.switch("omitManagedFields")
    omitted = _stages(source, reader)
    nodes = reader.nodes("rules")
    if not nodes and not any(one.code == REFUSED for one in source.findings):
        source.tell(REFUSED, reader.at("rules"), "", "the policy has no rule", "add a rule, such as level: Metadata")
    rules = tuple(_rule(source, node, number) for number, node in enumerate(nodes))
    return Policy(rules, omitted, source.name)


def _stages(source: Source, reader: Reader) -> tuple[str, ...]:
    found = []
    for stage, place in reader.texts("omitStages"):
        if stage in STAGES:
            found.append(stage)
            continue
        near = nearest(stage, STAGES, fold=str.lower)
        hint = f"did you mean {near}?" if near else f"stages are {', '.join(STAGES)}"
        source.tell(REFUSED, place, reader.item, f"'{stage}' is no stage", hint)
    return tuple(found)


def _rule(source: Source, node: Any, number: int) -> Rule:
    reader = Reader(source, node, f"rules[{number}]", _RULE_KEYS)
    level = reader.text("level")
    if level not in LEVELS:
        near = nearest(level, LEVELS, fold=str.lower)
        hint = f"did you mean {near}?" if near else f"write one of {', '.join(LEVELS)}"
        said = f"'{level}' is no level" if level else "the rule has no level"
        source.tell(REFUSED, reader.at("level"), reader.item, said, hint)
    reader.switch("omitManagedFields")
    rule = Rule(
        level=Level(LEVELS.index(level)) if level in LEVELS else Level.NONE,
        users=reader.words("users"),
        user_groups=reader.words("userGroups"),
        verbs=reader.words("verbs"),
        namespaces=reader.words("namespaces"),
        resources=tuple(_resources(source, one, reader) for one in reader.nodes("resources")),
        urls=_urls(source, reader),
        omit_stages=_stages(source, reader),
        place=reader.place,
    )
    if rule.urls and (rule.resources or rule.namespaces):
        other = "resources" if rule.resources else "namespaces"
        source.tell(
            REFUSED, reader.at("nonResourceURLs"), reader.item,
            f"the rule has both nonResourceURLs and {other}, which no request has", "make two rules of it",
        )  # fmt: skip
    return rule


def _urls(source: Source, reader: Reader) -> tuple[str, ...]:
    found = []
    for url, place in reader.texts("nonResourceURLs"):
        found.append(url)
        if url == "*":
            continue
        if not url.startswith("/"):
            source.tell(REFUSED, place, reader.item, f"'{url}' does not begin with /", f"write /{url}")
        if "*" in url[:-1]:
            source.tell(
                REFUSED, place, reader.item, f"'{url}' has a star before its end", "a star stands at the end alone"
            )
    return tuple(found)


def _resources(source: Source, node: Any, rule: Reader) -> GroupResources:
    item = rule.item
    if is_null(node):
        rule.empty(node, "an item of 'resources'", "as all of the core group")
        return GroupResources(place=place_of(node))
    reader = Reader(source, node, item, _RESOURCE_KEYS)
    group = reader.text("group")
    if group and (len(group) > 253 or not _GROUP.fullmatch(group)):
        hint = f"write {group.partition('/')[0]}, without a version" if "/" in group else "write it as in apiVersion"
        source.tell(REFUSED, reader.at("group"), item, f"'{group}' is no API group", hint)
    names = reader.words("resourceNames")
    resources = reader.words("resources")
    if names and not resources:
        source.tell(
            REFUSED, reader.at("resourceNames"), item, "resourceNames needs resources", "say which resources they name"
        )
    return GroupResources(group, resources, names, reader.place)
