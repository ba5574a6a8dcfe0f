# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a change stands in compiled code, and how changed code takes the place of what is loaded."""

from __future__ import annotations

import gc
from collections import defaultdict
from collections.abc import Iterator
from types import CodeType, FunctionType
from typing import NamedTuple


class Difference(NamedTuple):
    """Code before and after a change, and whether it differs itself, not only in the functions that it contains."""

    before: CodeType
    after: CodeType
    itself: bool


def differences(before: CodeType, after: CodeType) -> Iterator[Difference]:
    """All code that a change touched, the outermost first; nothing where both do the same."""
    itself = _own(before) != _own(after)
    contained = [] if itself and len(inner(before)) != len(inner(after)) else zip(inner(before), inner(after))
    within = [one for pair in contained for one in differences(*pair)]
    if itself or within:
        yield Difference(before, after, itself)
        yield from within


def inner(code: CodeType) -> list[CodeType]:
    return [one for one in code.co_consts if isinstance(one, CodeType)]


def _own(code: CodeType) -> tuple[object, ...]:
    """What code does itself. Constants by their text, since C(1 == True)."""
    constants = [one.co_name if isinstance(one, CodeType) else repr(one) for one in code.co_consts]
    return code.co_code, constants, code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars


class Loaded:
    """The functions that are loaded, by the file they are of and by their code."""

    def __init__(self) -> None:
        self.functions: dict[str, dict[CodeType, list[FunctionType]]] = defaultdict(lambda: defaultdict(list))
        for one in gc.get_objects():
            if isinstance(one, FunctionType):
                self.functions[one.__code__.co_filename][one.__code__].append(one)

    def running(self, file: str, code: CodeType) -> CodeType | None:
        """The code that runs where this one would, if any is loaded."""
        waiting = list(self.functions[file]) if file in self.functions else []
        while waiting:
            one = waiting.pop()
            if one == code:
                return one
            waiting += inner(one)
        return None

    def replace(self, file: str, changes: list[Difference]) -> None:
        """Put changed code into all functions that have the code from before.

        Raises:
            ValueError: a function needs other variables of what surrounds it, which were bound when it was made.
        """
        for one in changes:
            for function in self.functions[file].get(one.before, ()):
                function.__code__ = one.after
