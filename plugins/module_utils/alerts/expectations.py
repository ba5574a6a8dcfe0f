# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which expected alerts have arrived, where, and how long after their event."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .reading import Alert, AlertsError

_KEYS = {"name", "rule", "contains", "fields", "destination"}


@dataclass(frozen=True)
class Expectation:
    """What an alert must be to count.

    Attributes:
        name: how it is called in results.
        rule: the rule's name, or None for any.
        contains: texts that must all stand in the alert (in its text or in a field's value).
        fields: output fields that must have these values (only where the destination tells fields).
        destination: where it must have arrived, or None for anywhere.
    """

    name: str
    rule: str | None = None
    contains: tuple[str, ...] = ()
    fields: Mapping[str, Any] = field(default_factory=dict)
    destination: str | None = None

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Expectation:
        """Read an expectation from its mapping.

        Raises:
            AlertsError: on an unknown key, a wrong type, or when nothing at all is expected.
        """
        unknown = sorted(set(document) - _KEYS)
        if unknown:
            raise AlertsError(f"an expectation has no key '{unknown[0]}'; its keys are {', '.join(sorted(_KEYS))}")
        contains = document.get("contains") or ()
        if isinstance(contains, str):
            contains = (contains,)
        rule, fields = document.get("rule"), document.get("fields") or {}
        if not (rule or contains or fields):
            raise AlertsError("an expectation needs a rule, a text that it contains, or fields; any alert would do now")
        return cls(
            name=str(document.get("name") or rule or " ".join(contains)),
            rule=rule,
            contains=tuple(str(text) for text in contains),
            fields=dict(fields),
            destination=document.get("destination"),
        )

    def is_met_by(self, alert: Alert) -> bool:
        """Whether *alert* is the one that is expected."""
        if self.destination and alert.destination != self.destination:
            return False
        if self.rule and alert.rule != self.rule and not (alert.rule is None and self.rule in alert.text):
            return False
        if any(str(alert.fields.get(name)) != str(value) for name, value in self.fields.items()):
            return False
        searched = "\n".join([alert.text, *(str(value) for value in alert.fields.values())])
        return all(text in searched for text in self.contains)


@dataclass(frozen=True)
class Match:
    """An expectation and the first alert that met it, or None."""

    expectation: Expectation
    alert: Alert | None
    latency_ms: float | None

    def to_dict(self) -> dict[str, Any]:
        """As results and reports carry it."""
        return {
            "name": self.expectation.name,
            "rule": self.expectation.rule,
            "destination": self.expectation.destination or (self.alert.destination if self.alert else None),
            "arrived": self.alert is not None,
            "latency_ms": self.latency_ms,
            "text": self.alert.text if self.alert else None,
        }


def match(expectations: Iterable[Expectation], alerts: Iterable[Alert]) -> list[Match]:
    """For each expectation the earliest alert that meets it; one alert may meet several.

    The latency is from the event to the arrival and is None where one of the two is not known.
    """
    seen = list(alerts)
    matches = []
    for expectation in expectations:
        alert = next((a for a in seen if expectation.is_met_by(a)), None)
        latency = None
        if alert and alert.arrived_ns is not None and alert.time_ns is not None:
            latency = round((alert.arrived_ns - alert.time_ns) / 1e6, 1)
        matches.append(Match(expectation, alert, latency))
    return matches
