# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules on what policies deny that were made before: found again among others, and whether they still say the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .rules import TAG

_LISTS = "connection_that_policies_deny_"


def kept(entries: Iterable[Any], made: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]] | None:
    """The rules that were made before, if they are on the same connections as those that are made now.

    Pods come and go, and with them the addresses; which workloads are watched changes with policies alone.

    Args:
        entries: of a rules file: rules, lists and what else it has.
        made: the entries that are made now.

    Returns:
        Rules and their lists in the file's order; None where there are none or their names are others.
    """
    before = [one for one in entries if isinstance(one, Mapping) and _is_ours(one)]
    if not before or _names(before) != _names(made):
        return None
    return [dict(one) for one in before]


def _is_ours(entry: Mapping[str, Any]) -> bool:
    return TAG in (entry.get("tags") or ()) if "rule" in entry else str(entry.get("list", "")).startswith(_LISTS)


def _names(entries: Iterable[Mapping[str, Any]]) -> list[str]:
    return sorted(str(one["rule"]) for one in entries if "rule" in one)
