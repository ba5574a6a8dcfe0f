# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Falcosidekick counted: events that it got, and what became of them at each output, since another look.

Source: https://github.com/falcosecurity/falcosidekick/blob/master/stats_prometheus.go
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

PREFIX = "falcosecurity_falcosidekick_"
#: Counters that are read: events by rule and pod, what came in, and what went out by destination and status.
NAMES = ("falco_events_total", "inputs_total", "outputs_total")
_SAMPLE = re.compile(rf"^({PREFIX}(?:{'|'.join(NAMES)}))\{{(.*)\}} (\S+)$", re.MULTILINE)
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
_ESCAPED = re.compile(r"\\(.)")
Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Counter:
    """One counter.

    Attributes:
        name: one of C(NAMES).
        labels: by their names.
        value: since its process began.
    """

    name: str
    labels: Labels
    value: int

    @property
    def key(self) -> str:
        return f"{self.name}{{{','.join(f'{name}={value}' for name, value in self.labels)}}}"


def read_counters(text: str) -> list[Counter]:
    """The counters of one process.

    Args:
        text: answer of ``/metrics`` in Prometheus' text format.
    """
    found = []
    for name, labels, value in _SAMPLE.findall(text):
        told = tuple(sorted((label, _ESCAPED.sub(_unescaped, words)) for label, words in _LABEL.findall(labels)))
        try:
            found.append(Counter(name.removeprefix(PREFIX), told, int(float(value))))
        except (ValueError, OverflowError):
            continue
    return found


def _unescaped(found: re.Match[str]) -> str:
    return "\n" if found[1] == "n" else found[1]


def increases(now: Iterable[Counter], before: Mapping[str, int] | None) -> list[tuple[Counter, int]]:
    """By how much each counter grew.

    Args:
        now: of one process.
        before: value by C(key) of the same process at another look; None for a process that was not looked at.

    Returns:
        Each counter with its increase. A counter that is less than before began anew, so that all of it is new.
    """
    known = before or {}
    return [
        (one, one.value - known.get(one.key, 0) if one.value >= known.get(one.key, 0) else one.value) for one in now
    ]


def summed(pods: Iterable[Iterable[tuple[Counter, int]]]) -> list[dict[str, Any]]:
    """The counters of all pods together, as results carry them."""
    totals: dict[str, dict[str, Any]] = {}
    for counters in pods:
        for counter, increase in counters:
            entry = totals.setdefault(
                counter.key, {"name": counter.name, "labels": dict(counter.labels), "value": 0, "increase": 0}
            )
            entry["value"] += counter.value
            entry["increase"] += increase
    return [totals[key] for key in sorted(totals)]
