# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Alerts counted as a stream: by rule, workload, image and program, and by all that an exception may ask for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from sys import intern
from typing import Any, NamedTuple

from .reading import Alert

IDENTITY = ("container.image.repository", "k8s.ns.name", "container.name", "ka.user.name")
"""Who: what an attacker inside a container does not choose."""
WHO = (("container.image.repository",), ("k8s.ns.name", "container.name"), ("ka.user.name",))
"""An image, a workload, a user: an exception asks for one of these at least."""
PROGRAM = ("proc.name", "ka.verb")
"""What was done, by fields that take few values."""
FURTHER = ("proc.pname", "proc.exepath", "user.name", "ka.target.resource", "ka.target.namespace")
FIELDS = (*IDENTITY, *PROGRAM, *FURTHER)
"""Fields that exceptions are made of. Command lines, arguments and file names are none: an attacker chooses them."""
MAX_PROFILES = 50_000
"""Different alerts of one rule that are told apart; what comes after is counted by who and what alone."""

Profile = tuple[Any, ...]


class Noise:
    """What a recording says.

    Attributes:
        total: alerts.
        rules: alerts by rule.
        profiles: by rule, how many alerts had which values of `FIELDS`.
        sources: the source of each rule.
        merged: rules of which some alerts were not told apart by `FURTHER`.
    """

    def __init__(self) -> None:
        self.total = 0
        self.rules: Counter[str] = Counter()
        self.profiles: dict[str, Counter[Profile]] = {}
        self.sources: dict[str, str] = {}
        self.merged: set[str] = set()

    def count(self, alerts: Iterable[Alert]) -> None:
        """Add alerts; of each nothing is kept but its values of `FIELDS`."""
        known = len(IDENTITY) + len(PROGRAM)
        for alert in alerts:
            self.total += 1
            self.rules[alert.rule] += 1
            self.sources.setdefault(alert.rule, alert.source)
            profiles = self.profiles.setdefault(alert.rule, Counter())
            profile = tuple(_kept(alert.fields.get(name)) for name in FIELDS)
            if len(profiles) >= MAX_PROFILES and profile not in profiles:
                profile = (*profile[:known], *(None for _name in FURTHER))
                self.merged.add(alert.rule)
            profiles[profile] += 1

    def by(self, name: str) -> list[tuple[str, int]]:
        """Alerts by the values of a field, the most frequent first; an empty text stands for no value."""
        at = FIELDS.index(name)
        found: Counter[str] = Counter()
        for profiles in self.profiles.values():
            for profile, count in profiles.items():
                found["" if profile[at] is None else str(profile[at])] += count
        return sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))

    def loudest(self, most: int) -> list[Voice]:
        """Who raises which rule, the most frequent first."""
        found: Counter[tuple[str, str, str, str]] = Counter()
        for rule, profiles in self.profiles.items():
            for profile, count in profiles.items():
                found[
                    rule, workload_of(profile), _shown(profile, "container.image.repository"), program_of(profile)
                ] += count
        ranked = sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))
        return [Voice(*key, count) for key, count in ranked[:most]]


class Voice(NamedTuple):
    """A rule with who raises it; empty texts where that is not known."""

    rule: str
    workload: str
    image: str
    program: str
    alerts: int


def _kept(value: Any) -> Any:
    return intern(value) if isinstance(value, str) else value if isinstance(value, (int, bool)) else None


def _shown(profile: Profile, name: str) -> str:
    value = profile[FIELDS.index(name)]
    return "" if value is None else str(value)


def program_of(profile: Profile) -> str:
    """The program, or the verb of an audit event."""
    return _shown(profile, "proc.name") or _shown(profile, "ka.verb")


def workload_of(profile: Profile) -> str:
    """Namespace and container, or the user of an audit event."""
    user = _shown(profile, "ka.user.name")
    return user or "/".join(filter(None, (_shown(profile, "k8s.ns.name"), _shown(profile, "container.name"))))
