# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: any release may change it. Do not import it from elsewhere.
"""`pmatch`: whether one of several paths, part by part, is a prefix of a path; a part may be a glob.

Two surprises of Falco's are kept. Slashes only separate, so `etc` and `//etc/` are `/etc`, and an empty path is a
prefix of all. And of several globs at one level the latest is tried first; when one fits and what follows it does
not, the next one is tried on the *next* part of the path.
Source: `userspace/libsinsp/prefix_search.h` in falcosecurity/libs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .glob import Matcher, glob_matcher

_WILD = frozenset("?*[")


class _Level:
    """The parts known at one depth: plain ones by text, globs in order; None ends a path."""

    __slots__ = ("globs", "plain")

    def __init__(self) -> None:
        self.plain: dict[str, _Level | None] = {}
        self.globs: dict[str, tuple[Matcher, _Level | None]] = {}


def parts_of(path: str) -> list[str]:
    """A path's parts; empty ones are left out."""
    return [part for part in path.split("/") if part]


class PathSet:
    """Paths to find a prefix among."""

    def __init__(self, paths: Iterable[str]) -> None:
        self._root = _Level()
        self._all = False
        for path in paths:
            parts = parts_of(path)
            if not parts:
                self._all = True
            elif not self._all:
                _add(self._root, parts)

    def __contains__(self, path: str) -> bool:
        if self._all:
            return True
        parts = parts_of(path)
        return bool(parts) and _find(self._root, parts, 0)


def _add(level: _Level, parts: Sequence[str]) -> None:
    part, rest = parts[0], parts[1:]
    if _WILD.isdisjoint(part):
        if part not in level.plain:
            level.plain[part] = _Level() if rest else None
        elif not rest:
            level.plain[part] = None
        below = level.plain[part]
    else:
        if part not in level.globs:
            level.globs[part] = (glob_matcher(part), _Level() if rest else None)
        elif not rest:
            # taken out and put in again, so that it counts as the latest
            matcher, _below = level.globs.pop(part)
            level.globs[part] = (matcher, None)
        below = level.globs[part][1]
    if below is not None and rest:
        _add(below, rest)


def _find(level: _Level, parts: Sequence[str], at: int) -> bool:
    part = parts[at]
    if part in level.plain and _follow(level.plain[part], parts, at + 1):
        return True
    for matcher, below in reversed(list(level.globs.values())):
        if at >= len(parts):
            return False
        if matcher(parts[at]):
            at += 1
            if _follow(below, parts, at):
                return True
    return False


def _follow(below: _Level | None, parts: Sequence[str], at: int) -> bool:
    if below is None:
        return True
    return at < len(parts) and _find(below, parts, at)
