# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The flags of a kube-apiserver: which of them the collection sets, and how they are read from an argv."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

GROUPS: dict[str, tuple[str, ...]] = {
    "policy": ("audit-policy-file",),
    "webhook": (
        "audit-webhook-config-file",
        "audit-webhook-mode",
        "audit-webhook-batch-max-size",
        "audit-webhook-batch-max-wait",
        "audit-webhook-batch-buffer-size",
        "audit-webhook-batch-throttle-qps",
        "audit-webhook-batch-throttle-burst",
        "audit-webhook-initial-backoff",
    ),
    "log": ("audit-log-path", "audit-log-maxage", "audit-log-maxbackup", "audit-log-maxsize", "audit-log-format"),
}
"""What the collection sets, by what it belongs to. The first one of each is a path and tells whose the group is."""

GROUP_OF = {flag: group for group, flags in GROUPS.items() for flag in flags}


@dataclass(frozen=True)
class Flag:
    """One flag of an argv.

    Attributes:
        name: without dashes before it, and with dashes in it where underscores stand.
        value: the text behind the equals sign, or the next argument.
        first: index of its argument.
        last: index of its last argument: the next one where the value is an argument of its own.
    """

    name: str
    value: str
    first: int
    last: int


def audit_flags(arguments: Sequence[str]) -> list[Flag]:
    """Those flags among arguments that belong to GROUPS, in their order.

    Source: https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/; that an underscore counts
    as a dash is k8s.io/component-base/cli/flag's WordSepNormalizeFunc.
    """
    found = []
    number = 0
    while number < len(arguments):
        name, equals, value = arguments[number].partition("=")
        name = name[2:].replace("_", "-") if name.startswith("--") else ""
        last = number
        if name in GROUP_OF:
            if not equals and number + 1 < len(arguments):
                last = number + 1
                value = arguments[last]
            found.append(Flag(name, value, number, last))
        number = last + 1
    return found
