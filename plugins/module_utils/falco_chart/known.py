# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a chart knows, all of it, and what is most like a value that it does not know: a hint."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

from .chart import Chart
from .config_keys import CONFIG_KEYS
from .problems import nearest

#: From here on two names are taken for the same, one misspelt.
_ALIKE = 0.85


class KnownValues:
    """Every value of a chart, subcharts and Falco's configuration included; tells the list of a place once."""

    def __init__(self, chart: Chart) -> None:
        self._paths = sorted({*_paths(chart), *(f"falco.{path}" for path in _tree(CONFIG_KEYS))})
        self._told: set[str] = set()

    def has(self, path: str) -> bool:
        """Whether the chart's defaults or Falco's configuration have it."""
        return path in self._paths

    @staticmethod
    def misspelt(key: str, siblings: set[str]) -> bool:
        """Whether a key is almost one that is known at its place."""
        return key.isidentifier() and any(_alike(key, sibling) for sibling in siblings)

    def hint(self, path: str, siblings: set[str]) -> str:
        """What would be right instead of a path that the chart does not know.

        Args:
          path: dotted.
          siblings: what is known in its place.
        """
        parent, _dot, key = path.rpartition(".")
        prefix = f"{parent}." if parent else ""
        ending = sorted(sibling for sibling in siblings if _plain(sibling).endswith(_plain(key)) and len(key) > 4)
        if ending:
            return f"Did you mean {' or '.join(prefix + sibling for sibling in ending)}?"
        if self.misspelt(key, siblings):
            return f"Did you mean {prefix}{nearest(key, siblings)}?"
        elsewhere = self._elsewhere(path)
        if elsewhere:
            return f"Did you mean {elsewhere}?"
        close = nearest(key, siblings)
        if close:
            return f"Did you mean {prefix}{close}?"
        if parent in self._told or not siblings:
            return ""
        self._told.add(parent)
        return f"Known {'in ' + parent if parent else 'here'}: {', '.join(sorted(siblings))}."

    def _elsewhere(self, path: str) -> str:
        """A value of the same name in another place: that which shares most of the way, or the only one."""
        *parents, key = path.split(".")
        found = [known for known in self._paths if _plain(known.rpartition(".")[2]) == _plain(key)]
        shared = {known: len(set(parents) & set(known.split(".")[:-1])) for known in found}
        best = [known for known in found if shared[known] == max(shared.values())]
        top = [known for known in found if "." not in known]
        if len(best) == 1 and (shared[best[0]] or len(found) == 1):
            return best[0]
        return top[0] if top else ""


def _paths(chart: Chart, prefix: str = "") -> Iterator[str]:
    for path in _tree(chart.defaults):
        yield prefix + path
    for key, sub in chart.subcharts.items():
        yield from _paths(sub, f"{prefix}{key}.")


def _tree(node: Any, path: str = "") -> Iterator[str]:
    if isinstance(node, Mapping):
        for key, value in node.items():
            here = f"{path}.{key}" if path else str(key)
            yield here
            yield from _tree(value, here)


def _plain(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "")


def _alike(one: str, other: str) -> bool:
    return difflib.SequenceMatcher(None, _plain(one), _plain(other)).ratio() >= _ALIKE
