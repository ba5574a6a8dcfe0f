# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An object with the place it came from, and what is told of it: its problems, its labels, its origin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ..errors import Cause, Problem
from ..model.objects import Origin
from . import yamltext
from .reader import label_key_problem, label_value_problem

#: Kind, namespace (empty for what has none) and name of an object.
Key = tuple[str, str, str]

_GOOD_LABELS: set[tuple[str, str]] = set()


class Input(NamedTuple):
    """One source of objects: a name for messages, and either text or ready objects.

    What is no API object is an error where C(named), else (in a file that a directory holds) it is counted. A text with
    a C(skip) is not read, for that reason.
    """

    name: str
    text: str | None = None
    objects: Sequence[Any] | None = None
    named: bool = True
    skip: str = ""


class Entry(NamedTuple):
    """An object with the place it came from. C(prefix) is its path in the document, empty or ending in a dot."""

    value: Mapping[str, Any]
    input: Input
    number: int
    line: int
    prefix: str


class Rejected(Exception):  # noqa: N818 - control flow inside this folder
    """The object cannot be used; the problem is already reported."""


class Reporter:
    """Collects the problems of objects, each with its place."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems

    def problem(
        self, entry: Entry, severity: str, path: str, message: str, hint: str = "", cause: Cause | None = None
    ) -> None:
        full = f"{entry.prefix}{path}"
        text = entry.input.text
        line = yamltext.locate(text, entry.number, full) if text is not None else None
        value = entry.value
        label = ""
        if isinstance(value, Mapping):
            metadata = value.get("metadata")
            metadata = metadata if isinstance(metadata, Mapping) else {}
            name = str(metadata.get("name", ""))
            namespace = metadata.get("namespace")
            label = " ".join(
                part for part in (str(value.get("kind", "")), f"{namespace}/{name}" if namespace else name) if part
            )
        self.problems.append(Problem(severity, entry.input.name, entry.number, line, label, path, message, hint, cause))

    def labels(self, entry: Entry, value: object, path: str) -> dict[str, str]:
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            self.problem(entry, "error", path, "must be an object of strings")
            raise Rejected
        failed = False
        for key, label in value.items():
            # The common case costs one dictionary look-up: labels repeat.
            good = isinstance(key, str) and isinstance(label, str)
            if good and (key, label) in _GOOD_LABELS:
                continue
            if not good:
                hint = f"write it in quotes: '{str(label).lower() if isinstance(label, bool) else label}'"
                self.problem(entry, "error", f"{path}[{key}]", f"must be a string, not {label!r}", hint)
                failed = True
                continue
            problem = label_key_problem(key) or label_value_problem(label)
            if problem:
                self.problem(entry, "error", f"{path}[{key}]", problem)
                failed = True
                continue
            if len(_GOOD_LABELS) < 100_000:
                _GOOD_LABELS.add((key, label))
        if failed:
            raise Rejected
        return dict(value)


def origin_of(entry: Entry) -> Origin:
    line: int | None = entry.line if entry.input.text is not None else None
    return Origin(entry.input.name, entry.number, line)
