# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Test files of rules as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

ANYTHING = "*"
"""Stands for any text in an output pattern, and in the change that an accepted mutant names."""


@dataclass(frozen=True)
class Place:
    """Where something is written: file, 1-based line and column."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True)
class Expected:
    """A rule that is to fire, or not.

    Attributes:
        rule: its name.
        place: where it is named.
        output: what its output is to be, `*` standing for any text; None for any.
        priority: what its priority is to be; None for any.
    """

    rule: str
    place: Place
    output: str | None = None
    priority: str | None = None


@dataclass(frozen=True)
class Case:
    """One event and what is expected of it.

    Attributes:
        name: what it is called; rows of a table have their values behind it.
        place: where it starts.
        event: as `evaluate.events.events_of` takes it.
        expect: rules that are to fire.
        expect_not: rules that are not.
        only: no rule but those of `expect` is to fire.
        rulesets: names of those that it is tried on; empty for all.
        skip: why it is not tried; None when it is.
    """

    name: str
    place: Place
    event: Any
    expect: tuple[Expected, ...] = ()
    expect_not: tuple[Expected, ...] = ()
    only: bool = False
    rulesets: tuple[str, ...] = ()
    skip: str | None = None


@dataclass(frozen=True)
class Accepted:
    """A mutant that may survive.

    Attributes:
        item: the rule or macro that is changed.
        change: the change as reported, `*` standing for any text.
        reason: why no test can or should tell it from the original.
        place: where this is written.
    """

    item: str
    change: str
    reason: str
    place: Place


@dataclass(frozen=True)
class RuleTests:
    """A test file.

    Attributes:
        file: its name.
        rulesets: names to paths of rules files and directories, relative to the test file.
        source: the event source of field maps that do not name theirs.
        rule_matching: first or all.
        cases: in order, tables written out.
        accepted: mutants that may survive.
    """

    file: str
    rulesets: Mapping[str, tuple[str, ...]]
    source: str
    rule_matching: str
    cases: tuple[Case, ...]
    accepted: tuple[Accepted, ...]
