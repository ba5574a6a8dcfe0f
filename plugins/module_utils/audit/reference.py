# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a policy records for one request, as slow and obvious as can be; what is fast is compared with it.

Source: `ruleMatches` in `k8s.io/apiserver/pkg/audit/policy/checker.go`.
"""

from __future__ import annotations

from .model import Decision, GroupResources, Level, Policy, Request, Rule


def decide(policy: Policy, request: Request) -> Decision:
    """The first rule that matches decides; its stages that are left out are added to the policy's."""
    for number, rule in enumerate(policy.rules):
        if matches(rule, request):
            return Decision(rule.level, frozenset((*policy.omit_stages, *rule.omit_stages)), number)
    return Decision(Level.NONE, frozenset(policy.omit_stages), None)


def matches(rule: Rule, request: Request) -> bool:
    """Whether a rule is about a request."""
    if rule.users and request.user not in rule.users:
        return False
    if rule.user_groups and not any(group in rule.user_groups for group in request.groups):
        return False
    if rule.verbs and request.verb not in rule.verbs:
        return False
    if rule.namespaces or rule.resources:
        return _matches_resource(rule, request)
    if rule.urls:
        return not request.resource and any(_matches_url(url, request.path) for url in rule.urls)
    return True


def _matches_resource(rule: Rule, request: Request) -> bool:
    if not request.resource:
        return False
    if rule.namespaces and request.namespace not in rule.namespaces:
        return False
    return not rule.resources or any(_matches_entry(entry, request) for entry in rule.resources)


def _matches_entry(entry: GroupResources, request: Request) -> bool:
    if entry.group != request.group:
        return False
    if not entry.resources:
        return True
    if entry.names and request.name not in entry.names:
        return False
    return any(_matches_pattern(pattern, request) for pattern in entry.resources)


def _matches_pattern(pattern: str, request: Request) -> bool:
    whole = f"{request.resource}/{request.subresource}" if request.subresource else request.resource
    if pattern in (whole, "*"):
        return True
    if request.subresource and pattern == f"*/{request.subresource}":
        return True
    # also without a subresource: `pods/*` matches pods themselves
    return pattern == f"{request.resource}/*"


def _matches_url(url: str, path: str) -> bool:
    if url.endswith("*"):
        return path.startswith(url.rstrip("*"))
    return url == path
