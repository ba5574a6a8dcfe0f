# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be wrong with the input: one exception root, and the record of one problem in one object."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

#: Problems that one message spells out; all of them are in the data.
MAX_TOLD = 20


class NetpolError(Exception):
    """Root of everything this package raises on purpose."""


class FlowError(NetpolError):
    """A flow that cannot be understood, or that names something the cluster does not have.

    Attributes:
        path: where in the caller's data, for example C(required_flows[2].from.labels).
        hint: what would be right, or an empty string.
    """

    def __init__(self, path: str, message: str, hint: str = "") -> None:
        super().__init__(f"{path}: {message}" + (f" ({hint})" if hint else ""))
        self.path = path
        self.message = message
        self.hint = hint


class NoPodError(FlowError):
    """A flow with an end that no pod matches now; it may be right all the same.

    Attributes:
        empty: whether all that the end names exists, and is namespaces without a running pod. Else it names something
            that does not exist.
    """

    def __init__(self, path: str, message: str, hint: str = "", empty: bool = False) -> None:
        super().__init__(path, message, hint)
        self.empty = empty


class Cause(enum.Enum):
    """Why the API server would only warn."""

    UNKNOWN_FIELD = "a field that the API does not have"
    DUPLICATE_OBJECT = "an object that replaces another one"


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong in one object, with the place where a person finds it.

    Attributes:
        severity: C(error) when the object cannot be analysed, C(warning) when the API server would accept it.
        source: file name or the name of the inline option.
        document: 1-based number of the YAML document in its source.
        line: 1-based line, or None when the input has no lines (inline data, live cluster).
        object: C(Kind namespace/name), as far as known.
        path: path in the object, for example C(spec.ingress[0].ports[1].endPort).
        message: what is wrong, in the API server's terms.
        hint: what would be right, or an empty string.
        cause: of a warning.
    """

    severity: str
    source: str
    document: int
    line: int | None
    object: str
    path: str
    message: str
    hint: str = ""
    cause: Cause | None = None

    def __str__(self) -> str:
        place = self.source
        if self.line is not None:
            place += f":{self.line}"
        if self.document > 1:
            place += f" (document {self.document})"
        where = f"{self.object}: " if self.object else ""
        path = f"{self.path}: " if self.path else ""
        hint = f" ({self.hint})" if self.hint else ""
        return f"{place}: {where}{path}{self.message}{hint}"

    def as_dict(self) -> dict[str, Any]:
        return {
            "severity": self.severity,
            "source": self.source,
            "document": self.document,
            "line": self.line,
            "object": self.object,
            "path": self.path,
            "message": self.message,
            "hint": self.hint,
        }


class InputError(NetpolError):
    """Input that the caller asked to be valid is not.

    Attributes:
        problems: every problem found, not only the first.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: list[Problem] = list(problems)
        told = [str(problem) for problem in self.problems[:MAX_TOLD]]
        if len(self.problems) > MAX_TOLD:
            told.append(f"and {len(self.problems) - MAX_TOLD} more")
        super().__init__("; ".join(told))
