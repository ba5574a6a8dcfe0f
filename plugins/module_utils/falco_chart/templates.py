# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a chart's templates do with values: which they read, copy as a whole, or skip when empty.

An own small reading of Go templates, as far as charts use it for values: ``with``, ``range``, ``if``, ``define``,
variables, ``toYaml``, and helpers that are given a value. What it does not understand counts as read by nobody, which
makes the check of values stricter, never laxer.

Source: https://pkg.go.dev/text/template and https://helm.sh/docs/chart_template_guide/.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Optional

_COMMENT = re.compile(r"\{\{-?\s*/\*.*?\*/\s*-?\}\}", re.DOTALL)
_ACTION = re.compile(r"\{\{-?\s*(.*?)\s*-?\}\}", re.DOTALL)
_OPENS = re.compile(r"(with|range|if|define|block)\b\s*(.*)", re.DOTALL)
_ASSIGNED = re.compile(r"\$(\w+)\s*:?=\s*(.*)", re.DOTALL)
_OPERAND = r"\(?\s*([.$][\w.$]*)\s*\)?"
_COPIED = (
    re.compile(rf"\btoYaml\s+{_OPERAND}"),
    re.compile(rf"(?<![\w.$]){_OPERAND}\s*\|\s*toYaml\b"),
    re.compile(rf"\bomit\s+{_OPERAND}[^|]*\|\s*toYaml\b"),
)
_INCLUDED = re.compile(rf'\binclude\s+"([^"]+)"\s+(?:\(\s*dict\s+([^()]*)\)|{_OPERAND})')
_ARGUMENT = re.compile(r'"(\w+)"\s+([.$][\w.$]*)')
_ABSOLUTE = re.compile(r"\.Values((?:\.[A-Za-z_]\w*)+)")
_RELATIVE = re.compile(r"(?<![\w.$\")])\.[A-Za-z_]\w*(?:\.\w+)*")
_DEFAULTED = re.compile(r"\bdefault\b|\bcoalesce\b|\bempty\b|\bternary\b")

#: What dot stands for: a value's dotted path, "" for what the template was called with, None for something else.
_Dot = Optional[str]


@dataclass
class Reads:
    """What templates do with the values of their chart, as dotted paths.

    Attributes:
      paths: read.
      whole: copied as they are (``toYaml``), so keys that the defaults lack are taken, too.
      optional: asked for before they are used, so an empty one is skipped.
    """

    paths: set[str] = field(default_factory=set)
    whole: set[str] = field(default_factory=set)
    optional: set[str] = field(default_factory=set)


def read_templates(texts: Iterable[str]) -> Reads:
    """What these templates of one chart do with its values."""
    actions: list[list[str]] = [_ACTION.findall(_COMMENT.sub("", text)) for text in texts]
    copying: dict[str, set[str]] = {}
    for file in actions:
        _File(copying, Reads()).read(file)
    reads = Reads()
    for file in actions:
        _File(copying, reads).read(file)
    return reads


class _File:
    """One template file, read action by action.

    Args:
      copying: helper to the keys of its argument that it copies as a whole, "" for the argument itself; is filled.
      reads: is filled.
    """

    def __init__(self, copying: dict[str, set[str]], reads: Reads) -> None:
        self.copying, self.reads = copying, reads
        self.blocks: list[tuple[str, _Dot, _Dot]] = []  # keyword, dot inside, dot before
        self.dot: _Dot = ""
        self.helper = ""
        self.variables: dict[str, _Dot] = {}

    def read(self, actions: Iterable[str]) -> None:
        for action in actions:
            opened = _OPENS.match(action)
            if opened:
                self._open(opened[1], opened[2])
            elif re.match(r"end\b", action):
                self._close()
            elif re.match(r"else\b", action):
                self._else(action)
            else:
                self._use(action)

    def _open(self, keyword: str, argument: str) -> None:
        before = self.dot
        if keyword in ("define", "block"):
            self.helper, self.dot = argument.split('"')[1] if '"' in argument else "", ""
        else:
            self._use(argument, asked=True)
            assigned = _ASSIGNED.match(argument)
            found = self._resolve(assigned[2] if assigned else argument)
            if keyword == "with":
                self.dot = found
            elif keyword == "range":
                self.dot = None
        self.blocks.append((keyword, self.dot, before))

    def _close(self) -> None:
        if self.blocks:
            keyword, _inside, self.dot = self.blocks.pop()
            if keyword in ("define", "block"):
                self.helper, self.variables = "", {}

    def _else(self, action: str) -> None:
        if self.blocks:
            self.dot = self.blocks[-1][2]
        rest = re.sub(r"^else\s*(if|with)?\s*", "", action)
        if rest:
            self._use(rest, asked=True)
            if "with" in action.split()[:2]:
                self.dot = self._resolve(rest)

    def _use(self, action: str, asked: bool = False) -> None:
        read = {path[1:] for path in _ABSOLUTE.findall(action)}
        if self.dot:
            read |= {self.dot + path for path in _RELATIVE.findall(action) if not path.startswith(".Values")}
        self.reads.paths |= read
        if asked or _DEFAULTED.search(action):
            self.reads.optional |= read
        for pattern in _COPIED:
            for operand in pattern.findall(action):
                self._copied(operand)
        for helper, arguments, operand in _INCLUDED.findall(action):
            for key in self.copying.get(helper, set()):
                given = dict(_ARGUMENT.findall(arguments)) if arguments else {"": operand}
                if key in given:
                    self._copied(given[key])
        assigned = _ASSIGNED.match(action)
        if assigned:
            self.variables[assigned[1]] = self._resolve(assigned[2])

    def _copied(self, operand: str) -> None:
        path = self._resolve(operand)
        if path:
            self.reads.whole.add(path)
        elif self.helper and self.dot == "" and "Values" not in operand and not operand.startswith("$"):
            self.copying.setdefault(self.helper, set()).add(operand.strip(".").split(".")[0])

    def _resolve(self, expression: str) -> _Dot:
        """The value that an expression stands for, None if it is none or more than that."""
        operand = expression.strip().strip("()").strip()
        if not re.fullmatch(r"[.$][\w.$]*", operand):
            return None
        absolute = re.fullmatch(r"\$?\.Values\.(.+)", operand)
        if absolute:
            return absolute[1]
        if operand.startswith("$"):
            name, _dot, rest = operand[1:].partition(".")
            base = self.variables.get(name) if name else None
            return f"{base}.{rest}" if base and rest else base
        if operand == ".":
            return self.dot or None
        return f"{self.dot}{operand}" if self.dot else None


def below(paths: Iterable[str], key: str) -> Iterator[str]:
    """Those paths that are below a key, without it."""
    return (path[len(key) + 1 :] for path in paths if path.startswith(f"{key}."))
