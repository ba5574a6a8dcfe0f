# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gate's part on values of Helm releases: keys that the chart does not know, and values of a wrong kind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..common.finding import Finding
from ..common.yaml_text import YamlTextError, read_one
from ..falco_chart.check import check_values
from ..falco_chart.problems import FalcoChartError
from ..files.chart import read_chart
from ..kube.errors import KubeError
from .section import Section, counted
from .tree import Tree

try:
    import yaml
except ImportError:  # read_chart says so, before anything here needs it
    yaml = None  # type: ignore[assignment]  # the way to say that it is missing

KIND = "charts"
UNFIT = "chart-value"
"""The code of a value that the chart would ignore or stumble over."""


@dataclass(frozen=True)
class Release:
    """One entry of the option C(charts).

    Attributes:
        name: of the release.
        path: the chart, a directory or an archive.
        values: values files, each judged by itself.
    """

    name: str
    path: str
    values: Sequence[str]


def charts_section(release: Release, tree: Tree) -> Section:
    """Judge the values files of one release.

    Args:
        release: what is judged.
        tree: the revision that is to be merged.
    """
    if not release.values:
        return Section(KIND, release.name, (f"charts[{release.name}].values names no file: nothing to judge",))
    try:
        chart = read_chart(tree.path(release.path))
        findings = [one for file in release.values for one in _judged(file, tree, chart)]
    except KubeError as error:
        return Section(KIND, release.name, (tree.told(str(error)),))
    notes: tuple[str, ...] = ()
    if chart.missing:
        notes = (f"The chart has no {', '.join(chart.missing)} in its charts/ directory: their values are not judged.",)
    counts = {"values files": len(release.values), "findings": len(findings)}
    return Section(KIND, release.name, counted(findings), tuple(findings), counts=counts, notes=notes)


def _judged(file: str, tree: Tree, chart: Any) -> Iterator[Finding]:
    try:
        text = Path(tree.path(file)).read_text(encoding="utf-8-sig")
        values = read_one(text)
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except (OSError, UnicodeError) as error:
        yield Finding(UNFIT, "error", file, None, None, "", f"cannot be read: {error}")
        return
    except YamlTextError as error:
        yield Finding(UNFIT, "error", file, error.line, error.column, "", f"no YAML: {error.problem}")
        return
    if not isinstance(values, Mapping):
        yield Finding(UNFIT, "error", file, 1, 1, "", "values are a mapping, and this is none")
        return
    try:
        check_values(values, chart)
    except FalcoChartError as error:
        for problem in error.problems:
            line, column = _place(node, problem.path)
            yield Finding(UNFIT, "error", file, line, column, problem.path, problem.message, problem.hint)


def _place(node: Any, path: str) -> tuple[int, int]:
    """Where a dotted path stands (1-based), as far as it leads; keys may have dots themselves."""
    place = (1, 1)
    while path and isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            name = str(key.value)
            if path == name or path.startswith((f"{name}.", f"{name}[")):
                place = (key.start_mark.line + 1, key.start_mark.column + 1)
                node, path = value, path[len(name) :].lstrip(".")
                break
        else:
            break
    return place
