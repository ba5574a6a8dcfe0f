# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which steps an alert asks for: a ladder of rungs, of which the first that fits counts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..common.words import nearest
from .alert import PRIORITIES, Alert
from .errors import RespondError

STEPS = ("note", "collect", "quarantine", "stop")
"""In the order in which they are done: what is known is kept before anything changes."""
NOTE, COLLECT, QUARANTINE, STOP = STEPS
_LISTS = ("rules", "tags", "namespaces", "steps", "approve")
_KEYS = ("name", "priority", *_LISTS)


@dataclass(frozen=True)
class Rung:
    """What is done about some alerts.

    Attributes:
        name: how it is called.
        rules, tags, namespaces: of the alert one of these; empty for any.
        priority: at least as urgent; empty for any.
        steps: some of STEPS, in their order.
        approve: those of them that wait until somebody approves.
    """

    name: str
    rules: frozenset[str] = frozenset()
    priority: str = ""
    tags: frozenset[str] = frozenset()
    namespaces: frozenset[str] = frozenset()
    steps: tuple[str, ...] = (NOTE,)
    approve: frozenset[str] = frozenset()

    def fits(self, alert: Alert) -> bool:
        """Whether it is for an alert."""
        return (
            (not self.rules or alert.rule in self.rules)
            and (not self.priority or PRIORITIES.index(alert.priority) <= PRIORITIES.index(self.priority))
            and (not self.tags or bool(self.tags & alert.tags))
            and (not self.namespaces or alert.namespace in self.namespaces)
        )


def rung_of(ladder: Sequence[Rung], alert: Alert) -> Rung | None:
    """The first rung that fits; None if none does."""
    return next((rung for rung in ladder if rung.fits(alert)), None)


def read_ladder(data: object) -> list[Rung]:
    """Read the ladder of the variables.

    Args:
        data: a list of mappings with name, rules, priority, tags, namespaces, steps and approve.

    Raises:
        RespondError: with everything that is wrong.
    """
    if not isinstance(data, list) or not data:
        raise RespondError(["respond_ladder: a list with at least one rung"])
    problems: list[str] = []
    rungs = []
    for number, item in enumerate(data):
        path = f"respond_ladder[{number}]"
        if not isinstance(item, Mapping):
            problems.append(f"{path}: a mapping with name and steps")
            continue
        found = list(_problems(item, path))
        problems += found
        if not found:
            rungs.append(_rung(item))
    if problems:
        raise RespondError(problems)
    return rungs


def _problems(item: Mapping[str, Any], path: str) -> Iterator[str]:
    for key in item:
        if key not in _KEYS:
            near = nearest(str(key), _KEYS)
            yield f"{path}: unknown key {key!r}" + (
                f"; did you mean {near!r}?" if near else f"; one of {', '.join(_KEYS)}"
            )
    if not isinstance(item.get("name"), str) or not item["name"]:
        yield f"{path}.name: a text"
    for key in _LISTS:
        value = item.get(key, [])
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            yield f"{path}.{key}: a list of texts"
        elif key in ("steps", "approve"):
            for one in value:
                if one not in STEPS:
                    near = nearest(one, STEPS)
                    hint = f"did you mean {near!r}?" if near else f"one of {', '.join(STEPS)}"
                    yield f"{path}.{key}: no step is called {one!r}; {hint}"
    if not item.get("steps"):
        yield f"{path}.steps: at least one of {', '.join(STEPS)}"
    priority = item.get("priority", "")
    if priority and str(priority).lower() not in PRIORITIES:
        yield f"{path}.priority: {priority!r} is none of {', '.join(PRIORITIES)}"


def _rung(item: Mapping[str, Any]) -> Rung:
    return Rung(
        item["name"],
        frozenset(item.get("rules", ())),
        str(item.get("priority", "")).lower(),
        frozenset(item.get("tags", ())),
        frozenset(item.get("namespaces", ())),
        tuple(step for step in STEPS if step in item["steps"]),
        frozenset(item.get("approve", ())),
    )
