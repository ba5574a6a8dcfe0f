# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What yaml-cpp's scanner hands on, and what it keeps in mind: tokens, indentations, and keys that may become keys.

Source: `src/token.h`, `src/scanner.h` and `src/simplekey.cpp` of https://github.com/jbeder/yaml-cpp.
"""

from __future__ import annotations

from typing import Any

from .nodes import Mark

# Kinds of tokens
T_DIRECTIVE, T_DOC_START, T_DOC_END, T_SEQ_START, T_MAP_START, T_SEQ_END, T_MAP_END, T_ENTRY = range(8)
T_FLOW_SEQ_START, T_FLOW_MAP_START, T_FLOW_SEQ_END, T_FLOW_MAP_END, T_FLOW_ENTRY = range(8, 13)
T_KEY, T_VALUE, T_ANCHOR, T_ALIAS, T_TAG, T_PLAIN, T_QUOTED = range(13, 20)

#: A token's status: unknown until it is clear whether a key follows.
VALID, INVALID, UNKNOWN = 0, 1, 2
NO_INDENT, MAP_INDENT, SEQ_INDENT = 0, 1, 2


class Token:
    """A token; it counts once its status is VALID, and never when it is INVALID."""

    __slots__ = ("kind", "mark", "status", "value")

    def __init__(self, kind: int, mark: Mark, value: Any = "", status: int = VALID) -> None:
        self.kind = kind
        self.mark = mark
        self.value = value
        self.status = status


class Indent:
    """An open indentation, and the token that began it."""

    __slots__ = ("column", "kind", "status", "token")

    def __init__(self, column: int, kind: int) -> None:
        self.column = column
        self.kind = kind
        self.status = VALID
        self.token: Token | None = None


class Key:
    """What is a key if a colon follows."""

    __slots__ = ("flow", "indent", "mark", "start", "token")

    def __init__(self, mark: Mark, flow: int) -> None:
        self.mark = mark
        self.flow = flow
        self.indent: Indent | None = None
        self.start: Token | None = None
        self.token: Token | None = None

    def settle(self, status: int) -> None:
        """Say whether it is one, to all tokens that depend on it."""
        for one in (self.indent, self.start, self.token):
            if one is not None:
                one.status = status
