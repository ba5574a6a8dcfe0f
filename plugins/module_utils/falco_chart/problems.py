# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Problems of chart values: where, what is wrong, what would be right."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..common import words


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong.

    Attributes:
      path: dotted path of the value (``driver.kind``) or the name of the variable (``falco_driver``).
      message: what is wrong with it.
      hint: what would be right; empty if there is nothing to say.
    """

    path: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" + (f" {self.hint}" if self.hint else "")


class FalcoChartError(ValueError):
    """Variables or values that the chart could not be installed with.

    Attributes:
      problems: all of them, not only the first.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that is most like this one, ignoring case, dashes and underscores; None if none is close."""
    return words.nearest(name, sorted(known), 0.7, lambda text: text.lower().replace("_", "").replace("-", ""))


def kind_of(value: object) -> str:
    """What a value is, in words; Ansible's own subclasses count as what they are made of."""
    kinds = (
        (bool, "a boolean"),
        ((int, float), "a number"),
        (str, "a string"),
        ((list, tuple), "a list"),
        (Mapping, "a mapping"),
    )
    if value is None:
        return "nothing"
    return next((name for kind, name in kinds if isinstance(value, kind)), type(value).__name__)
