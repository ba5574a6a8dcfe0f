# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a role hands over, read: options that may be strings, and results of tasks that failed or were skipped."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .check import EvidenceError

_TRUE = {"true", "yes", "on", "1"}
_FALSE = {"false", "no", "off", "0", ""}


class Asked:
    """What was asked and answered for one stage, by name. A name that is missing is an error, never a pass."""

    def __init__(self, stage: str, values: object) -> None:
        if not isinstance(values, Mapping):
            raise EvidenceError(f"{stage}: what was asked must be a mapping, not {type(values).__name__}")
        self.stage = stage
        self.values = values

    def raw(self, name: str) -> Any:
        """The value as it was given.

        Raises:
            EvidenceError: it was not given.
        """
        if name not in self.values:
            raise EvidenceError(f"{self.stage}: nothing was asked about {name!r}, so nothing can be said")
        return self.values[name]

    def text(self, name: str) -> str:
        """A string."""
        value = self.raw(name)
        return "" if value is None else str(value)

    def flag(self, name: str) -> bool:
        """A boolean, also as a template or a survey spells it."""
        value = self.raw(name)
        if isinstance(value, bool):
            return value
        word = "" if value is None else str(value).strip().lower()
        if word not in _TRUE | _FALSE:
            raise EvidenceError(f"{self.stage}: {name} must be true or false")
        return word in _TRUE

    def number(self, name: str) -> float:
        """A number, also as a template or a survey spells it."""
        value = self.raw(name)
        try:
            return float(value)
        except (TypeError, ValueError):
            raise EvidenceError(f"{self.stage}: {name} must be a number") from None

    def mapping(self, name: str) -> Mapping[str, Any]:
        """A mapping; nothing is an empty one."""
        value = self.raw(name) or {}
        if not isinstance(value, Mapping):
            raise EvidenceError(f"{self.stage}: {name} must be a mapping, not {type(value).__name__}")
        return value

    def items(self, name: str) -> list[Any]:
        """A list; nothing is an empty one."""
        value = self.raw(name) or []
        if isinstance(value, (str, Mapping)) or not hasattr(value, "__iter__"):
            raise EvidenceError(f"{self.stage}: {name} must be a list, not {type(value).__name__}")
        return list(value)

    def result(self, name: str) -> Result:
        """What a task registered."""
        return Result(self.mapping(name))


class Result:
    """What a task registered."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.values = values

    @property
    def answered(self) -> bool:
        """Whether the task ran and did not fail."""
        return bool(self.values) and not self.skipped and not self.values.get("failed")

    @property
    def skipped(self) -> bool:
        """Whether the task was left out."""
        return bool(self.values.get("skipped"))

    @property
    def why_not(self) -> str:
        """Why there is no answer, in words."""
        if not self.values or self.skipped:
            return str(self.values.get("msg") or self.values.get("skip_reason") or "was not asked")
        return str(self.values.get("msg") or "cannot be asked")

    @property
    def code(self) -> int:
        """Exit code of a command; 1 where there is none."""
        value = self.values.get("rc")
        return 1 if value is None else int(value)

    @property
    def output(self) -> str:
        """What a command printed, without the blanks around it."""
        return str(self.values.get("stdout") or "").strip()

    def get(self, name: str, default: Any = None) -> Any:
        """A value of the result."""
        value = self.values.get(name)
        return default if value is None else value
