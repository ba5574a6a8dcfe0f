# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Label selectors as the API has them: matchLabels and matchExpressions with In, NotIn, Exists, DoesNotExist.

Semantics: https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.35/#labelselector-v1-meta.
All requirements are ANDed; an empty selector matches everything; C(NotIn) and C(DoesNotExist) also match objects
that do not have the key.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

IN = "In"
NOT_IN = "NotIn"
EXISTS = "Exists"
DOES_NOT_EXIST = "DoesNotExist"
OPERATORS = (IN, NOT_IN, EXISTS, DOES_NOT_EXIST)


@dataclass(frozen=True)
class Requirement:
    """One condition on one key. C(values) is sorted, and empty for the two existence operators."""

    key: str
    operator: str
    values: tuple[str, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        if self.operator == IN:
            return self.key in labels and labels[self.key] in self.values
        if self.operator == NOT_IN:
            return self.key not in labels or labels[self.key] not in self.values
        if self.operator == EXISTS:
            return self.key in labels
        return self.key not in labels

    def __str__(self) -> str:
        if self.operator == IN:
            if len(self.values) == 1:
                return f"{self.key}={self.values[0]}"
            return f"{self.key} in ({', '.join(self.values)})"
        if self.operator == NOT_IN:
            return f"{self.key} notin ({', '.join(self.values)})"
        return self.key if self.operator == EXISTS else f"!{self.key}"


@dataclass(frozen=True)
class Selector:
    """A conjunction of requirements, sorted, so that equal selectors compare equal however they were written."""

    requirements: tuple[Requirement, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        return all(requirement.matches(labels) for requirement in self.requirements)

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(requirement.key for requirement in self.requirements)

    def __str__(self) -> str:
        return ", ".join(str(requirement) for requirement in self.requirements) or "everything"


EVERYTHING = Selector()


def make_selector(requirements: tuple[Requirement, ...]) -> Selector:
    """A selector in canonical order, without repeated requirements."""
    return Selector(tuple(sorted(set(requirements), key=lambda r: (r.key, r.operator, r.values))))
