# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An audit policy as text: whether it is one at all. What it records, and whether that is right, is not asked here."""

from __future__ import annotations

from .errors import ApiServerError
from .nodes import text_of
from .source import Source

KIND = "Policy"
VERSION = "audit.k8s.io/v1"


def check_policy(text: str, file: str) -> None:
    """That a text is an audit policy with rules, since the API server does not start with one that is not.

    Source: https://kubernetes.io/docs/reference/config-api/apiserver-audit.v1/#audit-k8s-io-v1-Policy

    Args:
        text: of the policy.
        file: its name in messages.

    Raises:
        ApiServerError: it is none; with its place.
    """
    source = Source(text, file)
    for key, right in (("apiVersion", VERSION), ("kind", KIND)):
        found = source.value(source.root, key)
        if found is None or text_of(found) != right:
            raise ApiServerError(f"{source.place(found or source.root)}: {key} must be {right}")
    rules = source.items(source.root, "rules")
    if not rules:
        raise ApiServerError(f"{source.place(source.root)}: rules must be a list with at least one rule")
    for rule in rules:
        level = source.value(rule, "level")
        if level is None or text_of(level) not in {"None", "Metadata", "Request", "RequestResponse"}:
            raise ApiServerError(
                f"{source.place(level or rule)}: level must be None, Metadata, Request or RequestResponse"
            )
