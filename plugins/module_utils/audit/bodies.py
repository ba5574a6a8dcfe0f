# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a policy would record the bodies of secrets, tokens and TokenReviews."""

from __future__ import annotations

from typing import NamedTuple

from ..common.finding import Finding
from .codes import BODIES
from .decide import Recorder
from .kubernetes import VERBS
from .model import Level
from .region import Region
from .sets import ALL, only
from .source import Source
from .words import requests

_SENT = frozenset(("create", "update", "patch"))
_RETURNED = frozenset(VERBS) - {"watch"}
_MADE = frozenset(("create",))


class Secret(NamedTuple):
    """A resource whose bodies hold what nobody should read in a log.

    Attributes:
        group, resource, subresource: of requests that have it.
        sent: whether it is in what is sent; what is returned has it always.
        what: for people.
    """

    group: str
    resource: str
    subresource: str
    sent: bool
    what: str


SECRETS = (
    Secret("", "secrets", "", True, "the data of Secrets"),
    Secret("", "serviceaccounts", "token", False, "tokens of service accounts"),
    Secret("authentication.k8s.io", "tokenreviews", "", True, "the tokens that are reviewed"),
    Secret("oauth.openshift.io", "oauthaccesstokens", "", True, "OpenShift's access tokens"),
    Secret("oauth.openshift.io", "oauthauthorizetokens", "", True, "OpenShift's authorization codes"),
    Secret("oauth.openshift.io", "oauthclients", "", True, "the secrets of OpenShift's OAuth clients"),
    Secret("route.openshift.io", "routes", "", True, "private keys of OpenShift's routes"),
)
"""What is never recorded unless allowed."""


def bodies(recorder: Recorder, source: Source) -> list[Finding]:
    """A finding for each rule of a policy and each kind of secret that it would record."""
    found: dict[tuple[int, str], Finding] = {}
    for secret in SECRETS:
        returned = _MADE if secret.subresource else _RETURNED
        for level, verbs in ((Level.REQUEST, _SENT), (Level.REQUEST_RESPONSE, returned)):
            if level == Level.REQUEST and not secret.sent:
                continue
            for piece in recorder.pieces(_region(secret, verbs)):
                if piece.rule is None or piece.level < level:
                    continue
                rule = recorder.policy.rules[piece.rule]
                message = f"{secret.what} would be recorded: {requests(piece.region)} at {piece.level.text}"
                hint = f"put a rule before it that has these at Metadata: {_entry(secret)}"
                key = (piece.rule, secret.what)
                found.setdefault(key, source.finding(BODIES, rule.place, f"rules[{piece.rule}]", message, hint))
    return list(found.values())


def _region(secret: Secret, verbs: frozenset[str]) -> Region:
    # What is in every namespace, with every name, by everybody.
    return Region(
        True, only(verbs), ALL, group=only((secret.group,)), resource=only((secret.resource,)),
        subresource=only((secret.subresource,)),
    )  # fmt: skip


def _entry(secret: Secret) -> str:
    name = f"{secret.resource}/{secret.subresource}" if secret.subresource else secret.resource
    return f"{{group: '{secret.group}', resources: [{name}]}}"
